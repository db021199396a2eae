// Why a frame was dropped before it reached TCP. Each has a counter.
#pragma once

#include <cstddef>
#include <cstdint>

namespace estab::net {

enum class Drop : uint8_t {
  None,
  TruncatedFrame,    // shorter than its headers
  OtherMac,          // for another station
  OtherVlan,         // tagged for a VLAN (a priority tag, VLAN 0, is accepted)
  UnknownEtherType,  // neither IPv4 nor ARP
  Ipv4Header,        // version, header length or total length impossible
  Ipv4Checksum,      // header checksum wrong
  Fragment,          // IPv4 fragments are not reassembled
  BadSource,         // broadcast, multicast, loopback, unspecified or our own address as source (RFC 1122 §3.2.1.3)
  OtherDestination,  // not an address of ours
  UnknownProtocol,   // neither TCP nor ICMP
  TcpHeader,         // truncated, or an impossible data offset
  TcpChecksum,       // wrong
  TcpOptions,        // malformed option list (RFC 9293 MUST-7)
  ArpMalformed,      // not ARP for IPv4 over Ethernet
  IcmpMalformed,     // truncated, or its checksum wrong
  IcmpIgnored,       // an ICMP message that asks nothing of us
  Count,
};
inline constexpr size_t kDrops = static_cast<size_t>(Drop::Count);

}  // namespace estab::net
