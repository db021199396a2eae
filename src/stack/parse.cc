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

constexpr uint64_t kMacMask = 0xffffffffffff;

// By the bytes that say so: EtherType, version and header length in one word; no fragment, and the protocol, in
// another. The frame has both headers.
bool is_plain_ipv4_tcp(const uint8_t* frame) {
  constexpr uint32_t kTypeMask = 0x00ffffff;  // not the type of service
  constexpr uint32_t kIpv4WithoutOptions = 0x450008;
  constexpr uint32_t kFragmentMask = 0xff00ff3f;  // not "don't fragment", nor the time to live
  constexpr uint32_t kWholeTcp = uint32_t{wire::kProtocolTcp} << 24;
  return (((load_raw<uint32_t>(frame + 12) & kTypeMask) ^ kIpv4WithoutOptions) |
          ((load_raw<uint32_t>(frame + 20) & kFragmentMask) ^ kWholeTcp)) == 0;
}

}  // namespace

// What nearly every packet is: a whole segment in one piece, for our MAC address, without a VLAN tag, IPv4 options or
// fragments, and right in its checksums. False says nothing of what is wrong: the long way does. (Whether the addresses
// may be is asked of segments that belong to no connection.)
bool Stack::parse_common(buf::MbufView packet, Parsed& parsed) {
  constexpr size_t kIpAt = wire::kEthernetHeaderSize;
  constexpr size_t kTcpAt = kIpAt + wire::kIpv4HeaderSize;
  const std::span<const uint8_t> first = packet.first_segment();
  const auto size = static_cast<int32_t>(first.size());
  if (first.size() != packet.length() || size < static_cast<int32_t>(kTcpAt + wire::kTcpHeaderSize)) return false;
  const uint8_t* p = first.data();
  const int32_t total = load_be<uint16_t>(p + kIpAt + 2);
  const int32_t header = p[kTcpAt + 12] >> 2 & 0x3c;
  const int32_t length = total - static_cast<int32_t>(wire::kIpv4HeaderSize);  // of the TCP segment
  // Negative where one of them is.
  const int32_t fits = (size - static_cast<int32_t>(kIpAt) - total) | (length - header) |
                       (header - static_cast<int32_t>(wire::kTcpHeaderSize));
  if ((load_raw<uint64_t>(p) & kMacMask) != own_mac_ || !is_plain_ipv4_tcp(p) || fits < 0) return false;
  const uint64_t verdicts = packet.get()->ol_flags;
  if ((verdicts & RTE_MBUF_F_RX_IP_CKSUM_MASK) != RTE_MBUF_F_RX_IP_CKSUM_GOOD &&
      !wire::sum_is_right(wire::sum_of<wire::kIpv4HeaderSize>(p + kIpAt)))
    return false;
  if ((verdicts & RTE_MBUF_F_RX_L4_CKSUM_MASK) != RTE_MBUF_F_RX_L4_CKSUM_GOOD) {
    uint64_t sum = wire::sum_of<wire::kTcpHeaderSize>(p + kTcpAt);
    wire::add_with_carry(sum, load_raw<uint64_t>(p + kIpAt + 12));  // both addresses
    // The pseudo-header's protocol and length: IPv4's total length less its header. (One's complement: ~20 is -20.)
    constexpr uint32_t kProtocolLessHeader =
        byte_swap(uint16_t{wire::kProtocolTcp}) + (0xffffu ^ byte_swap(uint16_t{wire::kIpv4HeaderSize}));
    uint64_t more = uint64_t{load_raw<uint16_t>(p + kIpAt + 2)} + kProtocolLessHeader;
    for (int32_t at = wire::kTcpHeaderSize; at < header; at += 4) more += load_raw<uint32_t>(p + kTcpAt + at);
    if (length > header) more += wire::raw_sum(p + kTcpAt + header, static_cast<size_t>(length - header));
    wire::add_with_carry(sum, more);
    if (!wire::sum_is_right(sum)) return false;
  }
  tcp::Segment& segment = parsed.segment;
  segment.options = {};
  if (header > static_cast<int32_t>(wire::kTcpHeaderSize) &&
      !wire::parse_tcp_options({p + kTcpAt + wire::kTcpHeaderSize, static_cast<size_t>(header) - wire::kTcpHeaderSize},
                               segment.options))
    return false;
  segment.seq = wire::Seq(load_be<uint32_t>(p + kTcpAt + 4));
  segment.ack = wire::Seq(load_be<uint32_t>(p + kTcpAt + 8));
  segment.flags = wire::TcpFlags(p[kTcpAt + 13]);
  segment.window = load_be<uint16_t>(p + kTcpAt + 14);
  segment.text = static_cast<uint32_t>(length - header);
  parsed.protocol = net::Protocol::Tcp;
  parsed.text_offset = static_cast<uint16_t>(static_cast<int32_t>(kTcpAt) + header);
  parsed.tuple = {wire::Ipv4Address(load_be<uint32_t>(p + kIpAt + 16)),
                  wire::Ipv4Address(load_be<uint32_t>(p + kIpAt + 12)), wire::Port(load_be<uint16_t>(p + kTcpAt + 2)),
                  wire::Port(load_be<uint16_t>(p + kTcpAt))};
  return true;
}

void Stack::parse_unusual(buf::MbufView packet, Parsed& parsed) {
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
  return net::Drop::None;
}

}  // namespace estab::stack
