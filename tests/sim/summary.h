// What runs came to, as text.
#pragma once

#include <string>

#include "sim/run.h"

namespace estab::sim {

std::string line_of(const Result& result);

// A failure, and how to see it again. Where nothing was captured (`pcap` empty), the seed is run once more with a
// capture.
std::string report(uint64_t seed, const Result& result, const std::string& pcap);

struct Summary {
  uint64_t runs = 0;
  uint64_t failures = 0;
  Result sum;

  void add(const Result& result);
  std::string text() const;  // also what of the stacks was exercised, by their counters
};

}  // namespace estab::sim
