// The flow table: a keyed hash of the four-tuple to a record's index. Open addressing in buckets of one cache line,
// each with twelve 8-bit signatures and twelve indices; a bucket counts the entries that overflowed past it, so a miss
// ends at once and nothing needs a tombstone. Keys live in the records: the caller compares them.
#pragma once

#include <emmintrin.h>

#include <array>
#include <bit>
#include <cstdint>

#include "base/lazy_array.h"
#include "base/siphash.h"
#include "wire/address.h"

namespace estab::flow {

inline constexpr uint32_t kNoFlow = UINT32_MAX;

// The key makes it impossible to aim packets at one bucket from outside.
inline uint64_t flow_hash(const SipKey& key, const wire::Tuple& tuple) {
  return siphash_twelve<1, 3>(key, tuple.addresses(), tuple.ports());
}

class FlowTable {
 public:
  // Room for `capacity` entries at a load where buckets rarely overflow.
  explicit FlowTable(uint32_t capacity)
      : buckets_(std::bit_ceil(static_cast<uint64_t>(capacity) / kComfortable + 1)), mask_(buckets_.size() - 1) {}

  void prefetch(uint64_t hash) const { __builtin_prefetch(&buckets_[hash & mask_]); }

  // The index of the first entry in the home bucket with the hash's signature, to prefetch its record; kNoFlow if none.
  uint32_t first_candidate(uint64_t hash) const {
    const Bucket& bucket = buckets_[hash & mask_];
    const uint32_t matches = bucket.match(signature(hash));
    return matches == 0 ? kNoFlow : bucket.index[static_cast<uint32_t>(std::countr_zero(matches))];
  }

  // The entry for which same(index) holds, or kNoFlow.
  template <typename Same>
  uint32_t find(uint64_t hash, Same&& same) const {
    const uint8_t sign = signature(hash);
    uint32_t distance = 0;
    for (uint64_t b = hash & mask_;; b = (b + 1) & mask_) {
      const Bucket& bucket = buckets_[b];
      for (uint32_t matches = bucket.match(sign); matches != 0; matches &= matches - 1) {
        const uint32_t index = bucket.index[static_cast<uint32_t>(std::countr_zero(matches))];
        if (same(index)) return index;
      }
      if (bucket.overflowed == 0 || ++distance == kMaxDistance) return kNoFlow;
    }
  }

  // False when no bucket within reach has room; the table is then as before.
  [[nodiscard]] bool insert(uint64_t hash, uint32_t index) {
    uint64_t b = hash & mask_;
    uint32_t distance = 0;
    while (buckets_[b].match(0) == 0) {
      if (++distance == kMaxDistance || distance > mask_) return false;
      b = (b + 1) & mask_;
    }
    Bucket& bucket = buckets_[b];
    const auto slot = static_cast<uint32_t>(std::countr_zero(bucket.match(0)));
    bucket.signature[slot] = signature(hash);
    bucket.index[slot] = index;
    for (uint64_t passed = hash & mask_; passed != b; passed = (passed + 1) & mask_) ++buckets_[passed].overflowed;
    ++size_;
    return true;
  }

  // Removes the entry that insert(hash, index) made. False when there is none.
  bool erase(uint64_t hash, uint32_t index) {
    const Place place = locate(hash, index);
    if (place.bucket == nullptr) return false;
    place.bucket->signature[place.slot] = 0;
    for (uint64_t b = hash & mask_; &buckets_[b] != place.bucket; b = (b + 1) & mask_) --buckets_[b].overflowed;
    --size_;
    return true;
  }

  // Lets the entry that insert(hash, index) made name another record. False when there is none.
  bool replace(uint64_t hash, uint32_t index, uint32_t by) {
    const Place place = locate(hash, index);
    if (place.bucket == nullptr) return false;
    place.bucket->index[place.slot] = by;
    return true;
  }

  uint32_t size() const { return size_; }

 private:
  static constexpr uint32_t kSlots = 12;
  static constexpr uint32_t kComfortable = 7;  // entries a bucket at capacity, of twelve
  static constexpr uint32_t kMaxDistance =
      64;  // buckets that an insert tries, and a search that keeps meeting overflow

  struct alignas(64) Bucket {
    std::array<uint8_t, kSlots> signature;  // 0: free
    uint32_t overflowed;                    // entries whose home is here or before, that lie beyond
    std::array<uint32_t, kSlots> index;

    uint32_t match(uint8_t sign) const {
      const __m128i bytes = _mm_load_si128(reinterpret_cast<const __m128i*>(signature.data()));
      const __m128i equal = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(static_cast<char>(sign)));
      return static_cast<uint32_t>(_mm_movemask_epi8(equal)) & ((1u << kSlots) - 1);
    }
  };
  static_assert(sizeof(Bucket) == 64);

  struct Place {
    Bucket* bucket = nullptr;
    uint32_t slot = 0;
  };

  Place locate(uint64_t hash, uint32_t index) {
    const uint8_t sign = signature(hash);
    uint32_t distance = 0;
    for (uint64_t b = hash & mask_;; b = (b + 1) & mask_) {
      Bucket& bucket = buckets_[b];
      for (uint32_t matches = bucket.match(sign); matches != 0; matches &= matches - 1) {
        const auto slot = static_cast<uint32_t>(std::countr_zero(matches));
        if (bucket.index[slot] == index) return {&bucket, slot};
      }
      if (bucket.overflowed == 0 || ++distance == kMaxDistance) return {};
    }
  }

  static uint8_t signature(uint64_t hash) {
    const auto sign = static_cast<uint8_t>(hash >> 56);
    return sign == 0 ? uint8_t{1} : sign;
  }

  LazyArray<Bucket> buckets_;
  uint64_t mask_;
  uint32_t size_ = 0;
};

}  // namespace estab::flow
