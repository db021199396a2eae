// ICMP: echo is answered, errors about our segments are handed to their connections.
#include "tcp/icmp.h"

#include "stack/stack.h"
#include "wire/ethernet.h"
#include "wire/icmp.h"

namespace estab::stack {
namespace {

// RFC 1122 §4.2.3.9. Source quench and "fragmentation needed" change nothing: the one is deprecated (RFC 6633), for the
// other there is no path MTU discovery yet.
std::optional<tcp::IcmpError> error_of(const wire::IcmpAboutTcp& about) {
  switch (about.type) {
    case wire::IcmpType::DestinationUnreachable:
      if (about.code == 4) return std::nullopt;
      return about.code == 2 || about.code == 3 ? tcp::IcmpError::Hard : tcp::IcmpError::Soft;
    case wire::IcmpType::TimeExceeded:
    case wire::IcmpType::ParameterProblem:
      return tcp::IcmpError::Soft;
    case wire::IcmpType::EchoReply:
    case wire::IcmpType::SourceQuench:
    case wire::IcmpType::Redirect:
    case wire::IcmpType::EchoRequest:
      break;
  }
  return std::nullopt;
}

}  // namespace

void Stack::icmp_arrives(buf::Mbuf& packet, const net::Frame& frame) {
  const auto drop = [&](net::Drop why) { ++counters_.net_drops[static_cast<size_t>(why)]; };
  const std::span<const uint8_t> first = packet.first_segment();
  const size_t end = static_cast<size_t>(frame.transport_offset) + frame.transport_length;
  if (frame.transport_length < wire::kIcmpHeaderSize || end > first.size()) return drop(net::Drop::IcmpMalformed);
  const std::span<const uint8_t> message = first.subspan(frame.transport_offset, frame.transport_length);
  wire::ChecksumSum sum;
  sum.add(message);
  if (sum.folded() != 0xffff) return drop(net::Drop::IcmpMalformed);
  if (message[0] == static_cast<uint8_t>(wire::IcmpType::EchoRequest) && message[1] == 0) {
    if (!packet.writable()) return drop(net::Drop::IcmpIgnored);
    answer_echo(std::move(packet), frame);
  } else if (!icmp_error_arrives(message)) {
    drop(net::Drop::IcmpIgnored);
  }
}

// True when it is about a connection that may care. A handshake that a peer began, or TIME-WAIT, does not.
bool Stack::icmp_error_arrives(std::span<const uint8_t> message) {
  const auto about = wire::parse_icmp_error(message);
  const auto error = about ? error_of(*about) : std::nullopt;
  if (!error) return false;
  const uint32_t index = lookup(about->tuple, hash_of(about->tuple));
  if (index == flow::kNoFlow || (index & (kTimeWaitBit | kHalfOpenBit)) != 0) return false;
  Record& record = records_[index];
  const tcp::State before = record.tcb.state;
  const tcp::Actions actions = tcp::icmp_arrives(record.tcb, about->seq, *error);
  count_state(before, record.tcb.state);
  ++counters_.tcp_drops[static_cast<size_t>(actions.drop)];
  if (actions.drop == tcp::Drop::None) ++counters_.icmp_errors;
  if (actions.closed) {
    record.news |= kNewsClose;
    record.error = actions.error;
    mark_dirty(record);
  }
  return true;
}

// In place (RFC 792, RFC 1122 §3.2.2.6).
void Stack::answer_echo(buf::Mbuf packet, const net::Frame& frame) {
  uint8_t* icmp = packet.data() + frame.transport_offset;
  const wire::MacAddress peer = wire::ethernet_source(packet.data());
  icmp[0] = static_cast<uint8_t>(wire::IcmpType::EchoReply);
  store_be<uint16_t>(icmp + 2, 0);
  wire::ChecksumSum fresh;
  fresh.add({icmp, frame.transport_length});
  store_be(icmp + 2, fresh.checksum());
  // The answer has plain headers: IPv4 options and a VLAN tag of the request are left out.
  packet.keep(static_cast<uint32_t>(frame.transport_offset - wire::kIpv4HeaderSize - wire::kEthernetHeaderSize),
              static_cast<uint32_t>(wire::kEthernetHeaderSize + wire::kIpv4HeaderSize + frame.transport_length));
  packet.get()->ol_flags = 0;
  wire::write_ethernet(packet.data(), peer, config_.interface.mac, wire::EtherType::Ipv4);
  wire::write_ipv4(packet.data() + wire::kEthernetHeaderSize, frame.destination, frame.source, wire::kProtocolIcmp,
                   static_cast<uint16_t>(wire::kIpv4HeaderSize + frame.transport_length));
  transmitter_.send(std::move(packet));
}

}  // namespace estab::stack
