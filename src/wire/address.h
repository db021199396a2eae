// Addresses and ports as values. Host byte order inside; the wire's order only where bytes are read and written.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace estab::wire {

struct MacAddress {
  std::array<uint8_t, 6> bytes{};

  // As one number: six bytes compared with two instructions.
  constexpr uint64_t value() const {
    uint64_t v = 0;
    for (const uint8_t byte : bytes) v = v << 8 | byte;
    return v;
  }
  constexpr bool operator==(const MacAddress& other) const { return value() == other.value(); }
  constexpr bool is_group() const { return (bytes[0] & 1) != 0; }
  constexpr bool is_zero() const { return *this == MacAddress{}; }
  static constexpr MacAddress broadcast() { return {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}; }
};

class Ipv4Address {
 public:
  constexpr Ipv4Address() = default;
  explicit constexpr Ipv4Address(uint32_t value) : value_(value) {}
  constexpr Ipv4Address(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
      : value_(static_cast<uint32_t>(a) << 24 | static_cast<uint32_t>(b) << 16 | static_cast<uint32_t>(c) << 8 | d) {}

  constexpr uint32_t value() const { return value_; }
  constexpr auto operator<=>(const Ipv4Address&) const = default;

  constexpr bool is_unspecified() const { return value_ == 0; }
  constexpr bool is_loopback() const { return value_ >> 24 == 127; }
  constexpr bool is_multicast() const { return value_ >> 28 == 0xe; }
  constexpr bool is_limited_broadcast() const { return value_ == UINT32_MAX; }

 private:
  uint32_t value_ = 0;
};

class Port {
 public:
  constexpr Port() = default;
  explicit constexpr Port(uint16_t value) : value_(value) {}
  constexpr uint16_t value() const { return value_; }
  constexpr auto operator<=>(const Port&) const = default;

 private:
  uint16_t value_ = 0;
};

// The two sockets of a connection as its owner sees them (RFC 9293 §3.3.1).
struct Tuple {
  Ipv4Address local;
  Ipv4Address remote;
  Port local_port;
  Port remote_port;

  // As two numbers, for hashing.
  constexpr uint64_t addresses() const { return static_cast<uint64_t>(local.value()) << 32 | remote.value(); }
  constexpr uint32_t ports() const { return static_cast<uint32_t>(local_port.value()) << 16 | remote_port.value(); }

  // Bytes in two looks, not members in four.
  bool operator==(const Tuple& other) const { return std::memcmp(this, &other, sizeof(Tuple)) == 0; }
};
static_assert(std::has_unique_object_representations_v<Tuple>);

}  // namespace estab::wire
