// The burst pipeline: parse all, look all up, then one packet after the other.
#include <rte_prefetch.h>

#include "stack/stack.h"
#include "wire/arp.h"
#include "wire/ethernet.h"

namespace estab::stack {
void Stack::receive(buf::MbufBurst& burst, Instant now) {
  now_ = now;
  if (observer_ != nullptr) [[unlikely]] {
    receive_observed(burst);
  } else {
    receive_stages(burst);
  }
}

void Stack::receive_stages(buf::MbufBurst& burst) {
  auto& parsed = parsed_;
  const uint16_t count = burst.size();
  counters_.rx_packets += count;
  burst.prefetch();
  for (uint16_t i = 0; i < count; ++i) rte_prefetch0(burst.peek(i).first_segment().data());
  uint64_t bytes = 0;
  for (uint16_t i = 0; i < count; ++i) {
    const buf::MbufView packet = burst.peek(i);
    bytes += packet.length();
    if (!parse_common(packet, parsed[i])) [[unlikely]]
      parse_unusual(packet, parsed[i]);
  }
  counters_.rx_bytes += bytes;
  for (uint16_t i = 0; i < count; ++i) {
    parsed[i].hash = hash_of(parsed[i].tuple);  // of what is not TCP too: a branch costs more
    table_.prefetch(parsed[i].hash);
  }
  known_insertions_ = table_.insertions();
  for (uint16_t i = 0; i < count; ++i) prefetch_candidate(parsed[i]);
  for (uint16_t i = 0; i < count; ++i) process(burst[i], parsed[i]);
  settle_dirty();
  burst.clear();
}

// The record that the packet is probably for.
void Stack::prefetch_candidate(Parsed& parsed) {
  const uint32_t index = table_.first_candidate(parsed.hash);
  parsed.candidate = index;
  if (index >= flow::kUndecided) return;
  if ((index & (kTimeWaitBit | kHalfOpenBit)) != 0) {
    rte_prefetch0((index & kTimeWaitBit) != 0 ? static_cast<const void*>(&time_waits_[index & ~kTimeWaitBit])
                                              : &half_opens_[index & ~kHalfOpenBit]);
    return;
  }
  const auto* record = reinterpret_cast<const uint8_t*>(&records_[index]);
  for (size_t line = 0; line < sizeof(Record); line += 64) rte_prefetch0(record + line);
}

// Whether the candidate is the one that a look-up would find now, after the burst's earlier packets.
bool Stack::still_true(const Parsed& parsed) const {
  if (parsed.candidate == flow::kNoFlow) return table_.insertions() == known_insertions_;
  return parsed.candidate != flow::kUndecided && is_flow(parsed.candidate, parsed.tuple);
}

// Takes the packet or leaves it to be freed with the burst.
void Stack::process(buf::Mbuf& packet, const Parsed& parsed) {
  switch (parsed.protocol) {
    case net::Protocol::Tcp: {
      uint32_t index = parsed.candidate;
      if (!still_true(parsed)) index = lookup(parsed.tuple, parsed.hash);
      if (index == flow::kNoFlow) {
        segment_for_nobody(packet, parsed);
      } else if ((index & kTimeWaitBit) != 0) {
        segment_in_time_wait(index & ~kTimeWaitBit, packet, parsed);
      } else if ((index & kHalfOpenBit) != 0) {
        segment_in_half_open(index & ~kHalfOpenBit, packet, parsed);
      } else {
        segment_arrives(records_[index], packet, parsed);
      }
      break;
    }
    case net::Protocol::Arp:
      answer_arp(packet, parsed.frame);
      break;
    case net::Protocol::Icmp:
      icmp_arrives(packet, parsed.frame);
      break;
    case net::Protocol::None:
      break;
  }
}

void Stack::answer_arp(buf::Mbuf& packet, const net::Frame& frame) {
  const std::span<const uint8_t> bytes = packet.first_segment().subspan(frame.network_offset);
  const auto arp = wire::parse_arp(bytes);
  if (!arp || arp->sender_mac.is_group() || arp->sender_mac.is_zero()) {
    ++counters_.net_drops[static_cast<size_t>(net::Drop::ArpMalformed)];
    return;
  }
  const net::Interface& interface = config_.interface;
  const bool for_us = interface.is_ours(arp->target);
  // An address conflict or a probe (RFC 5227: sender 0.0.0.0) teaches nothing.
  if (!interface.is_invalid_source(arp->sender) && interface.on_link(arp->sender)) {
    for (buf::Mbuf& waiting : neighbors_.learn(arp->sender, arp->sender_mac, now_, for_us)) {
      wire::store_mac(waiting.data(), arp->sender_mac);
      transmitter_.send(std::move(waiting));
    }
  }
  if (!for_us || arp->operation != wire::ArpOperation::Request) return;
  buf::Mbuf reply = transmitter_.blank(wire::kEthernetHeaderSize + wire::kArpSize, packet);
  if (!reply) return;
  wire::write_ethernet(reply.data(), arp->sender_mac, interface.mac, wire::EtherType::Arp);
  wire::write_arp(reply.data() + wire::kEthernetHeaderSize, {.operation = wire::ArpOperation::Reply,
                                                             .sender_mac = interface.mac,
                                                             .sender = arp->target,
                                                             .target_mac = arp->sender_mac,
                                                             .target = arp->sender});
  transmitter_.send(std::move(reply));
}

void Stack::ask_arp(wire::Ipv4Address address) {
  buf::Mbuf none;
  buf::Mbuf packet = transmitter_.blank(wire::kEthernetHeaderSize + wire::kArpSize, none);
  if (!packet) return;
  const net::Interface& interface = config_.interface;
  wire::write_ethernet(packet.data(), wire::MacAddress::broadcast(), interface.mac, wire::EtherType::Arp);
  wire::write_arp(packet.data() + wire::kEthernetHeaderSize, {.operation = wire::ArpOperation::Request,
                                                              .sender_mac = interface.mac,
                                                              .sender = interface.address,
                                                              .target = address});
  transmitter_.send(std::move(packet));
}

}  // namespace estab::stack
