#include "api/replay_packet.h"

#include <algorithm>

#include "wire/arp.h"
#include "wire/ethernet.h"

namespace estab::capture {
namespace {

// The EtherType, behind a VLAN tag if there is one, and where the header that it names begins.
struct Network {
  wire::EtherType type;
  size_t offset;
};

std::optional<Network> find_network(std::span<const uint8_t> frame) {
  if (frame.size() < wire::kEthernetHeaderSize) return std::nullopt;
  size_t offset = wire::kEthernetHeaderSize;
  auto type = wire::EtherType{wire::ethernet_type(frame.data())};
  if (type == wire::EtherType::Vlan) {
    offset += wire::kVlanTagSize;
    if (frame.size() < offset) return std::nullopt;
    type = wire::EtherType{load_be<uint16_t>(frame.data() + offset - 2)};
  }
  return Network{type, offset};
}

wire::ChecksumSum sum_tcp(buf::MbufView packet, const CapturedTcp& tcp) {
  wire::ChecksumSum sum;
  sum.add_pseudo_header(tcp.ip.source, tcp.ip.destination, wire::kProtocolTcp, tcp.tcp_length);
  size_t skip = tcp.tcp_offset;
  size_t at = 0;
  for (const rte_mbuf* segment = packet.get(); segment != nullptr && at < tcp.tcp_length; segment = segment->next) {
    const size_t n = std::min<size_t>(segment->data_len - skip, tcp.tcp_length - at);
    const std::span<const uint8_t> bytes{rte_pktmbuf_mtod(segment, const uint8_t*) + skip, n};
    (at & 1) != 0 ? sum.add_odd(bytes) : sum.add(bytes);
    at += n;
    skip = 0;
  }
  return sum;
}

void fill_ipv4_checksum(uint8_t* ip, size_t header_length) {
  store_be<uint16_t>(ip + 10, 0);
  wire::ChecksumSum sum;
  sum.add({ip, header_length});
  store_be(ip + 10, sum.checksum());
}

// What senders leave in the checksum's place for their NIC to complete: the pseudo-header's sum (Linux, BSD), that
// without the length (for large segments on some), or nothing.
bool is_unfinished(const CapturedTcp& tcp, uint16_t checksum) {
  wire::ChecksumSum with_length;
  with_length.add_pseudo_header(tcp.ip.source, tcp.ip.destination, wire::kProtocolTcp, tcp.tcp_length);
  wire::ChecksumSum without_length;
  without_length.add_pseudo_header(tcp.ip.source, tcp.ip.destination, wire::kProtocolTcp, 0);
  return checksum == with_length.folded() || checksum == without_length.folded() || checksum == 0;
}

// Calls visit(option) for the first option of `kind`, from its kind byte to its end. The list was parsed before.
template <typename Visit>
void find_option(buf::Mbuf& packet, const CapturedTcp& tcp, wire::TcpOptionKind kind, Visit&& visit) {
  uint8_t* p = packet.data() + tcp.tcp_offset + wire::kTcpHeaderSize;
  uint8_t* const end = packet.data() + tcp.tcp_offset + tcp.header.header_length;
  while (p < end && *p != static_cast<uint8_t>(wire::TcpOptionKind::End)) {
    if (*p == static_cast<uint8_t>(wire::TcpOptionKind::Nop)) {
      ++p;
      continue;
    }
    if (end - p < 2 || p[1] < 2 || p[1] > end - p) return;
    if (*p == static_cast<uint8_t>(kind)) {
      visit(std::span<uint8_t>(p, p[1]));
      return;
    }
    p += p[1];
  }
}

void fill_with_nops(std::span<uint8_t> bytes) {
  std::fill(bytes.begin(), bytes.end(), static_cast<uint8_t>(wire::TcpOptionKind::Nop));
}

}  // namespace

std::optional<Addresses> find_addresses(std::span<const uint8_t> frame) {
  const auto network = find_network(frame);
  if (!network) return std::nullopt;
  const std::span<const uint8_t> bytes = frame.subspan(network->offset);
  if (network->type == wire::EtherType::Arp) {
    const auto arp = wire::parse_arp(bytes);
    if (!arp) return std::nullopt;
    return Addresses{arp->sender, arp->target};
  }
  if (network->type != wire::EtherType::Ipv4 || bytes.size() < wire::kIpv4HeaderSize) return std::nullopt;
  const wire::Ipv4 ip = wire::parse_ipv4(bytes, bytes.size(), false);
  return Addresses{ip.source, ip.destination};
}

std::optional<CapturedTcp> find_tcp(std::span<const uint8_t> frame, size_t length) {
  const auto network = find_network(frame);
  if (!network || network->type != wire::EtherType::Ipv4) return std::nullopt;
  CapturedTcp tcp;
  tcp.ip_offset = static_cast<uint16_t>(network->offset);
  tcp.ip = wire::parse_ipv4(frame.subspan(network->offset), length - network->offset, false);
  // The text of a packet that was cut short counts all the same.
  tcp.whole = tcp.ip.fault == wire::Ipv4Fault::None;
  const bool readable =
      tcp.whole || (tcp.ip.fault == wire::Ipv4Fault::BadTotalLength && tcp.ip.total_length > tcp.ip.header_length);
  if (!readable || tcp.ip.fragment || tcp.ip.protocol != wire::kProtocolTcp) return std::nullopt;
  tcp.tcp_offset = static_cast<uint16_t>(tcp.ip_offset + tcp.ip.header_length);
  tcp.tcp_length = static_cast<uint16_t>(tcp.ip.total_length - tcp.ip.header_length);
  if (tcp.tcp_offset >= frame.size()) return std::nullopt;
  const std::span<const uint8_t> all = frame.subspan(tcp.tcp_offset);
  const std::span<const uint8_t> segment = all.first(std::min<size_t>(all.size(), tcp.tcp_length));
  tcp.header = wire::parse_tcp(segment);
  if (tcp.header.fault != wire::TcpFault::None || tcp.header.header_length > tcp.tcp_length) return std::nullopt;
  if (!wire::parse_tcp_options(segment.subspan(wire::kTcpHeaderSize, tcp.header.header_length - wire::kTcpHeaderSize),
                               tcp.options)) {
    return std::nullopt;
  }
  tcp.text = static_cast<uint32_t>(tcp.tcp_length - tcp.header.header_length);
  return tcp;
}

bool finish_offloads(buf::Mbuf& packet) {
  const auto network = find_network(packet.first_segment());
  if (!network || network->type != wire::EtherType::Ipv4) return false;
  if (packet.first_length() < network->offset + wire::kIpv4HeaderSize) return false;
  uint8_t* ip = packet.data() + network->offset;
  const size_t datagram = packet.length() - network->offset;
  const size_t header_length = static_cast<size_t>(ip[0] & 0xf) * 4;
  if (header_length < wire::kIpv4HeaderSize || network->offset + header_length > packet.first_length()) return false;
  bool changed = false;
  if (load_be<uint16_t>(ip + 2) == 0 && ip[9] == wire::kProtocolTcp && datagram <= UINT16_MAX) {
    store_be(ip + 2, static_cast<uint16_t>(datagram));
    fill_ipv4_checksum(ip, header_length);
    changed = true;
  } else if (load_be<uint16_t>(ip + 10) == 0) {
    fill_ipv4_checksum(ip, header_length);
    changed = true;
  }
  const auto tcp = find_tcp(packet.first_segment(), packet.length());
  if (!tcp || !tcp->whole || tcp_checksum_right(packet, *tcp)) return changed;
  if (!is_unfinished(*tcp, load_be<uint16_t>(packet.data() + tcp->tcp_offset + 16))) return changed;
  fill_tcp_checksum(packet, *tcp);
  return true;
}

bool tcp_checksum_right(const buf::Mbuf& packet, const CapturedTcp& tcp) {
  return sum_tcp(packet.view(), tcp).folded() == 0xffff;
}

void set_ack(buf::Mbuf& packet, const CapturedTcp& tcp, wire::Seq ack) {
  store_be(packet.data() + tcp.tcp_offset + 8, ack.value());
}

void set_ts_echo(buf::Mbuf& packet, const CapturedTcp& tcp, uint32_t ts_echo) {
  find_option(packet, tcp, wire::TcpOptionKind::Timestamps,
              [ts_echo](std::span<uint8_t> option) { store_be(option.data() + 6, ts_echo); });
}

void set_sack(buf::Mbuf& packet, const CapturedTcp& tcp, std::span<const wire::SackBlock> blocks) {
  find_option(packet, tcp, wire::TcpOptionKind::Sack, [blocks](std::span<uint8_t> option) {
    const size_t size = blocks.empty() ? 0 : 2 + 8 * blocks.size();
    fill_with_nops(option.subspan(size));
    if (blocks.empty()) return;
    option[1] = static_cast<uint8_t>(size);
    for (size_t i = 0; i < blocks.size(); ++i) {
      store_be(option.data() + 2 + 8 * i, blocks[i].begin.value());
      store_be(option.data() + 6 + 8 * i, blocks[i].end.value());
    }
  });
}

void remove_option(buf::Mbuf& packet, const CapturedTcp& tcp, wire::TcpOptionKind kind) {
  find_option(packet, tcp, kind, fill_with_nops);
}

void fill_tcp_checksum(buf::Mbuf& packet, const CapturedTcp& tcp) {
  uint8_t* field = packet.data() + tcp.tcp_offset + 16;
  store_be<uint16_t>(field, 0);
  store_be(field, sum_tcp(packet.view(), tcp).checksum());
}

}  // namespace estab::capture
