#include "net/frame.h"

#include "wire/ethernet.h"

namespace estab::net {
namespace {

Drop ipv4_fault(wire::Ipv4Fault fault) {
  switch (fault) {
    case wire::Ipv4Fault::None:
      return Drop::None;
    case wire::Ipv4Fault::Truncated:
      return Drop::TruncatedFrame;
    case wire::Ipv4Fault::BadVersion:
    case wire::Ipv4Fault::BadHeaderLength:
    case wire::Ipv4Fault::BadTotalLength:
      return Drop::Ipv4Header;
    case wire::Ipv4Fault::BadChecksum:
      return Drop::Ipv4Checksum;
  }
  return Drop::Ipv4Header;
}

void parse_datagram(Frame& frame, std::span<const uint8_t> first, uint32_t length, const Interface& interface,
                    bool verified) {
  const wire::Ipv4 ip = wire::parse_ipv4(first.subspan(frame.network_offset), length - frame.network_offset, !verified);
  frame.drop = ipv4_fault(ip.fault);
  if (frame.drop != Drop::None) return;
  frame.source = ip.source;
  frame.destination = ip.destination;
  frame.transport_offset = static_cast<uint16_t>(frame.network_offset + ip.header_length);
  frame.transport_length = static_cast<uint16_t>(ip.total_length - ip.header_length);
  if (!interface.is_ours(ip.destination)) {
    frame.drop = Drop::OtherDestination;
  } else if (interface.is_invalid_source(ip.source)) {
    frame.drop = Drop::BadSource;
  } else if (ip.fragment) {
    frame.drop = Drop::Fragment;
  } else if (ip.protocol == wire::kProtocolTcp) {
    frame.protocol = Protocol::Tcp;
  } else if (ip.protocol == wire::kProtocolIcmp) {
    frame.protocol = Protocol::Icmp;
  } else {
    frame.drop = Drop::UnknownProtocol;
  }
}

}  // namespace

Frame parse_frame(buf::MbufView packet, const Interface& interface, bool checksum_verified) {
  Frame frame;
  const std::span<const uint8_t> first = packet.first_segment();
  if (first.size() < wire::kEthernetHeaderSize) {
    frame.drop = Drop::TruncatedFrame;
    return frame;
  }
  const uint8_t* p = first.data();
  frame.network_offset = wire::kEthernetHeaderSize;
  uint16_t type = wire::ethernet_type(p);
  if (type == static_cast<uint16_t>(wire::EtherType::Vlan)) {
    if (first.size() < wire::kEthernetHeaderSize + wire::kVlanTagSize) {
      frame.drop = Drop::TruncatedFrame;
      return frame;
    }
    if ((load_be<uint16_t>(p + 14) & 0x0fff) != 0) {
      frame.drop = Drop::OtherVlan;
      return frame;
    }
    type = load_be<uint16_t>(p + 16);
    frame.network_offset += wire::kVlanTagSize;
  }
  const bool ours = wire::ethernet_destination(p) == interface.mac || interface.promiscuous;
  if (type == static_cast<uint16_t>(wire::EtherType::Ipv4)) {
    // TCP is never broadcast or multicast (RFC 9293 MUST-57), and nothing else of IPv4 that we answer needs to be.
    if (!ours) {
      frame.drop = Drop::OtherMac;
      return frame;
    }
    parse_datagram(frame, first, packet.length(), interface, checksum_verified);
  } else if (type == static_cast<uint16_t>(wire::EtherType::Arp)) {
    if (ours || (p[0] & 1) != 0) {
      frame.protocol = Protocol::Arp;
    } else {
      frame.drop = Drop::OtherMac;
    }
  } else {
    frame.drop = Drop::UnknownEtherType;
  }
  return frame;
}

}  // namespace estab::net
