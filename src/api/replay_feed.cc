#include "api/replay_feed.h"

#include <algorithm>

#include "wire/ethernet.h"

namespace estab::capture {
namespace {

constexpr Duration kEpoch = Duration::seconds(3600);
constexpr Duration kLongestGap = Duration::seconds(86'400);

uint64_t microseconds(Instant at) {
  return (at.ns() - static_cast<uint64_t>(kEpoch.ns())) / 1'000;
}

}  // namespace

Instant Feed::instant(uint64_t us) {
  constexpr uint64_t kLatest = uint64_t{UINT32_MAX} * 1'000'000;  // the year 2106: no more fits a pcap file
  return Instant::from_ns(std::min(us, kLatest) * 1'000) + kEpoch;
}

// A capture of several queues goes back a little here and there: time then stands. What jumps by more than a day,
// either way, was joined from several captures or is damaged: time goes on from there, after a day or none.
Instant Feed::virtual_time(Instant captured) {
  const Duration gap = captured - ahead_ - now_;
  if (gap > kLongestGap) ahead_ = ahead_ + gap - kLongestGap;
  if (gap < Duration() - kLongestGap) ahead_ = ahead_ + gap;
  return std::max(now_, captured - ahead_);
}

void Feed::packet(buf::Mbuf packet, Instant captured) {
  const Instant at = virtual_time(captured);
  run_timers(at);
  // A wheel without timers passes any gap at once; with this packet's on it, it would go there by the millisecond.
  stack_->advance(at);
  now_ = at;
  const auto addresses = find_addresses(packet.first_segment());
  if (addresses && addresses->source == server_) {
    ++summary_.followed;
    if (const auto tcp = find_tcp(packet.first_segment(), packet.length())) follow_recorded(*tcp);
    return;
  }
  const bool for_us = addresses && addresses->destination == server_;
  ++(for_us && rewrite(packet) ? summary_.rewritten : summary_.as_they_were);
  give(std::move(packet));
  acknowledge_late();
}

void Feed::drain(Instant until) {
  run_timers(until);
}

void Feed::run_timers(Instant until) {
  // Without connections there is nothing to wait for, and a gap of days is passed at once.
  while (stack_->connections() > 0) {
    const Instant deadline = stack_->next_deadline();
    if (deadline > until) return;
    now_ = std::max(now_, deadline);
    stack_->advance(now_);
    stack_->flush();
    acknowledge_late();
  }
}

void Feed::give(buf::Mbuf packet) {
  burst_.push(std::move(packet));
  stack_->receive(burst_, now_);
  stack_->advance(now_);
  stack_->flush();
}

Feed::Live* Feed::find(ClientKey key) {
  const auto found = live_.find(key);
  return found == live_.end() ? nullptr : &found->second;
}

// --- the client's packets

bool Feed::rewrite(buf::Mbuf& packet) {
  const bool finished = finish_offloads(packet);
  const auto tcp = find_tcp(packet.first_segment(), packet.length());
  // What is damaged stays so, for our server to refuse.
  if (!tcp || !tcp->whole || !tcp_checksum_right(packet, *tcp)) return finished;
  const wire::TcpFlags flags = tcp->header.flags;
  if (flags.syn() && !flags.ack()) return rewrite_syn(packet, *tcp) || finished;
  Live* live = find(client_key(tcp->ip.source, tcp->header.source, tcp->header.destination));
  if (live == nullptr) return finished;
  note_client(*live, packet.view(), *tcp);
  if (!flags.ack()) return finished;
  return rewrite_acknowledgment(*live, packet, *tcp) || finished;
}

// A SYN begins a conversation. What it offers and the recorded server declined is taken out, so that ours declines it
// as well.
bool Feed::rewrite_syn(buf::Mbuf& packet, const CapturedTcp& tcp) {
  const ClientKey key = client_key(tcp.ip.source, tcp.header.source, tcp.header.destination);
  const auto surveyed = survey_.conversations.find({key, tcp.header.seq.value()});
  if (surveyed == survey_.conversations.end()) return false;
  const RecordedServer& recorded = surveyed->second;
  if (Live* live = find(key); live == nullptr || live->isn != tcp.header.seq) {
    live_.insert_or_assign(key, Live(recorded)).first->second.isn = tcp.header.seq;
  }
  note_client(*find(key), packet.view(), tcp);
  if (!recorded.stream.begun()) return false;  // never answered: nothing is known
  const wire::TcpOptions& offered = tcp.options;
  bool changed = false;
  const auto decline = [&](bool is_offered, bool agreed, wire::TcpOptionKind kind) {
    if (!is_offered || agreed) return;
    remove_option(packet, tcp, kind);
    changed = true;
  };
  decline(offered.has_timestamps, recorded.timestamps, wire::TcpOptionKind::Timestamps);
  decline(offered.has_window_scale, recorded.window_scale, wire::TcpOptionKind::WindowScale);
  decline(offered.sack_permitted, recorded.sack, wire::TcpOptionKind::SackPermitted);
  if (changed) fill_tcp_checksum(packet, tcp);
  return changed;
}

bool Feed::rewrite_acknowledgment(Live& live, buf::Mbuf& packet, const CapturedTcp& tcp) {
  const auto ack = live.conversation.acknowledge(tcp.header.ack);
  if (!ack) return false;
  set_ack(packet, tcp, *ack);
  if (tcp.options.has_timestamps) set_ts_echo(packet, tcp, live.conversation.echo(tcp.options.ts_echo));
  if (tcp.options.sack_count > 0) {
    std::array<wire::SackBlock, wire::kMaxSackBlocks> blocks;
    const uint8_t count = live.conversation.selectively(tcp.options, blocks);
    set_sack(packet, tcp, std::span(blocks).first(count));
  }
  fill_tcp_checksum(packet, tcp);
  return true;
}

void Feed::note_client(Live& live, buf::MbufView packet, const CapturedTcp& tcp) {
  const uint8_t* frame = packet.first_segment().data();
  const wire::Seq end = tcp.header.seq + tcp.length();
  const bool is_first = live.client_mac.is_zero();
  live.tuple = {tcp.ip.destination, tcp.ip.source, tcp.header.destination, tcp.header.source};
  live.client_mac = wire::ethernet_source(frame);
  live.server_mac = wire::ethernet_destination(frame);
  live.next = is_first ? end : later(live.next, end);
  live.window = tcp.header.window;
  live.has_timestamps = tcp.options.has_timestamps;
  live.ts_value = tcp.options.ts_value;
  live.reset = live.reset || tcp.header.flags.rst();
}

// --- the two servers

void Feed::follow_recorded(const CapturedTcp& tcp) {
  if (tcp.header.flags.rst()) return;
  Live* live = find(client_key(tcp.ip.destination, tcp.header.destination, tcp.header.source));
  if (live != nullptr) live->conversation.recorded_sent(server_segment(tcp));
}

void Feed::sent(buf::MbufView packet) {
  out_.write(microseconds(now_), packet);
  const auto tcp = find_tcp(packet.first_segment(), packet.length());
  if (!tcp || tcp->header.flags.rst()) return;
  const ClientKey key = client_key(tcp->ip.destination, tcp->header.destination, tcp->header.source);
  Live* live = find(key);
  if (live == nullptr) return;
  live->conversation.ours_sent(server_segment(*tcp));
  if (live->is_due || live->reset || tcp->length() == 0) return;
  live->is_due = true;
  due_.push_back(key);
}

// The recorded server may have been ahead of ours: then the client has acknowledged already what ours sends only now,
// and will not say so again.
void Feed::acknowledge_late() {
  while (!due_.empty()) {
    const ClientKey key = due_.front();
    due_.erase(due_.begin());
    Live* live = find(key);
    if (live == nullptr) continue;
    live->is_due = false;
    const auto ack = live->conversation.late_acknowledgment();
    if (!ack) continue;
    buf::Mbuf packet = make_acknowledgment(*live, *ack);
    if (!packet) continue;
    ++summary_.acknowledgments_added;
    give(std::move(packet));
  }
}

buf::Mbuf Feed::make_acknowledgment(const Live& live, wire::Seq ack) {
  wire::TcpOptions options;
  options.has_timestamps = live.has_timestamps;
  options.ts_value = live.ts_value;
  options.ts_echo = live.conversation.last_ts_value();
  const size_t options_size = wire::tcp_options_size(options);
  constexpr size_t kTcpAt = wire::kEthernetHeaderSize + wire::kIpv4HeaderSize;
  const size_t tcp_length = wire::kTcpHeaderSize + options_size;
  buf::Mbuf packet = stack_->pool().allocate();
  if (!packet) return packet;
  packet.rewrite(static_cast<uint16_t>(kTcpAt + tcp_length));
  uint8_t* p = packet.data();
  const wire::Tuple& tuple = live.tuple;
  wire::write_ethernet(p, live.server_mac, live.client_mac, wire::EtherType::Ipv4);
  wire::write_ipv4(p + wire::kEthernetHeaderSize, tuple.remote, tuple.local, wire::kProtocolTcp,
                   static_cast<uint16_t>(wire::kIpv4HeaderSize + tcp_length));
  wire::write_tcp(p + kTcpAt, tuple.remote_port, tuple.local_port, live.next, ack, wire::TcpFlags(wire::TcpFlags::kAck),
                  live.window, options_size);
  if (options_size > 0) wire::write_tcp_options(p + kTcpAt + wire::kTcpHeaderSize, options);
  if (const auto tcp = find_tcp(packet.first_segment(), packet.length())) fill_tcp_checksum(packet, *tcp);
  return packet;
}

}  // namespace estab::capture
