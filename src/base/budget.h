// So many a second and no more, where an outsider who counts the answers must not learn the number: it is drawn anew
// each second, between once and twice what was asked for (against CVE-2016-5696).
#pragma once

#include <cstdint>

#include "base/random.h"
#include "estab/time.h"

namespace estab {

class Budget {
 public:
  Budget(uint32_t per_second, uint64_t seed) : per_second_(per_second), random_(seed) {}

  bool take(Instant now) {
    const uint64_t second = now.ns() / 1'000'000'000;
    if (second != second_) {
      second_ = second;
      left_ = per_second_ + random_.below(per_second_);
    }
    if (left_ == 0) return false;
    --left_;
    return true;
  }

 private:
  uint32_t per_second_;
  uint32_t left_ = 0;
  uint64_t second_ = UINT64_MAX;
  Random random_;
};

}  // namespace estab
