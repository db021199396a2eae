// The least that a table of connections can be: one line of tags and indices, one line a record.
#pragma once

#include <emmintrin.h>

#include <bit>

#include "base/lazy_array.h"
#include "wire/address.h"

namespace estab::bench {

struct alignas(64) BareRecord {
  wire::Tuple tuple;
  uint32_t seq = 0;
  uint32_t next_free = 0;
};

class BareTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr uint64_t kReach = 3;  // buckets after its own that an entry may lie in

  explicit BareTable(uint32_t capacity)
      : buckets_(std::bit_ceil(uint64_t{capacity} / 7 + 1)), records_(capacity), mask_(buckets_.size() - 1) {}

  void prefetch(uint64_t hash) const { __builtin_prefetch(&buckets_[hash & mask_]); }
  uint32_t candidate(uint64_t hash) const {
    const uint32_t match = buckets_[hash & mask_].match(tag(hash));
    return match == 0 ? kNone : buckets_[hash & mask_].index[std::countr_zero(match)];
  }
  void prefetch_record(uint32_t index) const { __builtin_prefetch(&records_[index]); }
  BareRecord& record(uint32_t index) { return records_[index]; }

  // kNone: no room.
  uint32_t insert(uint64_t hash) {
    for (uint64_t b = hash & mask_;; b = (b + 1) & mask_) {
      const uint32_t free = buckets_[b].match(0);
      if (free != 0) {
        const auto slot = static_cast<uint32_t>(std::countr_zero(free));
        const uint32_t index = free_ != 0 ? free_ - 1 : touched_++;
        if (free_ != 0) free_ = records_[index].next_free;
        buckets_[b].tag[slot] = tag(hash);
        buckets_[b].index[slot] = index;
        return index;
      }
      if (((b - hash) & mask_) == kReach) return kNone;
    }
  }
  uint32_t find(uint64_t hash, const wire::Tuple& tuple) const { return locate(hash, tuple).index; }
  bool erase(uint64_t hash, const wire::Tuple& tuple) {
    const Place place = locate(hash, tuple);
    if (place.index == kNone) return false;
    buckets_[place.bucket].tag[place.slot] = 0;
    records_[place.index].next_free = free_;
    free_ = place.index + 1;
    return true;
  }

 private:
  struct alignas(64) Bucket {
    uint8_t tag[16];  // the last four are not used
    uint32_t index[12];
    uint32_t match(uint8_t sign) const {
      const __m128i bytes = _mm_load_si128(reinterpret_cast<const __m128i*>(tag));
      return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(static_cast<char>(sign))))) &
             0xfff;
    }
  };
  struct Place {
    uint64_t bucket = 0;
    uint32_t slot = 0;
    uint32_t index = kNone;
  };
  static uint8_t tag(uint64_t hash) { return static_cast<uint8_t>(hash >> 56 | 1); }
  Place locate(uint64_t hash, const wire::Tuple& tuple) const {
    for (uint64_t b = hash & mask_;; b = (b + 1) & mask_) {
      for (uint32_t m = buckets_[b].match(tag(hash)); m != 0; m &= m - 1) {
        const auto slot = static_cast<uint32_t>(std::countr_zero(m));
        if (records_[buckets_[b].index[slot]].tuple == tuple) return {b, slot, buckets_[b].index[slot]};
      }
      if (((b - hash) & mask_) == kReach) return {};
    }
  }

  LazyArray<Bucket> buckets_;
  LazyArray<BareRecord> records_;
  uint64_t mask_;
  uint32_t free_ = 0;  // the first free record's index + 1
  uint32_t touched_ = 0;
};

}  // namespace estab::bench
