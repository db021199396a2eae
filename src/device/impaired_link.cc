#include "device/impaired_link.h"

#include <algorithm>
#include <cstring>

#include "wire/ethernet.h"

namespace estab::device {
namespace {

// Ethernet, IPv4 with options and TCP with options: a NIC that splits frames leaves these in one piece.
constexpr size_t kHeaders = 14 + 60 + 60;

std::vector<uint8_t> bytes_of(const rte_mbuf* frame) {
  std::vector<uint8_t> bytes;
  bytes.reserve(frame->pkt_len);
  for (const rte_mbuf* segment = frame; segment != nullptr; segment = segment->next) {
    const auto* begin = rte_pktmbuf_mtod(segment, const uint8_t*);
    bytes.insert(bytes.end(), begin, begin + segment->data_len);
  }
  return bytes;
}

bool is_ipv4(std::span<const uint8_t> frame) {
  return frame.size() >= wire::kEthernetHeaderSize &&
         wire::ethernet_type(frame.data()) == static_cast<uint16_t>(wire::EtherType::Ipv4);
}

}  // namespace

ImpairedLink::Wire::Wire(const ImpairedLinkOptions& options, const Instant& clock)
    : now(clock),
      mtu(options.mtu),
      impairment{Impairment(options.from[0], options.seed * 2), Impairment(options.from[1], options.seed * 2 + 1)} {}

ImpairedLink::ImpairedLink(std::shared_ptr<Wire> wire, size_t end, buf::MbufPool& pool,
                           const ImpairedLinkOptions& options)
    : wire_(std::move(wire)), end_(end), pool_(pool), receive_segment_(options.receive_segment) {
  capabilities_.multi_segment = options.multi_segment;
}

ImpairedLink::Pair ImpairedLink::create_pair(const ImpairedLinkOptions& options, const Instant& now,
                                             buf::MbufPool& first, buf::MbufPool& second) {
  auto wire = std::make_shared<Wire>(options, now);
  return {std::unique_ptr<ImpairedLink>(new ImpairedLink(wire, 0, first, options)),
          std::unique_ptr<ImpairedLink>(new ImpairedLink(wire, 1, second, options))};
}

Instant ImpairedLink::next_arrival() const {
  const auto& coming = wire_->to[end_];
  return coming.empty() ? Instant::never() : coming.begin()->first;
}

void ImpairedLink::receive(buf::MbufBurst& burst) {
  auto& coming = wire_->to[end_];
  while (!burst.full() && next_arrival() <= wire_->now) {
    const Bytes frame = std::move(coming.begin()->second);
    coming.erase(coming.begin());
    if (wire_->dead[end_]) {
      ++counters_.dead;
      continue;
    }
    if (tap_) tap_(true, frame);
    if (buf::Mbuf packet = deliver(frame)) {
      burst.push(std::move(packet));
    } else {
      ++counters_.no_mbuf;
    }
  }
}

buf::Mbuf ImpairedLink::deliver(std::span<const uint8_t> frame) {
  if (receive_segment_ == 0 || frame.size() <= kHeaders) return pool_.copy(frame);
  buf::Mbuf packet = pool_.copy(frame.first(kHeaders));
  rte_mbuf* last = packet.get();
  for (size_t at = kHeaders; packet && at < frame.size(); at += receive_segment_) {
    const std::span<const uint8_t> part = frame.subspan(at, std::min<size_t>(receive_segment_, frame.size() - at));
    rte_mbuf* segment = pool_.copy(part).release();
    if (segment == nullptr) return {};
    last->next = segment;
    last = rte_pktmbuf_lastseg(segment);
    packet.get()->pkt_len += static_cast<uint32_t>(part.size());
    packet.get()->nb_segs = static_cast<uint16_t>(packet.get()->nb_segs + segment->nb_segs);
  }
  return packet;
}

uint16_t ImpairedLink::transmit(rte_mbuf** mbufs, uint16_t count) {
  const uint16_t n = std::min(count, room_);
  for (uint16_t i = 0; i < n; ++i) carry(mbufs[i]);
  rte_pktmbuf_free_bulk(mbufs, n);
  return n;
}

void ImpairedLink::carry(const rte_mbuf* frame) {
  if (frame->pkt_len > wire_->mtu + wire::kEthernetHeaderSize || (frame->nb_segs > 1 && !capabilities_.multi_segment)) {
    ++counters_.oversized;
    return;
  }
  Bytes bytes = bytes_of(frame);
  if (tap_) tap_(false, bytes);
  if (wire_->dead[end_]) {
    ++counters_.dead;
    return;
  }
  const Fate fate = impairment().decide(static_cast<uint32_t>(bytes.size()), wire_->now);
  for (uint8_t i = 0; i < fate.copies; ++i) {
    const Damage& damage = fate.copy[i].damage;
    // Only routers, which write the frame check sequence anew, deliver damaged frames. They carry IPv4, not ARP.
    if (damage && !is_ipv4(bytes)) continue;
    Bytes copy(bytes.begin(), bytes.begin() + std::min<ptrdiff_t>(damage.keep, static_cast<ptrdiff_t>(bytes.size())));
    damage.apply(copy);
    wire_->to[1 - end_].emplace(fate.copy[i].at, std::move(copy));
  }
}

}  // namespace estab::device
