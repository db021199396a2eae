#include "estab/address.h"

#include <arpa/inet.h>

#include <charconv>

namespace estab {
namespace {

template <typename T>
bool parse_number(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace

Result<Address> Address::parse(std::string_view text) {
  in_addr raw;
  if (inet_pton(AF_INET, std::string(text).c_str(), &raw) != 1) {
    return Failure{"'" + std::string(text) + "' is not an IPv4 address: write it as 198.18.0.2"};
  }
  return Address{ntohl(raw.s_addr)};
}

std::string Address::to_string() const {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8)
    text += (text.empty() ? "" : ".") + std::to_string(value >> shift & 0xff);
  return text;
}

Result<SocketAddress> SocketAddress::parse(std::string_view text) {
  const size_t colon = text.rfind(':');
  SocketAddress socket;
  if (colon == std::string_view::npos || !parse_number(text.substr(colon + 1), socket.port) || socket.port == 0) {
    return Failure{"'" + std::string(text) + "' is not an address and a port: write it as 198.18.0.2:80"};
  }
  auto address = Address::parse(text.substr(0, colon));
  if (!address) return address.failure();
  socket.address = *address;
  return socket;
}

std::string SocketAddress::to_string() const {
  return address.to_string() + ":" + std::to_string(port);
}

Result<Cidr> Cidr::parse(std::string_view text) {
  const size_t slash = text.find('/');
  Cidr cidr;
  if (slash == std::string_view::npos || !parse_number(text.substr(slash + 1), cidr.length) || cidr.length > 32) {
    return Failure{"'" + std::string(text) + "' is not an address with a prefix length: write it as 198.18.0.2/24"};
  }
  auto address = Address::parse(text.substr(0, slash));
  if (!address) return address.failure();
  cidr.address = *address;
  return cidr;
}

std::string Cidr::to_string() const {
  return address.to_string() + "/" + std::to_string(length);
}

uint32_t Cidr::following() const {
  const uint32_t host = length == 0 ? UINT32_MAX : length == 32 ? 0 : UINT32_MAX >> length;
  const uint32_t last = length >= 31 ? (address.value | host) : (address.value | host) - 1;
  return last >= address.value ? last - address.value : 0;
}

}  // namespace estab
