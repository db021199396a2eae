// DPDK's environment abstraction layer, started once in a process.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "estab/result.h"

namespace estab::device {

struct EalOptions {
  std::string program = "estab";
  unsigned workers = 1;                // lcores beside the main one
  std::vector<std::string> arguments;  // the user's own; what they choose is left alone
  std::string pci;                     // the one PCI device to look at; empty: none, the bus is left alone
};

struct Eal {
  std::string memory;            // one line: which memory was chosen, and why
  std::vector<unsigned> lcores;  // the worker lcores, to run workers on; empty with a single lcore
  unsigned main_lcore = 0;
};

// Starts the EAL, or gives the running one. With hugepages reserved: --in-memory; without: --no-huge --no-shconf.
Result<Eal> start_eal(const EalOptions& options);

}  // namespace estab::device
