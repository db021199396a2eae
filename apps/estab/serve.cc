#include "serve.h"

#include <fmt/core.h>

#include <chrono>
#include <map>
#include <thread>

#include "report.h"
#include "services.h"
#include "signals.h"
#include "trace.h"

namespace estab::app {
namespace {

using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

// Lets the worker run, or polls where it has no lcore of its own, until `done`.
template <typename Done>
void run_until(Endpoint& endpoint, bool own_lcore, Done&& done) {
  while (!done()) {
    if (own_lcore) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    } else {
      for (int i = 0; i < 256; ++i) endpoint.poll();
    }
  }
}

void print_stats(const Stats& stats, double seconds) {
  fmt::print("{:8.1f} s  accepted {}, active {}, closed {}, failed {}, retransmitted {}; {}\n", seconds,
             thousands(stats.accepted), thousands(stats.active), thousands(stats.closed), thousands(stats.failed()),
             thousands(stats.retransmitted), packets_line(stats));
  std::fflush(stdout);
}

// Connections get a second to close in order, then a RST.
void close_all(Endpoint& endpoint, bool own_lcore) {
  endpoint.post([&endpoint] { endpoint.for_each_connection([](Connection connection) { connection.close(); }); });
  const auto begin = SteadyClock::now();
  const auto open = [&endpoint] {
    const Stats stats = endpoint.stats();
    const auto waiting = stats.by_state.find("TIME-WAIT");
    return stats.active - (waiting == stats.by_state.end() ? 0 : waiting->second);
  };
  run_until(endpoint, own_lcore, [&] { return open() == 0 || seconds_since(begin) > 1; });
  endpoint.post([&endpoint] { endpoint.for_each_connection([](Connection connection) { connection.abort(); }); });
  run_until(endpoint, own_lcore, [&] { return open() == 0 || seconds_since(begin) > 2; });
}

}  // namespace

int serve(const ServeOptions& options) {
  auto created = Endpoint::create(options.endpoint);
  if (!created) {
    fmt::print(stderr, "estab: {}\n", created.error());
    return 1;
  }
  Endpoint& endpoint = **created;
  std::map<std::string, std::unique_ptr<Service>> services;
  for (const ListenOption& listen : options.listeners) {
    auto& service = services[listen.service];
    if (service == nullptr) service = make_service(listen.service, endpoint);
    if (!endpoint.listen(listen.port, *service, options.backlog)) {
      fmt::print(stderr, "estab: port {} is given twice: name each port once\n", listen.port);
      return 2;
    }
  }
  fmt::print("{}\n", endpoint.describe());
  for (const ListenOption& listen : options.listeners)
    fmt::print("listening on port {}: {}\n", listen.port, listen.service);
  fmt::print("TIME-WAIT lasts {:g} s; ends with an interrupt{}\n", options.endpoint.time_wait.to_seconds(),
             options.duration ? fmt::format(" or after {:g} s", options.duration->to_seconds()) : "");
  std::fflush(stdout);

  Trace trace(options.trace, stdout);
  if (options.trace > 0) endpoint.set_observer(trace.server_end());
  catch_signals();
  const bool own_lcore = endpoint.start();
  const auto begin = SteadyClock::now();
  double next_stats = options.stats_interval ? options.stats_interval->to_seconds() : 0;
  run_until(endpoint, own_lcore, [&] {
    const double seconds = seconds_since(begin);
    if (options.stats_interval && seconds >= next_stats) {
      print_stats(endpoint.stats(), seconds);
      next_stats += options.stats_interval->to_seconds();
    }
    return interrupted() || (options.duration && seconds >= options.duration->to_seconds());
  });
  const double duration = seconds_since(begin);
  close_all(endpoint, own_lcore);
  endpoint.release();

  const Stats stats = endpoint.stats();
  fmt::print("\nserved {:.1f} s: accepted {}, closed {}, failed: {}, retransmitted {}, mbufs leaked {}\n", duration,
             thousands(stats.accepted), thousands(stats.closed), counts_line(stats.failures),
             thousands(stats.retransmitted), stats.mbufs_in_use);
  fmt::print("packets      {}\n", packets_line(stats));
  if (stats.cookies_sent > 0) fmt::print("SYN cookies  {}\n", cookies_line(stats));
  fmt::print("{}\n", cycles_line("server", stats, stats.accepted));
  const nlohmann::json object = {{"duration_s", duration},
                                 {"time_wait_s", options.endpoint.time_wait.to_seconds()},
                                 {"established", stats.accepted},
                                 {"closed", stats.closed},
                                 {"failed", stats.failed()},
                                 {"failures", stats.failures},
                                 {"retransmitted", stats.retransmitted},
                                 {"connections", connections_json(stats)},
                                 {"server", cycles_json(stats, stats.accepted)},
                                 {"packets", packets_json(stats)},
                                 {"syn_cookies", cookies_json(stats)},
                                 {"mbufs_leaked", stats.mbufs_in_use}};
  if (!write_json(options.json_file, object)) return 1;
  return stats.mbufs_in_use == 0 ? 0 : 1;
}

}  // namespace estab::app
