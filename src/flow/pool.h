// A pool of records in one flat array: an index is a pointer, and the last one freed is the next one used (it is in the
// cache).
#pragma once

#include <cstdint>

#include "base/lazy_array.h"

namespace estab::flow {

inline constexpr uint32_t kNoRecord = UINT32_MAX;

template <typename Record>
class Pool {
 public:
  explicit Pool(uint32_t capacity) : records_(capacity), free_(capacity), capacity_(capacity) {}

  // kNoRecord when the pool is empty. The record's bytes are what its last user left (zero the first time).
  uint32_t allocate() {
    if (free_count_ > 0) {
      ++used_;
      return free_[--free_count_];
    }
    if (touched_ == capacity_) return kNoRecord;
    ++used_;
    return touched_++;
  }

  void release(uint32_t index) {
    free_[free_count_++] = index;
    --used_;
  }

  Record& operator[](uint32_t index) { return records_[index]; }
  const Record& operator[](uint32_t index) const { return records_[index]; }
  uint32_t index_of(const Record& record) const { return static_cast<uint32_t>(&record - &records_[0]); }
  Record* data() { return records_.data(); }
  uint32_t used() const { return used_; }
  uint32_t capacity() const { return capacity_; }
  uint32_t touched() const { return touched_; }  // records below this index were in use at some time

 private:
  LazyArray<Record> records_;
  LazyArray<uint32_t> free_;
  uint32_t capacity_;
  uint32_t touched_ = 0;
  uint32_t free_count_ = 0;
  uint32_t used_ = 0;
};

}  // namespace estab::flow
