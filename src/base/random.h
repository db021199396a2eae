// A small seeded generator (xorshift64*, Vigna 2016): the same seed gives the same run. Not for secrets.
#pragma once

#include <cstdint>

namespace estab {

class Random {
 public:
  explicit constexpr Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ULL + 0xd1b54a32d192ed03ULL) {
    if (state_ == 0) state_ = 1;
  }
  constexpr uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1dULL;
  }
  // Uniform below `bound` (bound > 0); the bias of 2^-32 does not matter here.
  constexpr uint32_t below(uint32_t bound) {
    return static_cast<uint32_t>(((next() >> 32) * static_cast<uint64_t>(bound)) >> 32);
  }
  // True with probability p (0 to 1).
  constexpr bool chance(double p) { return static_cast<double>(next() >> 11) * 0x1.0p-53 < p; }

 private:
  uint64_t state_;
};

}  // namespace estab
