// Times by the hundred-and-twenty-eighth of a power of two: percentiles within 1 %.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "estab/time.h"

namespace estab::app {

class Histogram {
 public:
  void add(Duration time) {
    const uint64_t ns = time.ns() > 0 ? static_cast<uint64_t>(time.ns()) : 0;
    ++buckets_[index(ns)];
    ++count_;
    if (ns > max_) max_ = ns;
  }

  uint64_t count() const { return count_; }
  Duration max() const { return Duration::nanoseconds(static_cast<int64_t>(max_)); }

  // The time that `fraction` (0 to 1) of all do not exceed.
  Duration percentile(double fraction) const {
    auto left = static_cast<uint64_t>(fraction * static_cast<double>(count_));
    for (size_t i = 0; i < buckets_.size(); ++i) {
      if (buckets_[i] > left) return Duration::nanoseconds(static_cast<int64_t>(upper(i) < max_ ? upper(i) : max_));
      left -= buckets_[i];
    }
    return max();
  }

 private:
  static constexpr uint32_t kBits = 7;
  static constexpr uint64_t kSub = 1u << kBits;

  static size_t index(uint64_t ns) {
    if (ns < kSub) return ns;
    const auto shift = static_cast<uint32_t>(std::bit_width(ns)) - kBits - 1;
    const size_t at = (shift + 1) * kSub + ((ns >> shift) - kSub);
    return at < kBuckets ? at : kBuckets - 1;
  }
  static uint64_t upper(size_t i) {
    if (i < kSub) return i;
    const uint64_t shift = i / kSub - 1;
    return ((i % kSub + kSub + 1) << shift) - 1;
  }

  static constexpr size_t kBuckets = kSub * 40;  // beyond an hour
  std::array<uint64_t, kBuckets> buckets_{};
  uint64_t count_ = 0;
  uint64_t max_ = 0;
};

}  // namespace estab::app
