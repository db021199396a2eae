// ARP for IPv4 over Ethernet (RFC 826).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "wire/ethernet.h"

namespace estab::wire {

inline constexpr size_t kArpSize = 28;

enum class ArpOperation : uint16_t { Request = 1, Reply = 2 };

struct Arp {
  ArpOperation operation = ArpOperation::Request;
  MacAddress sender_mac;
  Ipv4Address sender;
  MacAddress target_mac;
  Ipv4Address target;

  bool operator==(const Arp&) const = default;
};

// Nothing when the packet is short, or not a request or reply for IPv4 over Ethernet.
inline std::optional<Arp> parse_arp(std::span<const uint8_t> packet) {
  if (packet.size() < kArpSize) return std::nullopt;
  const uint8_t* p = packet.data();
  if (load_be<uint16_t>(p) != 1 || load_be<uint16_t>(p + 2) != 0x0800 || p[4] != 6 || p[5] != 4) return std::nullopt;
  const uint16_t operation = load_be<uint16_t>(p + 6);
  if (operation != 1 && operation != 2) return std::nullopt;
  return Arp{.operation = static_cast<ArpOperation>(operation),
             .sender_mac = load_mac(p + 8),
             .sender = Ipv4Address(load_be<uint32_t>(p + 14)),
             .target_mac = load_mac(p + 18),
             .target = Ipv4Address(load_be<uint32_t>(p + 24))};
}

inline void write_arp(uint8_t* p, const Arp& arp) {
  store_be<uint16_t>(p, 1);
  store_be<uint16_t>(p + 2, 0x0800);
  p[4] = 6;
  p[5] = 4;
  store_be(p + 6, static_cast<uint16_t>(arp.operation));
  store_mac(p + 8, arp.sender_mac);
  store_be(p + 14, arp.sender.value());
  store_mac(p + 18, arp.target_mac);
  store_be(p + 24, arp.target.value());
}

}  // namespace estab::wire
