#include "replay.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "estab/replay.h"
#include "report.h"
#include "services.h"
#include "trace.h"

namespace estab::app {
namespace {

void print_summary(const ReplayOptions& options, const ReplaySummary& summary) {
  const Stats& stats = summary.stats;
  fmt::print(
      "replayed {} packets of {}, {:.6f} s of virtual time: {} of the client's shifted to our numbers, {} as they "
      "were, {} of "
      "the recorded server's followed\n",
      thousands(summary.packets), options.in, summary.duration.to_seconds(), thousands(summary.rewritten),
      thousands(summary.as_they_were), thousands(summary.followed));
  if (summary.cut_short > 0) {
    fmt::print("{} packets were recorded without their last bytes and are malformed: record with tcpdump -s 0\n",
               thousands(summary.cut_short));
  }
  if (!summary.cut_off.empty())
    fmt::print("the capture breaks off ({}): what came before was replayed\n", summary.cut_off);
  if (summary.acknowledgments_added > 0) {
    fmt::print(
        "{} acknowledgments were added: the client had acknowledged what our server sent later than the recorded one\n",
        thousands(summary.acknowledgments_added));
  }
  const bool is_listening =
      std::any_of(options.listeners.begin(), options.listeners.end(),
                  [&summary](const ListenOption& listen) { return listen.port == summary.busiest_port; });
  if (stats.accepted == 0 && summary.busiest_port != 0 && !is_listening) {
    fmt::print("no connection was established; most of the capture's TCP packets are for port {}: --listen there\n",
               summary.busiest_port);
  }
  if (stats.active > 0)
    fmt::print("what is still open did not end in the capture, or packets are missing from it before the end\n");
  fmt::print("connections  accepted {}, closed {}, failed: {}, still open {}; retransmitted {}, mbufs leaked {}\n",
             thousands(stats.accepted), thousands(stats.closed), counts_line(stats.failures),
             counts_line(stats.by_state), thousands(stats.retransmitted), stats.mbufs_in_use);
  fmt::print("packets      {}\n", packets_line(stats));
  fmt::print("wrote        {}\n", options.out);
}

nlohmann::json to_json(const ReplayConfig& config, const ReplaySummary& summary) {
  const Stats& stats = summary.stats;
  return {{"workload", "replay"},
          {"duration_s", summary.duration.to_seconds()},
          {"time_wait_s", config.time_wait.to_seconds()},
          {"established", stats.accepted},
          {"closed", stats.closed},
          {"failed", stats.failed()},
          {"failures", stats.failures},
          {"retransmitted", stats.retransmitted},
          {"connections", connections_json(stats)},
          {"packets", packets_json(stats)},
          {"capture",
           {{"packets", summary.packets},
            {"followed", summary.followed},
            {"rewritten", summary.rewritten},
            {"as_they_were", summary.as_they_were},
            {"cut_short", summary.cut_short},
            {"acknowledgments_added", summary.acknowledgments_added}}},
          {"mbufs_leaked", stats.mbufs_in_use}};
}

}  // namespace

int replay(const ReplayOptions& options) {
  std::set<uint16_t> ports;
  for (const ListenOption& listen : options.listeners) {
    if (ports.insert(listen.port).second) continue;
    fmt::print(stderr, "estab: port {} is given twice: name each port once\n", listen.port);
    return 2;
  }
  ReplayConfig config;
  config.in = options.in;
  config.out = options.out;
  config.address = options.address;
  config.seed = options.seed;

  std::map<std::string, std::unique_ptr<Service>> services;
  Trace trace(options.trace, stdout);
  auto summary = estab::replay(config, [&](Endpoint& endpoint) {
    for (const ListenOption& listen : options.listeners) {
      auto& service = services[listen.service];
      if (service == nullptr) service = make_service(listen.service, endpoint);
      endpoint.listen(listen.port, *service, UINT32_MAX);
    }
    if (options.trace > 0) endpoint.set_observer(trace.server_end());
  });
  if (!summary) {
    fmt::print(stderr, "estab: {}\n", summary.error());
    return 1;
  }
  print_summary(options, *summary);
  if (!write_json(options.json_file, to_json(config, *summary))) return 1;
  return summary->stats.mbufs_in_use == 0 ? 0 : 1;
}

}  // namespace estab::app
