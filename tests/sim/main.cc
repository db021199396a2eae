// Runs simulations from the command line: see scripts/sim.
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

#include "device/eal.h"
#include "sim/summary.h"

namespace {

using namespace estab;

constexpr const char* kUsage =
    "usage: scripts/sim [--seeds N] [--from SEED] [--seed SEED] [--pcap FILE] [--first] [-v]\n"
    "  --seeds N     how many to run (default 2000)\n"
    "  --from SEED   the first of them (default 1)\n"
    "  --seed SEED   this one alone, and say what it is made of\n"
    "  --pcap FILE   with --seed: write FILE.0.pcap and FILE.1.pcap, a capture at each end\n"
    "  --first       stop at the first that fails\n"
    "  -v            a line for every seed\n";

struct Options {
  uint64_t from = 1;
  uint64_t seeds = 2000;
  bool one = false;
  bool verbose = false;
  bool first = false;
  std::string pcap;
};

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "-v") {
      options.verbose = true;
      continue;
    }
    if (argument == "--first") {
      options.first = true;
      continue;
    }
    if (i + 1 == argc) return false;
    const char* value = argv[++i];
    if (argument == "--pcap") {
      options.pcap = value;
      if (options.pcap.ends_with(".pcap")) options.pcap.resize(options.pcap.size() - 5);
      continue;
    }
    char* end = nullptr;
    const uint64_t number = std::strtoull(value, &end, 10);
    if (*value == '\0' || *end != '\0') return false;
    if (argument == "--seeds") {
      options.seeds = number;
    } else if (argument == "--from" || argument == "--seed") {
      options.from = number;
      options.one = argument == "--seed";
      if (options.one) options.seeds = 1;
    } else {
      return false;
    }
  }
  return options.pcap.empty() || options.one;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    fmt::print(stderr, "{}", kUsage);
    return 2;
  }
  device::EalOptions eal;
  eal.arguments = {"--no-huge", "--no-shconf", "-m", "128", "--log-level", "error"};
  if (const auto started = device::start_eal(eal); !started) {
    fmt::print(stderr, "{}\n", started.error());
    return 1;
  }
  sim::Summary summary;
  for (uint64_t seed = options.from; seed < options.from + options.seeds; ++seed) {
    const sim::Scenario scenario = sim::draw(seed);
    if (options.one) fmt::print("seed {}: {}\n", seed, sim::describe(scenario));
    const sim::Result result = sim::run(scenario, {.pcap = options.pcap});
    summary.add(result);
    if (options.verbose || options.one) fmt::print("seed {}: {}\n", seed, sim::line_of(result));
    if (!result.failure.empty()) fmt::print("{}\n", sim::report(seed, result, options.pcap));
    std::fflush(stdout);
    if (options.first && !result.failure.empty()) break;
  }
  fmt::print("{}", summary.text());
  return summary.failures > 0 ? 1 : 0;
}
