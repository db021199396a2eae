// Network byte order: one mov and one bswap, and usable in constant expressions.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace estab {

template <std::unsigned_integral T>
constexpr T byte_swap(T value) {
  if constexpr (sizeof(T) == 1) {
    return value;
  } else if constexpr (sizeof(T) == 2) {
    return __builtin_bswap16(value);
  } else if constexpr (sizeof(T) == 4) {
    return __builtin_bswap32(value);
  } else {
    return __builtin_bswap64(value);
  }
}

// As the machine reads it: for comparing with what was read the same way.
template <std::unsigned_integral T>
constexpr T load_raw(const uint8_t* from) {
  if (std::is_constant_evaluated()) {
    std::array<uint8_t, sizeof(T)> bytes{};
    for (size_t i = 0; i < sizeof(T); ++i) bytes[i] = from[i];
    return std::bit_cast<T>(bytes);
  }
  T value;  // byte by byte it would be taken to pieces where one of them is used alone
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <std::unsigned_integral T>
constexpr T load_be(const uint8_t* from) {
  return byte_swap(load_raw<T>(from));
}

template <std::unsigned_integral T>
constexpr void store_raw(uint8_t* to, T value) {
  if (std::is_constant_evaluated()) {
    const auto bytes = std::bit_cast<std::array<uint8_t, sizeof(T)>>(value);
    for (size_t i = 0; i < sizeof(T); ++i) to[i] = bytes[i];
    return;
  }
  std::memcpy(to, &value, sizeof(T));
}

template <std::unsigned_integral T>
constexpr void store_be(uint8_t* to, T value) {
  store_raw(to, byte_swap(value));
}

}  // namespace estab
