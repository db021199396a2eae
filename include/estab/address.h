// Addresses as users write them.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "estab/result.h"

namespace estab {

// An IPv4 address, in host byte order.
struct Address {
  uint32_t value = 0;

  static Result<Address> parse(std::string_view text);  // "198.18.0.2"
  std::string to_string() const;
  auto operator<=>(const Address&) const = default;
};

struct SocketAddress {
  Address address;
  uint16_t port = 0;

  static Result<SocketAddress> parse(std::string_view text);  // "198.18.0.2:80"
  std::string to_string() const;
  auto operator<=>(const SocketAddress&) const = default;
};

// An address with the length of its prefix: "198.18.0.2/24".
struct Cidr {
  Address address;
  uint8_t length = 24;

  static Result<Cidr> parse(std::string_view text);
  std::string to_string() const;
  bool operator==(const Cidr&) const = default;
  // How many addresses the prefix has after this one, its broadcast address left out.
  uint32_t following() const;
};

}  // namespace estab
