// What a bench says: its plan, its summary, its JSON.
#pragma once

#include <optional>

#include "generator.h"
#include "report.h"

namespace estab::app {

struct BenchResult {
  double seconds = 0;          // of the whole measurement
  double opening_seconds = 0;  // of the part in which connections were opened: with hold the ramp, else all of it
  Generator::Counts counts;
  Stats client;
  std::optional<Stats> server;
  const Histogram* handshakes = nullptr;
  const Histogram* round_trips = nullptr;
  uint64_t connections_left = 0;

  double rate() const { return opening_seconds > 0 ? static_cast<double>(counts.established) / opening_seconds : 0; }
  uint64_t leaked() const { return client.mbufs_in_use + (server ? server->mbufs_in_use : 0); }
};

void print_plan(const BenchOptions& options, const Endpoint& client, const Endpoint* server,
                const SocketAddress& address);
void print_summary(const BenchResult& result);
nlohmann::json bench_json(const BenchOptions& options, const BenchResult& result);

}  // namespace estab::app
