#include "report.h"

#include <fmt/core.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace estab::app {
namespace {

double per(uint64_t amount, uint64_t count) {
  return count == 0 ? 0 : static_cast<double>(amount) / static_cast<double>(count);
}

}  // namespace

nlohmann::json packets_json(const Stats& stats) {
  return {{"rx", stats.rx_packets}, {"tx", stats.tx_packets}, {"dropped", stats.dropped}};
}

nlohmann::json cookies_json(const Stats& stats) {
  return {{"sent", stats.cookies_sent}, {"accepted", stats.cookies_accepted}, {"refused", stats.cookies_refused}};
}

nlohmann::json connections_json(const Stats& stats) {
  return {
      {"accepted", stats.accepted}, {"active", stats.active}, {"closed", stats.closed}, {"by_state", stats.by_state}};
}

nlohmann::json cycles_json(const Stats& stats, uint64_t connections) {
  const double cycles = per(stats.busy_cycles, connections);
  return {{"cycles_per_connection", cycles},
          {"ns_per_connection", cycles * stats.ns_per_cycle},
          {"cycles_per_packet", per(stats.busy_cycles, stats.rx_packets + stats.tx_packets)},
          {"mbufs_allocated", stats.mbufs_allocated},
          {"replies_in_place", stats.replies_in_place}};
}

std::string cycles_line(const std::string& who, const Stats& stats, uint64_t connections) {
  const double cycles = per(stats.busy_cycles, connections);
  const uint64_t packets = stats.rx_packets + stats.tx_packets;
  return fmt::format("{:<12} {:.0f} cycles ({:.0f} ns) a connection, {:.0f} cycles ({:.0f} ns) a packet, {} packets",
                     who, cycles, cycles * stats.ns_per_cycle, per(stats.busy_cycles, packets),
                     per(stats.busy_cycles, packets) * stats.ns_per_cycle, thousands(packets));
}

std::string counts_line(const std::map<std::string, uint64_t>& counts) {
  std::string line;
  for (const auto& [name, count] : counts)
    line += fmt::format("{}{} {}", line.empty() ? "" : ", ", name, thousands(count));
  return line.empty() ? "none" : line;
}

std::string packets_line(const Stats& stats) {
  return fmt::format("{} received, {} sent, dropped: {}", thousands(stats.rx_packets), thousands(stats.tx_packets),
                     counts_line(stats.dropped));
}

std::string cookies_line(const Stats& stats) {
  return fmt::format("{} sent, {} came back, {} forged or too old", thousands(stats.cookies_sent),
                     thousands(stats.cookies_accepted), thousands(stats.cookies_refused));
}

std::string thousands(uint64_t number) {
  std::string digits = std::to_string(number);
  for (ptrdiff_t at = static_cast<ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<size_t>(at), ",");
  return digits;
}

bool write_json(const std::string& file, const nlohmann::json& object) {
  if (file.empty()) return true;
  std::ofstream out(file);
  out << object.dump(2) << '\n';
  if (out.flush()) return true;
  fmt::print(stderr, "estab: cannot write {} ({}): name a file in a folder that exists and is writable\n", file,
             std::strerror(errno));
  return false;
}

}  // namespace estab::app
