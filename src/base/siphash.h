// SipHash: a keyed hash that an outsider cannot predict. Aumasson and Bernstein, "SipHash: a fast short-input PRF",
// 2012.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace estab {

struct SipKey {
  uint64_t k0 = 0;
  uint64_t k1 = 0;
};

namespace siphash_detail {

struct Lanes {
  uint64_t v0, v1, v2, v3;

  explicit constexpr Lanes(const SipKey& key)
      : v0(key.k0 ^ 0x736f6d6570736575ULL),
        v1(key.k1 ^ 0x646f72616e646f6dULL),
        v2(key.k0 ^ 0x6c7967656e657261ULL),
        v3(key.k1 ^ 0x7465646279746573ULL) {}

  [[gnu::always_inline]] constexpr void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
};

// The paper's algorithm, word by word: the last one carries the length in its highest byte.
template <int C>
[[gnu::always_inline]] constexpr void absorb(Lanes& lanes, uint64_t word) {
  lanes.v3 ^= word;
  for (int i = 0; i < C; ++i) lanes.round();
  lanes.v0 ^= word;
}
template <int D>
[[gnu::always_inline]] constexpr uint64_t finish(Lanes& lanes) {
  lanes.v2 ^= 0xff;
  for (int i = 0; i < D; ++i) lanes.round();
  return lanes.v0 ^ lanes.v1 ^ lanes.v2 ^ lanes.v3;
}

}  // namespace siphash_detail

// SipHash-C-D of whole 64-bit words.
template <int C, int D, size_t N>
constexpr uint64_t siphash_words(const SipKey& key, const uint64_t (&words)[N]) {
  siphash_detail::Lanes lanes(key);
  for (const uint64_t word : words) siphash_detail::absorb<C>(lanes, word);
  siphash_detail::absorb<C>(lanes, static_cast<uint64_t>(N * 8) << 56);
  return siphash_detail::finish<D>(lanes);
}

// SipHash-C-D of whole words and `Tail` bytes more, at most seven, little endian: these share their word with the
// length.
template <int C, int D, int Tail, size_t N>
constexpr uint64_t siphash_words_and(const SipKey& key, const uint64_t (&words)[N], uint64_t tail) {
  static_assert(Tail > 0 && Tail < 8);
  siphash_detail::Lanes lanes(key);
  for (const uint64_t word : words) siphash_detail::absorb<C>(lanes, word);
  siphash_detail::absorb<C>(lanes, static_cast<uint64_t>(N * 8 + Tail) << 56 | tail);
  return siphash_detail::finish<D>(lanes);
}

// SipHash-C-D of twelve bytes: a four-tuple's size.
template <int C, int D>
constexpr uint64_t siphash_twelve(const SipKey& key, uint64_t first, uint32_t second) {
  const uint64_t words[] = {first};
  return siphash_words_and<C, D, 4>(key, words, second);
}

// SipHash-2-4 of bytes, as the paper defines it.
constexpr uint64_t siphash24(const SipKey& key, std::span<const uint8_t> bytes) {
  siphash_detail::Lanes lanes(key);
  const size_t whole = bytes.size() & ~size_t{7};
  for (size_t i = 0; i < whole; i += 8) {
    uint64_t word = 0;
    for (size_t j = 0; j < 8; ++j) word |= static_cast<uint64_t>(bytes[i + j]) << (8 * j);
    siphash_detail::absorb<2>(lanes, word);
  }
  uint64_t last = static_cast<uint64_t>(bytes.size() & 0xff) << 56;
  for (size_t i = whole; i < bytes.size(); ++i) last |= static_cast<uint64_t>(bytes[i]) << (8 * (i - whole));
  siphash_detail::absorb<2>(lanes, last);
  return siphash_detail::finish<4>(lanes);
}

}  // namespace estab
