// Raw bytes for every parser of src/wire and for net::parse_frame; what is understood is written and read again.
#include <rte_mbuf.h>

#include <algorithm>
#include <array>
#include <vector>

#include "fuzz/input.h"
#include "net/frame.h"
#include "wire/arp.h"
#include "wire/ethernet.h"
#include "wire/icmp.h"
#include "wire/ipv4.h"
#include "wire/tcp_header.h"
#include "wire/tcp_options.h"

using namespace estab;
using fuzz::must;

namespace {

constexpr net::Interface kInterface = {.mac = {{0x02, 0, 0, 0, 0, 2}}, .address = wire::Ipv4Address(198, 18, 7, 2)};

// A packet without a pool: a header that refers to bytes of somebody else's.
rte_mbuf header_of(std::span<const uint8_t> bytes, size_t length) {
  rte_mbuf mbuf{};
  mbuf.buf_addr = const_cast<uint8_t*>(bytes.data());
  mbuf.data_len = static_cast<uint16_t>(bytes.size());
  mbuf.pkt_len = static_cast<uint32_t>(length);
  mbuf.nb_segs = 1;
  return mbuf;
}

void arp(std::span<const uint8_t> bytes) {
  const auto parsed = wire::parse_arp(bytes);
  if (!parsed) return;
  std::array<uint8_t, wire::kArpSize> out;
  wire::write_arp(out.data(), *parsed);
  must(wire::parse_arp(out) == parsed, "ARP is written as it was read");
}

void ipv4(std::span<const uint8_t> bytes, size_t length) {
  const wire::Ipv4 ip = wire::parse_ipv4(bytes, length);
  if (ip.fault != wire::Ipv4Fault::None) return;
  must(ip.header_length <= bytes.size() && ip.total_length <= length, "a datagram lies within its packet");
  std::array<uint8_t, wire::kIpv4HeaderSize> out{};
  wire::write_ipv4(out.data(), ip.source, ip.destination, ip.protocol, ip.total_length);
  const wire::Ipv4 again = wire::parse_ipv4(out, ip.total_length);
  must(again.fault == wire::Ipv4Fault::None, "our own header is right");
  must(again.source == ip.source && again.destination == ip.destination && again.protocol == ip.protocol &&
           again.total_length == ip.total_length && !again.fragment,
       "IPv4 is written as it was read");
}

void tcp(std::span<const uint8_t> bytes) {
  const wire::TcpHeader header = wire::parse_tcp(bytes);
  if (header.fault != wire::TcpFault::None) return;
  must(header.header_length <= bytes.size(), "a header lies within its segment");
  const size_t options_size = header.header_length - wire::kTcpHeaderSize;
  wire::TcpOptions options;
  (void)wire::parse_tcp_options(bytes.subspan(wire::kTcpHeaderSize, options_size), options);
  std::vector<uint8_t> out(header.header_length);
  wire::write_tcp(out.data(), header.source, header.destination, header.seq, header.ack, header.flags, header.window,
                  options_size);
  const wire::TcpHeader again = wire::parse_tcp(out);
  must(again.fault == wire::TcpFault::None && again.source == header.source &&
           again.destination == header.destination && again.seq == header.seq && again.ack == header.ack &&
           again.flags == header.flags && again.window == header.window && again.header_length == header.header_length,
       "TCP is written as it was read");
}

// The sum of bytes that lie in two pieces, as RFC 1071 defines it and as ours is computed.
void checksum(std::span<const uint8_t> bytes, size_t split) {
  uint32_t plain = 0;
  for (size_t i = 0; i < bytes.size(); ++i) plain += (i & 1) == 0 ? uint32_t{bytes[i]} << 8 : bytes[i];
  while (plain >> 16 != 0) plain = (plain & 0xffff) + (plain >> 16);
  wire::ChecksumSum sum;
  sum.add(bytes.first(split));
  (split & 1) != 0 ? sum.add_odd(bytes.subspan(split)) : sum.add(bytes.subspan(split));
  must(sum.folded() == plain, "the checksum is RFC 1071's");
}

void frame(std::span<const uint8_t> bytes, size_t length, bool promiscuous, bool verified) {
  net::Interface interface = kInterface;
  interface.promiscuous = promiscuous;
  const rte_mbuf mbuf = header_of(bytes, length);
  const net::Frame frame = net::parse_frame(buf::MbufView(&mbuf), interface, verified);
  if (frame.protocol == net::Protocol::None) {
    must(frame.drop != net::Drop::None, "a dropped frame has its reason");
    return;
  }
  must(frame.network_offset <= bytes.size(), "the network header is in the first segment");
  if (frame.protocol == net::Protocol::Arp) return;
  must(frame.transport_offset <= bytes.size(), "IPv4's header is in the first segment");
  must(size_t{frame.transport_offset} + frame.transport_length <= length, "a datagram lies within its frame");
  must(interface.is_ours(frame.destination) && !interface.is_invalid_source(frame.source), "a datagram is for us");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > 4096) return 0;
  fuzz::Input input(data, size);
  const uint8_t how = input.u8();
  const uint8_t where = input.u8();
  const std::span<const uint8_t> all = input.take_all();
  // The first segment of a chain, in memory of just its size.
  const size_t split = (how & 1) != 0 ? std::min<size_t>(where, all.size()) : all.size();
  const std::vector<uint8_t> first(all.begin(), all.begin() + static_cast<ptrdiff_t>(split));
  frame(first, all.size(), (how & 2) != 0, (how & 4) != 0);
  arp(all);
  ipv4(first, all.size());
  tcp(all);
  (void)wire::parse_icmp_error(all);
  checksum(all, std::min<size_t>(where, all.size()));
  if (all.size() > wire::kEthernetHeaderSize) {  // where a frame has them
    const auto inner = all.subspan(wire::kEthernetHeaderSize);
    arp(inner);
    ipv4(inner, inner.size());
    if (inner.size() > wire::kIpv4HeaderSize) tcp(inner.subspan(wire::kIpv4HeaderSize));
  }
  return 0;
}
