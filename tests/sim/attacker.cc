#include "sim/attacker.h"

#include <algorithm>
#include <vector>

#include "wire/ethernet.h"
#include "wire/icmp.h"
#include "wire/tcp_options.h"

namespace estab::sim {
namespace {

using wire::TcpFlags;
constexpr int kFin = TcpFlags::kFin, kSyn = TcpFlags::kSyn, kRst = TcpFlags::kRst, kPsh = TcpFlags::kPsh,
              kAck = TcpFlags::kAck, kUrg = TcpFlags::kUrg;

}  // namespace

void Attacker::strike(size_t victim) {
  const stack::Record* record = choose(victim);
  if (record == nullptr || random_.chance(0.1)) {
    give_segment(victim, forge_for_nobody(victim));
  } else if (random_.chance(0.15)) {
    give_icmp_error(victim, *record);
  } else {
    give_segment(victim, forge(*record));
  }
}

const stack::Record* Attacker::choose(size_t victim) {
  std::vector<const stack::Record*> there;
  for (const auto& ends : world_.ends) {
    if (const stack::Record* record = world_.record_of(ends[victim])) there.push_back(record);
  }
  return there.empty() ? nullptr : there[random_.below(static_cast<uint32_t>(there.size()))];
}

// Right in all that can be seen or guessed, and wrong in one number, or in a flag.
Attacker::Forged Attacker::forge(const stack::Record& record) {
  const tcp::Tcb& tcb = record.tcb;
  Forged f{.tuple = record.tuple, .seq = tcb.rcv.nxt, .ack = tcb.snd.nxt, .flags = kAck};
  f.timestamps = tcb.timestamps;
  f.ts_value = tcb.ts_recent + random_.below(1'000'000);
  f.ts_echo = tcb.ts_now(world_.now);
  if (random_.chance(0.5)) f.text = 1 + random_.below(200);
  if (random_.chance(0.2)) f.flags |= kFin;
  if (random_.chance(0.3)) f.flags |= kPsh;
  break_number(f, tcb);
  return f;
}

void Attacker::break_number(Forged& f, const tcp::Tcb& tcb) {
  const uint32_t window = tcb.receive_window();
  if (tcb.state == tcp::State::SynSent) {  // nothing there acknowledges our SYN
    f.seq = wire::Seq(any());
    f.ack = tcb.snd.nxt + 1 + random_.below(1u << 30);
    f.flags = std::array{kAck, kRst, kRst | kAck, kSyn | kAck, kFin | kAck}[random_.below(5)];
    return;
  }
  switch (random_.below(8)) {
    case 0:  // a RST in the window, but not at its edge
      f.flags = kRst;
      f.seq = tcb.rcv.nxt + 1 + random_.below(std::max(window, 2u) - 1);
      f.text = 0;
      break;
    case 1:  // a RST anywhere else
      f.flags = random_.chance(0.5) ? kRst : kRst | kAck;
      f.seq = tcb.rcv.nxt + window + 1 + random_.below(1u << 30);
      break;
    case 2:  // a SYN, wherever
      f.flags = random_.chance(0.5) ? kSyn : kSyn | kAck;
      f.seq = random_.chance(0.5) ? f.seq : wire::Seq(any());
      break;
    case 3:  // an ACK of what was never sent
      f.ack = tcb.snd.nxt + 1 + random_.below(1u << 30);
      break;
    case 4:  // one far too old
      f.ack = tcb.snd.una - tcb.snd.max_wnd - 1 - random_.below(1u << 29);
      break;
    case 5:  // text right of the window
      f.seq = tcb.rcv.edge + 1 + random_.below(1u << 29);
      f.text = std::max(f.text, 1u);
      break;
    case 6:  // text that came before
      f.text = std::max(f.text, 1u);
      f.flags = kAck;
      f.seq = tcb.rcv.nxt - f.text - random_.below(1u << 20);
      break;
    case 7:  // no ACK bit: a null scan, Xmas, or text
      f.flags = std::array{0, kFin, kFin | kPsh | kUrg, kPsh, kUrg}[random_.below(5)];
      break;
  }
}

Attacker::Forged Attacker::forge_for_nobody(size_t victim) {
  Forged f{.tuple = {kAddress[victim], kAddress[1 - victim], wire::Port(static_cast<uint16_t>(any())),
                     wire::Port(static_cast<uint16_t>(1 + random_.below(1'000)))}};
  if (random_.chance(0.5)) f.tuple.local_port = kListening;
  f.seq = wire::Seq(any());
  f.ack = wire::Seq(any());
  f.flags = std::array{kAck, kRst, kFin, kFin | kAck, kAck | kPsh, 0, kFin | kPsh | kUrg}[random_.below(7)];
  f.text = random_.below(100);
  return f;
}

void Attacker::give_segment(size_t victim, const Forged& f) {
  wire::TcpOptions options;
  options.has_timestamps = f.timestamps;
  options.ts_value = f.ts_value;
  options.ts_echo = f.ts_echo;
  const size_t option_bytes = wire::tcp_options_size(options);
  std::vector<uint8_t> datagram(wire::kIpv4HeaderSize + wire::kTcpHeaderSize + option_bytes + f.text, 0xee);
  const auto tcp_length = static_cast<uint16_t>(datagram.size() - wire::kIpv4HeaderSize);
  wire::write_ipv4(datagram.data(), f.tuple.remote, f.tuple.local, wire::kProtocolTcp,
                   static_cast<uint16_t>(datagram.size()));
  uint8_t* tcp = datagram.data() + wire::kIpv4HeaderSize;
  wire::write_tcp(tcp, f.tuple.remote_port, f.tuple.local_port, f.seq, f.ack, TcpFlags(f.flags),
                  static_cast<uint16_t>(any()), option_bytes);
  if (option_bytes > 0) wire::write_tcp_options(tcp + wire::kTcpHeaderSize, options);
  wire::ChecksumSum sum;
  sum.add_pseudo_header(f.tuple.remote, f.tuple.local, wire::kProtocolTcp, tcp_length);
  sum.add({tcp, tcp_length});
  store_be(tcp + 16, sum.checksum());
  give(victim, datagram);
}

void Attacker::give_icmp_error(size_t victim, const stack::Record& record) {
  const tcp::Tcb& tcb = record.tcb;
  constexpr size_t kQuoted = wire::kIpv4HeaderSize + 8;
  std::array<uint8_t, wire::kIpv4HeaderSize + wire::kIcmpHeaderSize + kQuoted> datagram{};
  wire::write_ipv4(datagram.data(), kAddress[1 - victim], record.tuple.local, wire::kProtocolIcmp, datagram.size());
  const std::span<uint8_t> message = std::span(datagram).subspan(wire::kIpv4HeaderSize);
  message[0] = std::array<uint8_t, 4>{3, 11, 12, 4}[random_.below(4)];
  message[1] = static_cast<uint8_t>(random_.below(16));
  uint8_t* quoted = message.data() + wire::kIcmpHeaderSize;
  wire::write_ipv4(quoted, record.tuple.local, record.tuple.remote, wire::kProtocolTcp, 1'000);
  store_be(quoted + 20, record.tuple.local_port.value());
  store_be(quoted + 22, record.tuple.remote_port.value());
  // What a connection attempt may be refused by is a sequence number in flight: the attacker does not have it.
  const bool guessed = tcb.state != tcp::State::SynSent && random_.chance(0.5);
  const wire::Seq seq = guessed ? tcb.snd.una : tcb.snd.nxt + random_.below(1u << 30);
  store_be(quoted + 24, seq.value());
  wire::ChecksumSum sum;
  sum.add(message);
  store_be(message.data() + 2, sum.checksum());
  give(victim, datagram);
}

void Attacker::give(size_t victim, std::span<const uint8_t> datagram) {
  std::vector<uint8_t> frame(wire::kEthernetHeaderSize + datagram.size());
  const wire::MacAddress from = world_.link[1 - victim]->mac();
  wire::write_ethernet(frame.data(), world_.link[victim]->mac(), from, wire::EtherType::Ipv4);
  std::copy(datagram.begin(), datagram.end(), frame.begin() + wire::kEthernetHeaderSize);
  buf::Mbuf packet = memory().pool[victim].copy(frame);
  if (!packet) return;
  buf::MbufBurst burst;
  burst.push(std::move(packet));
  world_.stack[victim]->receive(burst, world_.now);
}

}  // namespace estab::sim
