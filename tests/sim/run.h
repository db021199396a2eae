// One run: two stacks over an impaired link, users on both ends, a clock that jumps from event to event.
#pragma once

#include <string>

#include "buf/mbuf_pool.h"
#include "sim/scenario.h"

namespace estab::sim {

// The mbufs of both ends, made once: setting up a pool takes longer than a run.
struct Memory {
  static constexpr uint32_t kMbufs = 8191;
  std::array<buf::MbufPool, 2> pool;
};
Memory& memory();

struct RunOptions {
  std::string pcap;          // name for two captures, one an end: NAME.0.pcap and NAME.1.pcap; empty: none
  bool fingerprint = false;  // work out Result::fingerprint
};

struct Result {
  std::string failure;  // empty: all held
  uint64_t frames = 0;
  uint64_t turns = 0;
  uint64_t bytes = 0;        // that users received
  Duration span;             // of virtual time
  uint64_t fingerprint = 0;  // of every frame and its time
  uint64_t ghosts = 0;       // connections that a late duplicate made out of a SYN cookie
  std::array<stack::Counters, 2> counters;
  std::array<uint64_t, stack::kErrors> ends{};  // by tcp::Error
};

Result run(const Scenario& scenario, const RunOptions& options = {});

}  // namespace estab::sim
