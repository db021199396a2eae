// The flow table: the keyed hash of a flow to its record's index. Open addressing in buckets of one cache line, each
// with ten 15-bit signatures and ten indices; a bucket counts the entries that overflowed past it, so a miss ends at
// once and nothing needs a tombstone. Keys live in the records, of whatever size they are: the caller compares them.
//
// It grows by linear hashing (Litwin, 1980): while it is crowded, each insert splits one bucket in two, and nothing
// else waits. One thread changes the table; others may read it meanwhile (`walk`, `find_shared`), without a lock. What
// they get is an index that was an entry's: whether its record is still that flow's, the record has to say (see
// shared_record.h).
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <span>

#include "base/lazy_array.h"

namespace estab::flow {

inline constexpr uint32_t kNoFlow = UINT32_MAX;
inline constexpr uint32_t kUndecided = kNoFlow - 1;  // a look that did not go far enough to tell

class FlowTable {
 public:
  // Room for `capacity` entries at a load where buckets rarely overflow. Grows, where insert() is given a way to, for
  // up to `most` entries.
  explicit FlowTable(uint32_t capacity, uint64_t most = 0)
      : most_homes_(homes_for(std::max<uint64_t>(capacity, most))),
        buckets_(most_homes_ + kMaxDistance),
        mask_(homes_for(capacity) - 1),
        homes_(mask_ + 1) {}

  void prefetch(uint64_t hash) const { __builtin_prefetch(&buckets_[home(hash)]); }

  // The index of the first entry in the home bucket with the hash's signature, to prefetch its record. kNoFlow: there
  // is no such flow. kUndecided: it may lie beyond.
  uint32_t first_candidate(uint64_t hash) const {
    const Bucket& bucket = buckets_[home(hash)];
    const uint32_t matches = bucket.match(signature(hash));
    if (matches != 0) return bucket.index[first(matches)];
    return bucket.overflowed() == 0 ? kNoFlow : kUndecided;
  }

  // The entry for which same(index) holds, or kNoFlow.
  template <typename Same>
  uint32_t find(uint64_t hash, Same&& same) const {
    const uint16_t sign = signature(hash);
    const Bucket* bucket = &buckets_[home(hash)];
    for (uint32_t distance = 0;; ++bucket) {
      for (uint32_t matches = bucket->match(sign); matches != 0; matches &= matches - 1) {
        const uint32_t index = bucket->index[first(matches)];
        if (same(index)) return index;
      }
      if (bucket->overflowed() == 0 || ++distance == kMaxDistance) return kNoFlow;
    }
  }

  // find() for a burst whose buckets were prefetched: found[i] becomes the entry for which same(i, index) holds, or
  // kNoFlow. First all buckets are looked at, and prefetch(index) is called for each candidate.
  template <typename Prefetch, typename Same>
  void find_burst(std::span<const uint64_t> hashes, std::span<uint32_t> found, Prefetch&& prefetch, Same&& same) const {
    for (size_t i = 0; i < hashes.size(); ++i) {
      const Bucket& bucket = buckets_[home(hashes[i])];
      const uint32_t matches = bucket.match(signature(hashes[i]));
      if (matches != 0) {
        found[i] = bucket.index[first(matches)];
        prefetch(found[i]);
      } else {
        found[i] = bucket.overflowed() == 0 ? kNoFlow : kUndecided;
      }
    }
    for (size_t i = 0; i < hashes.size(); ++i) {
      if (found[i] == kNoFlow || (found[i] != kUndecided && same(i, found[i]))) continue;
      found[i] = find(hashes[i], [&](uint32_t index) { return same(i, index); });
    }
  }

  // False when no bucket within reach has room; the table is then as before.
  [[nodiscard]] bool insert(uint64_t hash, uint32_t index) {
    if (!place(home(hash), signature(hash), index)) return false;
    ++size_;
    ++insertions_;
    return true;
  }

  // The same, and the table grows where it is crowded: hash_of(index) says again with what an entry was inserted.
  template <typename HashOf>
  [[nodiscard]] bool insert(uint64_t hash, uint32_t index, HashOf&& hash_of) {
    if (size_ > kCrowded * (mask_ + 1) || split_ != 0) [[unlikely]]
      split(hash_of);
    return insert(hash, index);
  }

  // Removes the entry that insert(hash, index) made. False when there is none.
  bool erase(uint64_t hash, uint32_t index) {
    const Place place = locate(hash, index);
    if (place.bucket == nullptr) return false;
    remove(&buckets_[home(hash)], place);
    --size_;
    return true;
  }

  // Lets the entry that insert(hash, index) made name another record. False when there is none.
  bool replace(uint64_t hash, uint32_t index, uint32_t by) {
    const Place place = locate(hash, index);
    if (place.bucket == nullptr) return false;
    store(place.bucket->index[place.slot], by);
    store(place.bucket->state, place.bucket->state + Bucket::kChange);
    return true;
  }

  uint32_t size() const { return size_; }
  uint64_t insertions() const { return insertions_; }  // so far: where none was made since, a miss is still one
  uint64_t buckets() const { return mask_ + 1 + split_; }

  // For any thread: visits the index of each entry. One that is there all the while is visited at least once, and
  // twice if growth moves it: only ever to a bucket that is still to come.
  template <typename Visit>
  void walk(Visit&& visit) const {
    for (uint64_t b = 0; b < homes_.load(std::memory_order_acquire) + kMaxDistance; ++b) {
      const Bucket& bucket = buckets_[b];
      for (uint32_t slot = 0; slot < kSlots; ++slot) {
        if (load(bucket.signature[slot]) != 0) visit(load(bucket.index[slot]));
      }
    }
  }

  // For any thread: find(), while the table changes. An entry that is there all the while is found.
  template <typename Same>
  uint32_t find_shared(uint64_t hash, Same&& same) const {
    for (;;) {
      const uint64_t homes = homes_.load(std::memory_order_acquire);
      const uint64_t upper = std::bit_ceil(homes);
      uint64_t home = hash & (upper - 1);
      if (home >= homes) home &= upper / 2 - 1;
      uint32_t found = probe_shared(home, hash, same);
      if (found == kNoFlow && home == homes - 1) {  // the last split may be moving it: it is there, or here by then
        found = probe_shared(home ^ std::bit_floor(home), hash, same);
        if (found == kNoFlow) found = probe_shared(home, hash, same);
      }
      if (found != kNoFlow || homes_.load(std::memory_order_acquire) == homes) return found;
    }
  }

 private:
  static constexpr uint32_t kSlots = 10;
  static constexpr uint32_t kComfortable = 5;  // entries a bucket at capacity, of ten
  static constexpr uint32_t kCrowded = 6;      // entries a bucket when growth begins
  static constexpr uint32_t kMaxDistance =
      64;  // buckets that an insert tries, and a search that keeps meeting overflow

  struct alignas(64) Bucket {
    std::array<uint16_t, kSlots> signature;  // 0: free
    uint32_t state;                          // entries that overflowed past this bucket, and how often it changed
    std::array<uint32_t, kSlots> index;

    // A bit for each slot that has the signature, kBits apart.
#ifdef __AVX2__
    static constexpr uint32_t kBits = 2;
    uint32_t match(uint16_t sign) const {
      const __m256i line = _mm256_load_si256(reinterpret_cast<const __m256i*>(signature.data()));
      const __m256i equal = _mm256_cmpeq_epi16(line, _mm256_set1_epi16(static_cast<int16_t>(sign)));
      return static_cast<uint32_t>(_mm256_movemask_epi8(equal)) & kAll;
    }
#else
    static constexpr uint32_t kBits = 1;
    uint32_t match(uint16_t sign) const {
      const __m128i all = _mm_set1_epi16(static_cast<int16_t>(sign));
      const auto* line = reinterpret_cast<const __m128i*>(signature.data());
      const __m128i low = _mm_cmpeq_epi16(_mm_load_si128(line), all);
      const __m128i high = _mm_cmpeq_epi16(_mm_load_si128(line + 1), all);
      return static_cast<uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(low, high))) & kAll;
    }
#endif
    // Entries whose home is here or before, that lie beyond: fewer than kMaxDistance * kSlots.
    uint32_t overflowed() const {
      return state & (kChange - 1);
    }
    static constexpr uint32_t kChange = 1u << 10;
    static constexpr uint32_t kAll = ((1u << (kBits * kSlots)) - 1) / ((1u << kBits) - 1);
  };
  static_assert(sizeof(Bucket) == 64);

  struct Place {
    Bucket* bucket = nullptr;
    uint32_t slot = 0;
  };

  // At least kMaxDistance, so that a bucket that is split and its new half have no bucket in reach of both.
  static uint64_t homes_for(uint64_t entries) {
    return std::max<uint64_t>(std::bit_ceil(entries / kComfortable + 1), kMaxDistance);
  }

  static uint16_t signature(uint64_t hash) {
    return static_cast<uint16_t>(hash >> 48 | 1);
  }
  static uint32_t first(uint32_t matches) {
    return static_cast<uint32_t>(std::countr_zero(matches)) / Bucket::kBits;
  }

  // What other threads may read is stored whole, in the order of the program.
  template <typename T>
  static void store(T& to, T value) {
    std::atomic_ref<T>(to).store(value, std::memory_order_release);
  }
  template <typename T>
  static T load(const T& from) {
    return std::atomic_ref<T>(const_cast<T&>(from)).load(std::memory_order_acquire);
  }

  uint64_t home(uint64_t hash) const {
    const uint64_t b = hash & mask_;
    if (b < split_) [[unlikely]]
      return hash & (2 * mask_ + 1);
    return b;
  }

  bool place(uint64_t home, uint16_t sign, uint32_t index) {
    Bucket* bucket = &buckets_[home];
    uint32_t matches;
    for (uint32_t distance = 0; (matches = bucket->match(0)) == 0; ++bucket) {
      if (++distance == kMaxDistance) return false;
    }
    for (Bucket* passed = &buckets_[home]; passed != bucket; ++passed) store(passed->state, passed->state + 1);
    store(bucket->index[first(matches)], index);
    store(bucket->signature[first(matches)], sign);
    store(bucket->state, bucket->state + Bucket::kChange);
    return true;
  }

  void remove(Bucket* home, const Place& place) {
    store(place.bucket->signature[place.slot], uint16_t{0});
    store(place.bucket->state, place.bucket->state + Bucket::kChange);
    for (; home != place.bucket; ++home) store(home->state, home->state - 1);
  }

  Place locate(uint64_t hash, uint32_t index) {
    const uint16_t sign = signature(hash);
    Bucket* bucket = &buckets_[home(hash)];
    for (uint32_t distance = 0;; ++bucket) {
      for (uint32_t matches = bucket->match(sign); matches != 0; matches &= matches - 1) {
        if (bucket->index[first(matches)] == index) return {bucket, first(matches)};
      }
      if (bucket->overflowed() == 0 || ++distance == kMaxDistance) return {};
    }
  }

  // Calls visit(place, hash) for the entries that belong in the next bucket's new half.
  template <typename HashOf, typename Visit>
  void for_each_mover(HashOf& hash_of, Visit&& visit) {
    Bucket* bucket = &buckets_[split_];
    for (uint32_t distance = 0;; ++bucket) {
      for (uint32_t used = bucket->match(0) ^ Bucket::kAll; used != 0; used &= used - 1) {
        const uint64_t hash = hash_of(bucket->index[first(used)]);
        if ((hash & (2 * mask_ + 1)) == split_ + mask_ + 1) visit(Place{bucket, first(used)}, hash);
      }
      if (bucket->overflowed() == 0 || ++distance == kMaxDistance) return;
    }
  }

  // Splits the next bucket, unless there is no memory set aside for it, or its new half had no room (then later).
  template <typename HashOf>
  void split(HashOf& hash_of) {
    const uint64_t upper = split_ + mask_ + 1;
    if (upper >= most_homes_) return;
    uint32_t movers = 0, room = 0;
    for_each_mover(hash_of, [&](const Place&, uint64_t) { ++movers; });
    for (uint64_t b = upper; b < upper + kMaxDistance && room < movers; ++b)
      room += static_cast<uint32_t>(std::popcount(buckets_[b].match(0)));
    if (room < movers) return;
    homes_.store(upper + 1, std::memory_order_release);
    Bucket* old = &buckets_[split_];
    for_each_mover(hash_of, [&](const Place& from, uint64_t hash) {
      (void)place(upper, signature(hash), from.bucket->index[from.slot]);
      remove(old, from);
    });
    if (++split_ > mask_) {
      mask_ = 2 * mask_ + 1;
      split_ = 0;
    }
  }

  template <typename Same>
  uint32_t probe_shared(uint64_t home, uint64_t hash, Same& same) const {
    const uint16_t sign = signature(hash);
    const Bucket* bucket = &buckets_[home];
    for (uint32_t distance = 0;;) {
      const uint32_t state = load(bucket->state);
      for (uint32_t slot = 0; slot < kSlots; ++slot) {
        if (load(bucket->signature[slot]) != sign) continue;
        const uint32_t index = load(bucket->index[slot]);
        if (same(index)) return index;
      }
      // If a record was no longer ours to compare, its entry had changed before.
      const uint32_t now = load(bucket->state);
      if (now / Bucket::kChange != state / Bucket::kChange) continue;
      if (now % Bucket::kChange == 0 || ++distance == kMaxDistance) return kNoFlow;
      ++bucket;
    }
  }

  uint64_t most_homes_;
  LazyArray<Bucket> buckets_;
  uint64_t mask_;
  uint64_t split_ = 0;  // buckets below this one have been split, in the doubling that is under way
  uint32_t size_ = 0;
  uint64_t insertions_ = 0;
  std::atomic<uint64_t> homes_;  // mask_ + 1 + split_, for other threads
};

}  // namespace estab::flow
