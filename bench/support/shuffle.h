// Orders of visiting that no prefetcher guesses.
#pragma once

#include <cstdint>
#include <numeric>

#include "base/random.h"

namespace estab::bench {

// A bijection of [0, size), another one for each `round`: no memory, so that it disturbs no cache.
class Shuffle {
 public:
  Shuffle(uint32_t size, uint64_t round) : size_(size) {
    Random random(round + 1);
    do {
      step_ = size / 3 + random.below(size / 3 + 1) + 1;
    } while (std::gcd(step_, static_cast<uint64_t>(size)) != 1);
    offset_ = random.below(size);
  }
  uint32_t operator()(uint32_t i) const { return static_cast<uint32_t>((i * step_ + offset_) % size_); }

 private:
  uint64_t size_;
  uint64_t step_ = 1;
  uint64_t offset_ = 0;
};

}  // namespace estab::bench
