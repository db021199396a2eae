// The worker's clock: the time-stamp counter, as nanoseconds and as cycles.
#pragma once

#include <rte_cycles.h>

#include "estab/time.h"

namespace estab::device {

class Clock {
 public:
  Clock() : start_(rte_rdtsc()), ns_per_cycle_(1e9 / static_cast<double>(rte_get_tsc_hz())) {}

  static uint64_t cycles() { return rte_rdtsc(); }
  Instant now() const { return at(rte_rdtsc()); }
  // Starts an hour after zero, so that subtracting small spans cannot wrap.
  Instant at(uint64_t cycles) const {
    return Instant::from_ns(3'600'000'000'000ull +
                            static_cast<uint64_t>(static_cast<double>(cycles - start_) * ns_per_cycle_));
  }
  double ns_per_cycle() const { return ns_per_cycle_; }

 private:
  uint64_t start_;
  double ns_per_cycle_;
};

}  // namespace estab::device
