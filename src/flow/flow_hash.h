// The keyed hash of a flow's tuple: nobody outside can aim packets at one bucket of the table. Where the CPU has AES,
// each 16-byte block of the tuple goes through five of its rounds under secret, independent round keys, and blocks are
// chained. Two rounds let each bit reach all others, and over four no differential has a probability above 2^-110
// (Keliher and Sui, 2007). So who does not see hashes, and nobody outside does, finds no tuples that collide more often
// than chance. It takes some 25 cycles, and several at once overlap; it is no cipher. Elsewhere it is SipHash-1-3.
#pragma once

#ifdef __AES__
#include <wmmintrin.h>
#endif

#include <array>
#include <cstdint>
#include <type_traits>

#include "base/byte_order.h"
#include "base/siphash.h"
#include "wire/address.h"

namespace estab::flow {

// Both addresses and both ports of an IPv6 flow, in the order of the IPv4 tuple.
using Ipv6Tuple = std::array<uint8_t, 36>;

#ifdef __AES__

static_assert(std::has_unique_object_representations_v<wire::Tuple> && sizeof(wire::Tuple) == 12);

class FlowHash {
 public:
  explicit FlowHash(const SipKey& key) {
    for (uint64_t i = 0; i < kKeys; ++i) {
      const uint64_t low[1] = {2 * i}, high[1] = {2 * i + 1};
      keys_[i] = block(siphash_words<2, 4>(key, high), siphash_words<2, 4>(key, low));
    }
  }

  uint64_t operator()(const wire::Tuple& tuple) const {
    const auto* p = reinterpret_cast<const uint8_t*>(&tuple);
    return low(mix(block(last(sizeof(tuple), load_raw<uint32_t>(p + 8)), load_raw<uint64_t>(p))));
  }
  uint64_t operator()(const Ipv6Tuple& tuple) const {
    const uint8_t* p = tuple.data();
    const __m128i local = mix(block(load_raw<uint64_t>(p + 8), load_raw<uint64_t>(p)));
    const __m128i remote = mix(_mm_xor_si128(local, block(load_raw<uint64_t>(p + 24), load_raw<uint64_t>(p + 16))));
    return low(mix(_mm_xor_si128(remote, block(last(tuple.size(), load_raw<uint32_t>(p + 32)), 0))));
  }

 private:
  static constexpr uint64_t kKeys = 6;

  static __m128i block(uint64_t high, uint64_t low) {
    return _mm_set_epi64x(static_cast<int64_t>(high), static_cast<int64_t>(low));
  }
  static uint64_t low(__m128i x) { return static_cast<uint64_t>(_mm_cvtsi128_si64(x)); }
  // The last word carries the length, so that no tuple of one size is as one of another.
  static constexpr uint64_t last(uint64_t length, uint32_t word) { return length << 56 | word; }

  __m128i mix(__m128i x) const {
    x = _mm_xor_si128(x, keys_[0]);
    for (uint64_t i = 1; i < kKeys; ++i) x = _mm_aesenc_si128(x, keys_[i]);
    return x;
  }

  __m128i keys_[kKeys];
};

#else

class FlowHash {
 public:
  explicit FlowHash(const SipKey& key) : key_(key) {}

  uint64_t operator()(const wire::Tuple& tuple) const {
    return siphash_twelve<1, 3>(key_, tuple.addresses(), tuple.ports());
  }
  uint64_t operator()(const Ipv6Tuple& tuple) const {
    uint64_t words[5]{};
    for (size_t i = 0; i < 4; ++i) words[i] = load_raw<uint64_t>(tuple.data() + 8 * i);
    words[4] = load_raw<uint32_t>(tuple.data() + 32);
    return siphash_words<1, 3>(key_, words);
  }

 private:
  SipKey key_;
};

#endif

}  // namespace estab::flow
