#include "device/eal.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>

#include "device/quiet_log.h"

namespace estab::device {
namespace {

bool has(const std::vector<std::string>& arguments, const std::vector<std::string>& names) {
  return std::any_of(arguments.begin(), arguments.end(), [&names](const std::string& argument) {
    return std::any_of(names.begin(), names.end(), [&argument](const std::string& name) {
      return argument == name || argument.starts_with(name + "=") || (name.size() == 2 && argument.starts_with(name));
    });
  });
}

uint64_t free_hugepages() {
  uint64_t pages = 0;
  std::error_code error;
  for (const auto& size : std::filesystem::directory_iterator("/sys/kernel/mm/hugepages", error)) {
    uint64_t n = 0;
    if (std::ifstream(size.path() / "free_hugepages") >> n) pages += n;
  }
  return pages;
}

// The CPUs that this process may use.
std::vector<int> usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return {0};
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

// lcore 0 is the main one and floats over all CPUs; workers are pinned from the last CPU down, so that on a machine
// shared with others CPU 0 is taken last.
std::string lcore_map(unsigned workers) {
  const std::vector<int> cpus = usable_cpus();
  std::string map = "0@(";
  for (size_t i = 0; i < cpus.size(); ++i) map += (i > 0 ? "," : "") + std::to_string(cpus[i]);
  map += ")";
  for (unsigned w = 0; w < workers; ++w) {
    map += "," + std::to_string(w + 1) + "@" + std::to_string(cpus[cpus.size() - 1 - w % cpus.size()]);
  }
  return map;
}

std::optional<Eal> running;

}  // namespace

Result<Eal> start_eal(const EalOptions& options) {
  if (running) return *running;
  Eal eal;
  std::vector<std::string> arguments = {options.program};
  if (!has(options.arguments, {"-l", "-c", "--lcores"})) {
    arguments.insert(arguments.end(), {"--lcores", lcore_map(options.workers), "--main-lcore", "0"});
  }
  if (has(options.arguments, {"--no-huge", "--in-memory", "--huge-dir", "--file-prefix"})) {
    eal.memory = "memory as the EAL options say";
  } else if (free_hugepages() > 0 && geteuid() == 0) {
    arguments.emplace_back("--in-memory");
    eal.memory = "hugepages (--in-memory)";
  } else {
    arguments.insert(arguments.end(), {"--no-huge", "--no-shconf"});
    // Without hugepages the EAL reserves what -m says at the start; the pages are the kernel's to provide when touched.
    if (!has(options.arguments, {"-m", "--socket-mem"})) arguments.insert(arguments.end(), {"-m", "1024"});
    eal.memory = geteuid() == 0
                     ? "no hugepages are reserved: ordinary memory (--no-huge --no-shconf), at about half the rate"
                     : "not root: ordinary memory (--no-huge --no-shconf), at about half the rate";
  }
  if (!has(options.arguments, {"-a", "--allow", "--no-pci", "-b", "--block"})) {
    // No other NIC of the machine is to be touched.
    if (options.pci.empty()) {
      arguments.emplace_back("--no-pci");
    } else {
      arguments.insert(arguments.end(), {"-a", options.pci});
    }
  }
  if (!has(options.arguments, {"--log-level"})) {
    // net_tap complains on any kernel without multiq, to no effect; what fails for good is said in our own sentence.
    arguments.insert(arguments.end(), {"--log-level", "pmd.net.tap:critical", "--log-level", "*:error"});
  }
  if (!has(options.arguments, {"--no-telemetry", "--telemetry"})) arguments.emplace_back("--no-telemetry");
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());

  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::optional<QuietLog> quiet;
  if (options.arguments.empty()) quiet.emplace();
  if (rte_eal_init(static_cast<int>(arguments.size()), argv.data()) < 0) {
    return Failure{std::string("the EAL did not start (") + rte_strerror(rte_errno) + "): check the options after --"};
  }
  eal.main_lcore = rte_get_main_lcore();
  for (unsigned lcore = rte_get_next_lcore(-1U, 1, 0); lcore < RTE_MAX_LCORE; lcore = rte_get_next_lcore(lcore, 1, 0)) {
    eal.lcores.push_back(lcore);
  }
  running = eal;
  return eal;
}

}  // namespace estab::device
