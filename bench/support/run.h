// The main of every benchmark: the EAL, then Google Benchmark.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdio>

#include "bench/support/huge_pages.h"
#include "device/eal.h"

namespace estab::bench {

inline int run(int argc, char** argv) {
  device::EalOptions options;
  options.workers = 0;
  options.arguments = {"--no-huge", "--no-shconf", "-m", "2048"};
  if (const auto eal = device::start_eal(options); !eal) {
    std::fprintf(stderr, "%s\n", eal.error().c_str());
    return 1;
  }
  use_huge_pages();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace estab::bench
