#include "bench.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <thread>

#include "bench_report.h"
#include "generator.h"
#include "services.h"
#include "signals.h"
#include "trace.h"

namespace estab::app {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr uint16_t kServerPort = 5001;
constexpr double kFastest = 4e6;         // connections a second that sizes are planned for when no rate is given
constexpr uint32_t kPortsEach = 60'000;  // of an address, towards one server port

double seconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

// Connections that exist at once at most, those in TIME-WAIT included.
uint64_t standing(const BenchOptions& options, const Config& config) {
  const double rate = options.rate > 0 && options.workload != Workload::Rr ? options.rate : kFastest;
  double most = rate * (config.time_wait.to_seconds() + 0.1);
  if (options.connections > 0 && options.workload != Workload::Rr)
    most = std::min(most, static_cast<double>(options.connections));
  if (options.workload == Workload::Rr) most = 0;
  return static_cast<uint64_t>(most) + options.concurrency;
}

void plan(BenchOptions& options) {
  Config& config = options.endpoint;
  const uint64_t most = standing(options, config);
  if (options.source_addresses == 0) {
    const bool known = !options.connect || options.connections > 0 || options.rate > 0;
    options.source_addresses = known ? static_cast<uint32_t>(std::min<uint64_t>(most / kPortsEach + 1, 4096)) : 1;
  }
  config.addresses = options.source_addresses;
  if (config.max_connections == 0)
    config.max_connections = static_cast<uint32_t>(std::min<uint64_t>(most + most / 8 + 1024, 1u << 28));
  if (config.mbufs == 0) config.mbufs = std::min<uint32_t>(options.concurrency * 4 + 16384, 1u << 22);
}

// The two ends of a run. The server's is empty when it is elsewhere.
struct Ends {
  std::unique_ptr<Endpoint> client;
  std::unique_ptr<Endpoint> server;
  std::unique_ptr<Service> service;
  SocketAddress address;
};

std::unique_ptr<Service> server_service(Endpoint& endpoint, const BenchOptions& options) {
  const bool first = options.close_by == CloseBy::Server;
  switch (options.workload) {
    case Workload::Cc:
      return first ? make_closer(options.close_by_rst) : make_service("discard", endpoint);
    case Workload::Crr:
    case Workload::Rr:
      return make_responder(endpoint, options.request, options.response, first, options.close_by_rst);
    case Workload::Hold:
    case Workload::Syn:
      return make_service("discard", endpoint);
  }
  return nullptr;
}

Result<Ends> open_ends(BenchOptions& options) {
  Ends ends;
  Config& client = options.endpoint;
  if (options.connect) {
    ends.address = *options.connect;
  } else {
    client.lcores = options.one_core ? 1 : 2;
    auto rings = create_ring_pair("bench", client);
    if (!rings) return rings.failure();
    client.device = rings->first;
    Config server = client;
    server.device = rings->second;
    server.addresses = 1;
    if (client.address == Cidr{}) client.address = Cidr{Address{0xc6120002}, 15};  // 198.18.0.2/15
    server.address = Cidr{Address{client.address.address.value + client.addresses}, client.address.length};
    ends.address = {server.address.address, kServerPort};
    auto created = Endpoint::create(server);
    if (!created) return created.failure();
    ends.server = std::move(*created);
    ends.service = server_service(*ends.server, options);
    ends.server->listen(kServerPort, *ends.service, std::max<uint32_t>(options.concurrency * 2, 4096));
  }
  auto created = Endpoint::create(client);
  if (!created) return created.failure();
  ends.client = std::move(*created);
  return ends;
}

// Runs both ends until done(): on lcores of their own, or by turns on this thread.
class Runner {
 public:
  Runner(Ends& ends, bool one_core) : ends_(ends) {
    if (one_core) return;
    if (ends_.server != nullptr && !ends_.server->start()) return;
    if (!ends_.client->start()) {
      if (ends_.server != nullptr) ends_.server->stop();
      return;
    }
    threads_ = true;
  }

  bool threads() const { return threads_; }

  template <typename Done>
  void until(Done&& done) {
    while (!done()) {
      if (threads_) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        continue;
      }
      for (int i = 0; i < 512; ++i) {
        ends_.client->poll();
        if (ends_.server != nullptr) ends_.server->poll();
      }
    }
  }

 private:
  Ends& ends_;
  bool threads_ = false;
};

Generator::Counts counts_now(Endpoint& client, const Generator& generator) {
  Generator::Counts counts;
  std::atomic<bool> done = false;
  client.post([&] {
    counts = generator.counts();
    done = true;
  });
  while (!done) std::this_thread::yield();
  return counts;
}

uint64_t connections_left(Ends& ends) {
  return ends.client->stats().active + (ends.server == nullptr ? 0 : ends.server->stats().active);
}

void print_progress(const BenchOptions& options, const Generator::Counts& now, const Generator::Counts& before,
                    double seconds, double span) {
  const bool rr = options.workload == Workload::Rr;
  const uint64_t done = rr                                   ? now.requests - before.requests
                        : options.workload == Workload::Hold ? now.established - before.established
                                                             : now.closed - before.closed;
  fmt::print("{:7.1f} s  {} {}/s, {} established, {} closed, {} failed\n", seconds,
             thousands(static_cast<uint64_t>(static_cast<double>(done) / span)), rr ? "requests" : "connections",
             thousands(now.established), thousands(now.closed), thousands(now.failed()));
  std::fflush(stdout);
}

// The measured part: from the first connection until as many as asked for have ended, or the time is up.
void measure(const BenchOptions& options, Ends& ends, Generator& generator, Runner& runner, BenchResult& result) {
  const auto begin = SteadyClock::now();
  double shown_at = 0;
  Generator::Counts shown;
  const bool endless = options.connections == 0 || options.workload == Workload::Hold;
  const double limit = options.duration ? options.duration->to_seconds() : endless ? 10 : INFINITY;
  double full_at = -1;  // hold: when all stood
  runner.until([&] {
    const double seconds = result.seconds = seconds_since(begin);
    if (seconds - shown_at >= 1) {
      const Generator::Counts now = counts_now(*ends.client, generator);
      print_progress(options, now, shown, seconds, seconds - shown_at);
      shown = now;
      shown_at = seconds;
    }
    if (interrupted()) return true;
    if (options.workload != Workload::Hold) return generator.reached() || seconds >= limit;
    if (full_at < 0 && generator.reached()) full_at = seconds;
    return full_at >= 0 && seconds - full_at >= limit;
  });
  result.opening_seconds = full_at >= 0 ? full_at : result.seconds;
}

}  // namespace

int bench(const BenchOptions& given) {
  BenchOptions options = given;
  if (options.workload == Workload::Hold && options.connections == 0) options.connections = options.concurrency;
  plan(options);
  auto opened = open_ends(options);
  if (!opened) {
    fmt::print(stderr, "estab: {}\n", opened.error());
    return 1;
  }
  Ends& ends = *opened;
  auto generator = std::make_unique<Generator>(*ends.client, ends.address, options);
  std::optional<Trace> trace(std::in_place, options.trace, stdout);
  if (options.trace > 0) {
    ends.client->set_observer(trace->client_end());
    if (ends.server != nullptr) ends.server->set_observer(trace->server_end());
  }
  ends.client->on_poll([&generator] { generator->work(); });
  print_plan(options, *ends.client, ends.server.get(), ends.address);
  catch_signals();
  Runner runner(ends, options.one_core);
  if (!runner.threads() && !options.one_core) fmt::print("one lcore: client and server take turns on it\n");

  ends.client->post([&generator] { generator->start(); });
  BenchResult result;
  measure(options, ends, *generator, runner, result);
  // What is under way may end; then TIME-WAIT is waited for, where that is not long, to see that nothing stays behind.
  ends.client->post([&generator] { generator->finish(); });
  const auto closing = SteadyClock::now();
  runner.until([&] { return generator->idle() || seconds_since(closing) > 10; });
  const double patience = options.endpoint.time_wait.to_seconds() + 1;
  if (patience <= 5)
    runner.until([&] { return connections_left(ends) == 0 || seconds_since(closing) > 10 + patience; });
  result.connections_left = connections_left(ends);

  ends.client->stop();
  if (ends.server != nullptr) ends.server->stop();
  for (int i = 0; i < 64; ++i) {  // what is still in the rings
    ends.client->poll();
    if (ends.server != nullptr) ends.server->poll();
  }
  ends.client->release();
  if (ends.server != nullptr) ends.server->release();
  trace.reset();  // draws what never arrived
  result.counts = generator->counts();
  result.client = ends.client->stats();
  if (ends.server != nullptr) result.server = ends.server->stats();
  result.handshakes = &generator->handshakes();
  result.round_trips = &generator->round_trips();
  print_summary(result);
  if (!write_json(options.json_file, bench_json(options, result))) return 1;
  return result.counts.failed() == 0 && result.leaked() == 0 && result.counts.established > 0 ? 0 : 1;
}

}  // namespace estab::app
