// Network byte order. Copy, bit_cast, swap: one mov and one bswap on both compilers, and usable in constant
// expressions.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>

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

template <std::unsigned_integral T>
constexpr T load_be(const uint8_t* from) {
  std::array<uint8_t, sizeof(T)> bytes{};
  for (size_t i = 0; i < sizeof(T); ++i) bytes[i] = from[i];
  return byte_swap(std::bit_cast<T>(bytes));
}

// As the machine reads it: for comparing with what was read the same way.
template <std::unsigned_integral T>
constexpr T load_raw(const uint8_t* from) {
  std::array<uint8_t, sizeof(T)> bytes{};
  for (size_t i = 0; i < sizeof(T); ++i) bytes[i] = from[i];
  return std::bit_cast<T>(bytes);
}

template <std::unsigned_integral T>
constexpr void store_raw(uint8_t* to, T value) {
  const auto bytes = std::bit_cast<std::array<uint8_t, sizeof(T)>>(value);
  for (size_t i = 0; i < sizeof(T); ++i) to[i] = bytes[i];
}

template <std::unsigned_integral T>
constexpr void store_be(uint8_t* to, T value) {
  const auto bytes = std::bit_cast<std::array<uint8_t, sizeof(T)>>(byte_swap(value));
  for (size_t i = 0; i < sizeof(T); ++i) to[i] = bytes[i];
}

}  // namespace estab
