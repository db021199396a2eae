// Ethernet II and 802.1Q (IEEE 802.3, 802.1Q).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/byte_order.h"
#include "wire/address.h"

namespace estab::wire {

inline constexpr size_t kEthernetHeaderSize = 14;
inline constexpr size_t kVlanTagSize = 4;

enum class EtherType : uint16_t { Ipv4 = 0x0800, Arp = 0x0806, Vlan = 0x8100, Ipv6 = 0x86dd };

inline MacAddress load_mac(const uint8_t* from) {
  MacAddress mac;
  std::memcpy(mac.bytes.data(), from, mac.bytes.size());  // (std::copy_n would call memmove)
  return mac;
}
inline void store_mac(uint8_t* to, const MacAddress& mac) {
  std::memcpy(to, mac.bytes.data(), mac.bytes.size());
}

inline MacAddress ethernet_destination(const uint8_t* frame) {
  return load_mac(frame);
}
inline MacAddress ethernet_source(const uint8_t* frame) {
  return load_mac(frame + 6);
}
inline uint16_t ethernet_type(const uint8_t* frame) {
  return load_be<uint16_t>(frame + 12);
}

inline void write_ethernet(uint8_t* frame, const MacAddress& destination, const MacAddress& source, EtherType type) {
  store_mac(frame, destination);
  store_mac(frame + 6, source);
  store_be(frame + 12, static_cast<uint16_t>(type));
}

}  // namespace estab::wire
