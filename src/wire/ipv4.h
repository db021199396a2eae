// IPv4 headers (RFC 791): checked views of what arrives, and the header that estab sends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "wire/checksum.h"

namespace estab::wire {

inline constexpr size_t kIpv4HeaderSize = 20;
inline constexpr uint8_t kProtocolIcmp = 1;
inline constexpr uint8_t kProtocolTcp = 6;

enum class Ipv4Fault : uint8_t { None, Truncated, BadVersion, BadHeaderLength, BadTotalLength, BadChecksum };

// What a received header says. Lengths in bytes.
struct Ipv4 {
  Ipv4Address source;
  Ipv4Address destination;
  uint16_t header_length = 0;
  uint16_t total_length = 0;
  uint16_t id = 0;
  uint8_t protocol = 0;
  uint8_t ttl = 0;
  uint8_t tos = 0;
  bool fragment = false;  // more fragments follow, or this is not the first
  Ipv4Fault fault = Ipv4Fault::None;
};

// `packet` starts at the header and may be longer than the datagram (Ethernet padding). `frame_length` is the whole
// packet's length where only its first part is contiguous. With `verify_checksum` false the device has verified it.
inline Ipv4 parse_ipv4(std::span<const uint8_t> packet, size_t frame_length, bool verify_checksum = true) {
  Ipv4 ip;
  if (packet.size() < kIpv4HeaderSize) {
    ip.fault = Ipv4Fault::Truncated;
    return ip;
  }
  const uint8_t* p = packet.data();
  ip.header_length = static_cast<uint16_t>((p[0] & 0xf) * 4);
  ip.tos = p[1];
  ip.total_length = load_be<uint16_t>(p + 2);
  ip.id = load_be<uint16_t>(p + 4);
  ip.fragment = (load_be<uint16_t>(p + 6) & 0x3fff) != 0;
  ip.ttl = p[8];
  ip.protocol = p[9];
  ip.source = Ipv4Address(load_be<uint32_t>(p + 12));
  ip.destination = Ipv4Address(load_be<uint32_t>(p + 16));
  if (p[0] >> 4 != 4) {
    ip.fault = Ipv4Fault::BadVersion;
  } else if (ip.header_length < kIpv4HeaderSize || ip.header_length > packet.size()) {
    ip.fault = Ipv4Fault::BadHeaderLength;
  } else if (ip.total_length < ip.header_length || ip.total_length > frame_length) {
    ip.fault = Ipv4Fault::BadTotalLength;
  } else if (verify_checksum) {
    ChecksumSum sum;
    sum.add(packet.first(ip.header_length));
    if (sum.folded() != 0xffff) ip.fault = Ipv4Fault::BadChecksum;
  }
  return ip;
}

// Writes a 20-byte header with its checksum (left zero when the device computes it). DF is set and the ID is 0: an
// atomic datagram (RFC 6864 §4.1).
inline void write_ipv4(uint8_t* p, Ipv4Address source, Ipv4Address destination, uint8_t protocol, uint16_t total_length,
                       bool fill_checksum = true) {
  constexpr uint32_t kVersionAndLength = 0x4500;
  constexpr uint32_t kDontFragment = 0x4000;
  constexpr uint32_t kTtl = 64;
  const uint32_t ttl_and_protocol = kTtl << 8 | protocol;
  uint32_t checksum = 0;
  if (fill_checksum) {
    const uint64_t sum = uint64_t{kVersionAndLength} + kDontFragment + ttl_and_protocol + total_length +
                         source.value() + destination.value();
    checksum = static_cast<uint16_t>(~fold_sum(sum));
  }
  store_be<uint32_t>(p, kVersionAndLength << 16 | total_length);
  store_be<uint32_t>(p + 4, kDontFragment);
  store_be<uint32_t>(p + 8, ttl_and_protocol << 16 | checksum);
  store_be(p + 12, source.value());
  store_be(p + 16, destination.value());
}

}  // namespace estab::wire
