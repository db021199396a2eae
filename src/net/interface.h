// The addresses of one port, and where packets for others go.
#pragma once

#include <cstdint>
#include <optional>

#include "wire/address.h"

namespace estab::net {

struct Interface {
  wire::MacAddress mac;
  bool promiscuous = false;   // take frames for any MAC address (replay of captures)
  wire::Ipv4Address address;  // the first of `addresses` consecutive ones
  uint32_t addresses = 1;
  uint8_t prefix_length = 24;
  std::optional<wire::Ipv4Address> gateway;

  bool is_ours(wire::Ipv4Address a) const { return a.value() - address.value() < addresses; }
  uint32_t mask() const { return prefix_length == 0 ? 0 : UINT32_MAX << (32 - prefix_length); }
  bool on_link(wire::Ipv4Address a) const { return ((a.value() ^ address.value()) & mask()) == 0; }
  bool is_subnet_broadcast(wire::Ipv4Address a) const {
    return (a.value() | mask()) == UINT32_MAX && prefix_length < 31 && on_link(a);
  }
  // Whom to hand a packet for `a`; nothing when it is neither on the link nor behind a gateway.
  std::optional<wire::Ipv4Address> next_hop(wire::Ipv4Address a) const {
    if (on_link(a)) return a;
    return gateway;
  }
  // A source that no honest packet has (RFC 1122 §3.2.1.3, RFC 9293 MUST-63).
  bool is_invalid_source(wire::Ipv4Address a) const {
    const uint32_t top = a.value() >> 24;
    return top >= 0xe0 || top == 127 || a.is_unspecified() || is_ours(a) || is_subnet_broadcast(a);
  }
};

}  // namespace estab::net
