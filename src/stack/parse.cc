// From a received packet to a segment and its four-tuple: everything that must hold before a connection sees it.
#include "stack/stack.h"
#include "wire/ethernet.h"

namespace estab::stack {
namespace {

// The TCP checksum over the pseudo-header and the datagram's rest, wherever its segments lie.
bool tcp_checksum_right(buf::MbufView packet, const net::Frame& frame) {
  wire::ChecksumSum sum;
  sum.add_pseudo_header(frame.source, frame.destination, wire::kProtocolTcp, frame.transport_length);
  size_t left = frame.transport_length;
  size_t skip = frame.transport_offset;
  size_t at = 0;
  for (const rte_mbuf* segment = packet.get(); segment != nullptr && left > 0; segment = segment->next) {
    const size_t n = std::min<size_t>(segment->data_len - skip, left);
    const std::span<const uint8_t> bytes{rte_pktmbuf_mtod(segment, const uint8_t*) + skip, n};
    (at & 1) != 0 ? sum.add_odd(bytes) : sum.add(bytes);
    at += n;
    left -= n;
    skip = 0;
  }
  return sum.folded() == 0xffff;
}

}  // namespace

// What nearly every packet is: a whole segment in one piece, for our MAC address and an address of ours, without a VLAN
// tag, IPv4 options or fragments, and right in its checksums. False says nothing of what is wrong: the long way does.
// (Whether the addresses may be is asked of segments that belong to no connection.)
bool Stack::parse_common(buf::MbufView packet, Parsed& parsed) {
  constexpr uint64_t kMacMask = 0xffffffffffff;
  constexpr uint32_t kTypeMask = 0x00ffffff;
  constexpr uint32_t kIpv4WithoutOptions = 0x450008;  // EtherType 0x0800, version 4, header length 5
  constexpr size_t kIpAt = wire::kEthernetHeaderSize;
  constexpr size_t kTcpAt = kIpAt + wire::kIpv4HeaderSize;
  const std::span<const uint8_t> first = packet.first_segment();
  const size_t size = first.size();
  if (size != packet.length() || size < kTcpAt + wire::kTcpHeaderSize) return false;
  const uint8_t* p = first.data();
  const uint32_t total = load_be<uint16_t>(p + kIpAt + 2);
  const uint32_t header = (p[kTcpAt + 12] >> 4) * 4u;
  if ((load_raw<uint64_t>(p) & kMacMask) != own_mac_ ||
      (load_raw<uint32_t>(p + 12) & kTypeMask) != kIpv4WithoutOptions ||
      (load_be<uint16_t>(p + kIpAt + 6) & 0x3fff) != 0 || p[kIpAt + 9] != wire::kProtocolTcp || total > size - kIpAt ||
      header < wire::kTcpHeaderSize || total < wire::kIpv4HeaderSize + header)
    return false;
  const wire::Ipv4Address source(load_be<uint32_t>(p + kIpAt + 12));
  const wire::Ipv4Address destination(load_be<uint32_t>(p + kIpAt + 16));
  const auto length = static_cast<uint32_t>(total - wire::kIpv4HeaderSize);
  if (!packet.verdict_is(RTE_MBUF_F_RX_IP_CKSUM_MASK, RTE_MBUF_F_RX_IP_CKSUM_GOOD) &&
      wire::fold_sum(wire::raw_sum_of<wire::kIpv4HeaderSize>(p + kIpAt)) != 0xffff)
    return false;
  if (!packet.verdict_is(RTE_MBUF_F_RX_L4_CKSUM_MASK, RTE_MBUF_F_RX_L4_CKSUM_GOOD)) {
    const uint64_t pseudo = wire::raw_sum_of<8>(p + kIpAt + 12) + wire::raw_sum_of<wire::kTcpHeaderSize>(p + kTcpAt) +
                            byte_swap(static_cast<uint16_t>(length)) + byte_swap(uint16_t{wire::kProtocolTcp});
    if (wire::fold_sum(pseudo + wire::raw_sum(p + kTcpAt + wire::kTcpHeaderSize, length - wire::kTcpHeaderSize)) !=
        0xffff)
      return false;
  }
  tcp::Segment& segment = parsed.segment;
  segment.options = {};
  if (header > wire::kTcpHeaderSize &&
      !wire::parse_tcp_options({p + kTcpAt + wire::kTcpHeaderSize, header - wire::kTcpHeaderSize}, segment.options))
    return false;
  segment.seq = wire::Seq(load_be<uint32_t>(p + kTcpAt + 4));
  segment.ack = wire::Seq(load_be<uint32_t>(p + kTcpAt + 8));
  segment.flags = wire::TcpFlags(p[kTcpAt + 13]);
  segment.window = load_be<uint16_t>(p + kTcpAt + 14);
  segment.text = length - header;
  parsed.protocol = net::Protocol::Tcp;
  parsed.text_offset = static_cast<uint16_t>(kTcpAt + header);
  parsed.tuple = {destination, source, wire::Port(load_be<uint16_t>(p + kTcpAt + 2)),
                  wire::Port(load_be<uint16_t>(p + kTcpAt))};
  parsed.hash = hash_of(parsed.tuple);
  return true;
}

void Stack::parse(buf::MbufView packet, Parsed& parsed) {
  if (parse_common(packet, parsed)) [[likely]]
    return;
  const bool verified = packet.verdict_is(RTE_MBUF_F_RX_IP_CKSUM_MASK, RTE_MBUF_F_RX_IP_CKSUM_GOOD);
  parsed.frame = net::parse_frame(packet, config_.interface, verified);
  parsed.protocol = parsed.frame.protocol;
  if (parsed.protocol == net::Protocol::Tcp) {
    const net::Drop drop = parse_tcp(packet, parsed);
    if (drop == net::Drop::None) return;
    parsed.protocol = net::Protocol::None;
    parsed.frame.drop = drop;
  }
  if (parsed.protocol == net::Protocol::None) ++counters_.net_drops[static_cast<size_t>(parsed.frame.drop)];
}

net::Drop Stack::parse_tcp(buf::MbufView packet, Parsed& parsed) {
  const net::Frame& frame = parsed.frame;
  const std::span<const uint8_t> first = packet.first_segment();
  const size_t here = first.size() > frame.transport_offset ? first.size() - frame.transport_offset : 0;
  const std::span<const uint8_t> bytes =
      first.subspan(first.size() - here, std::min<size_t>(here, frame.transport_length));
  const wire::TcpHeader header = wire::parse_tcp(bytes);
  if (header.fault != wire::TcpFault::None) return net::Drop::TcpHeader;
  const bool verified = packet.verdict_is(RTE_MBUF_F_RX_L4_CKSUM_MASK, RTE_MBUF_F_RX_L4_CKSUM_GOOD);
  if (!verified && !tcp_checksum_right(packet, frame)) return net::Drop::TcpChecksum;
  parsed.segment.options = {};
  if (header.header_length > wire::kTcpHeaderSize &&
      !wire::parse_tcp_options(bytes.subspan(wire::kTcpHeaderSize, header.header_length - wire::kTcpHeaderSize),
                               parsed.segment.options)) {
    return net::Drop::TcpOptions;
  }
  parsed.segment.seq = header.seq;
  parsed.segment.ack = header.ack;
  parsed.segment.flags = header.flags;
  parsed.segment.window = header.window;
  parsed.segment.text = static_cast<uint32_t>(frame.transport_length - header.header_length);
  parsed.text_offset = static_cast<uint16_t>(frame.transport_offset + header.header_length);
  parsed.tuple = {frame.destination, frame.source, header.destination, header.source};
  parsed.hash = hash_of(parsed.tuple);
  return net::Drop::None;
}

}  // namespace estab::stack
