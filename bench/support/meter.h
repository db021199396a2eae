// Time by the time-stamp counter, only of what is measured: what prepares it stays outside.
#pragma once

#include <benchmark/benchmark.h>
#include <rte_cycles.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace estab::bench {

// Samples of one kind. Those in which the machine did something else (another process's turn) are left out: longer than
// 50 microseconds and than ten times the median.
class Meter {
 public:
  explicit Meter(uint64_t longest_us = 50) : longest_us_(longest_us) {
    for (int i = 0; i < 1000; ++i) {
      const uint64_t begin = rte_rdtsc_precise();
      own_ = std::min(own_, rte_rdtsc_precise() - begin);
    }
  }

  void start() { begin_ = rte_rdtsc_precise(); }
  void stop() {
    const uint64_t between = rte_rdtsc_precise() - begin_;
    const uint64_t cycles = between - std::min(between, own_);
    samples_.push_back(static_cast<uint32_t>(std::min<uint64_t>(cycles, UINT32_MAX)));
    sum_ += cycles;
  }

  // Ends an iteration of a benchmark that uses manual time.
  void next(benchmark::State& state) {
    state.SetIterationTime(static_cast<double>(sum_ - reported_) / static_cast<double>(rte_get_tsc_hz()));
    reported_ = sum_;
  }
  uint64_t sum() const { return sum_; }

  // The mean sample.
  double cycles() const {
    if (samples_.empty()) return 0;
    std::vector<uint32_t> sorted(samples_);
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2), sorted.end());
    const uint64_t limit =
        std::max<uint64_t>(10 * uint64_t{sorted[sorted.size() / 2]}, longest_us_ * rte_get_tsc_hz() / 1'000'000);
    uint64_t kept = 0, total = 0;
    for (const uint32_t sample : samples_) {
      if (sample > limit) continue;
      total += sample;
      ++kept;
    }
    return static_cast<double>(total) / static_cast<double>(kept);
  }

 private:
  uint64_t longest_us_;
  uint64_t own_ = UINT64_MAX;  // what reading the counter takes: it is not in the samples
  uint64_t begin_ = 0;
  uint64_t sum_ = 0;
  uint64_t reported_ = 0;
  std::vector<uint32_t> samples_;
};

inline double nanoseconds(double cycles) {
  return cycles * 1e9 / static_cast<double>(rte_get_tsc_hz());
}

// Nanoseconds and time-stamp cycles per operation, from the cycles that one takes.
inline void report(benchmark::State& state, double cycles) {
  state.counters["ns"] = nanoseconds(cycles);
  state.counters["cycles"] = cycles;
}
inline void report(benchmark::State& state, const Meter& meter, uint64_t operations_each) {
  report(state, meter.cycles() / static_cast<double>(operations_each));
}

}  // namespace estab::bench
