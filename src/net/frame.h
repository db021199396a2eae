// From a received frame to the datagram in it: everything that must hold before TCP, ICMP or ARP looks at it.
#pragma once

#include <cstdint>

#include "buf/mbuf.h"
#include "net/drop.h"
#include "net/interface.h"
#include "wire/ipv4.h"

namespace estab::net {

enum class Protocol : uint8_t { None, Arp, Icmp, Tcp };

struct Frame {
  Protocol protocol = Protocol::None;
  Drop drop = Drop::None;         // with Protocol::None
  uint16_t network_offset = 0;    // of the IPv4 or ARP header
  uint16_t transport_offset = 0;  // of the TCP or ICMP header
  uint16_t transport_length = 0;  // as IPv4's total length says; Ethernet padding is not in it
  wire::Ipv4Address source;
  wire::Ipv4Address destination;
};

// `checksum_verified`: the device found the IPv4 header checksum right.
Frame parse_frame(buf::MbufView packet, const Interface& interface, bool checksum_verified);

}  // namespace estab::net
