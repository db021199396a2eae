// The Internet checksum (RFC 1071): the one's complement of the one's complement sum of 16-bit words.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/byte_order.h"
#include "wire/address.h"

namespace estab::wire {

// The sum of the 32-bit words of `bytes`, unfolded, in the machine's byte order (it commutes with a byte swap, RFC 1071
// §2 B); an odd byte at the end is padded with zero. Enough room for 4 GiB of them.
inline uint64_t raw_sum(const uint8_t* p, size_t n) {
  uint64_t a = 0;
  uint64_t b = 0;
  for (; n >= 16; n -= 16, p += 16) {
    uint32_t w[4];
    std::memcpy(w, p, 16);
    a += static_cast<uint64_t>(w[0]) + w[2];
    b += static_cast<uint64_t>(w[1]) + w[3];
  }
  for (; n >= 4; n -= 4, p += 4) {
    uint32_t w;
    std::memcpy(&w, p, 4);
    a += w;
  }
  if (n >= 2) {
    uint16_t w;
    std::memcpy(&w, p, 2);
    b += w;
    p += 2;
    n -= 2;
  }
  if (n == 1) b += *p;  // its low byte in this order
  return a + b;
}

// One's complement addition of 64-bit words: the carry comes back in at the bottom. Folds like a sum of shorter ones.
constexpr void add_with_carry(uint64_t& sum, uint64_t word) {
  sum += word;
  sum += sum < word ? 1 : 0;
}

// Such a sum of a header whose length is known: no loop.
template <size_t N>
[[gnu::always_inline]] inline uint64_t sum_of(const uint8_t* p) {
  static_assert(N % 4 == 0 && N >= 8);
  uint64_t sum = load_raw<uint64_t>(p);
  for (size_t i = 8; i + 8 <= N; i += 8) add_with_carry(sum, load_raw<uint64_t>(p + i));
  if constexpr (N % 8 != 0) add_with_carry(sum, load_raw<uint32_t>(p + N - 4));
  return sum;
}

// Whether such a sum, of what includes its checksum, says that it is right: all ones when folded, which is to be a
// multiple. (No header is all zero.)
constexpr bool sum_is_right(uint64_t sum) {
  return sum % 0xffff == 0;
}

// Such a sum as 16 bits; 0xffff for what includes its right checksum. A number added to itself with its halves
// exchanged has in its upper half their sum, carry included.
constexpr uint16_t fold_sum(uint64_t sum) {
  const auto half = static_cast<uint32_t>((sum + std::rotl(sum, 32)) >> 32);
  return static_cast<uint16_t>((half + std::rotl(half, 16)) >> 16);
}

// A running one's complement sum, kept in the machine's byte order.
class ChecksumSum {
 public:
  constexpr void add16(uint16_t host_order) { sum_ += byte_swap(host_order); }
  constexpr void add32(uint32_t host_order) { sum_ += byte_swap(host_order); }

  // Bytes that start at an even offset of the covered area.
  void add(std::span<const uint8_t> bytes) { sum_ = fold64(sum_) + fold64(raw_sum(bytes.data(), bytes.size())); }

  // Bytes that start at an odd offset: their sum, byte-swapped.
  void add_odd(std::span<const uint8_t> bytes) {
    ChecksumSum other;
    other.add(bytes);
    sum_ += byte_swap(static_cast<uint16_t>(other.fold()));
  }

  // The pseudo-header of RFC 9293 §3.1 for TCP over IPv4.
  constexpr void add_pseudo_header(Ipv4Address source, Ipv4Address destination, uint8_t protocol, uint16_t length) {
    add32(source.value());
    add32(destination.value());
    add16(protocol);
    add16(length);
  }

  // The sum folded to 16 bits, in host order: 0xffff when a received checksum was included and is right.
  constexpr uint16_t folded() const { return byte_swap(fold()); }
  // The value for the checksum field, in host order.
  constexpr uint16_t checksum() const { return static_cast<uint16_t>(~folded()); }

 private:
  static constexpr uint64_t fold64(uint64_t x) { return (x & 0xffffffff) + (x >> 32); }
  constexpr uint16_t fold() const { return fold_sum(sum_); }

  static_assert(std::endian::native == std::endian::little);
  uint64_t sum_ = 0;
};

}  // namespace estab::wire
