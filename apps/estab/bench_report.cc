#include "bench_report.h"

#include <fmt/core.h>

namespace estab::app {
namespace {

double per_second(uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

std::string times_line(const Histogram& times) {
  const auto us = [](Duration d) { return static_cast<double>(d.ns()) / 1000; };
  return fmt::format("p50 {:.1f}, p90 {:.1f}, p99 {:.1f}, p99.9 {:.1f}, max {:.1f} us", us(times.percentile(0.5)),
                     us(times.percentile(0.9)), us(times.percentile(0.99)), us(times.percentile(0.999)),
                     us(times.max()));
}

nlohmann::json times_json(const Histogram& times) {
  const auto us = [](Duration d) { return static_cast<double>(d.ns()) / 1000; };
  return {{"p50", us(times.percentile(0.5))},
          {"p90", us(times.percentile(0.9))},
          {"p99", us(times.percentile(0.99))},
          {"p999", us(times.percentile(0.999))},
          {"max", us(times.max())}};
}

const char* time_wait_side(const BenchOptions& options) {
  if (options.close_by_rst || options.workload == Workload::Syn) return "on neither side: connections end by RST";
  return options.close_by == CloseBy::Server ? "on the server's side" : "on the client's side";
}

Stats sum(const Stats& a, const Stats& b) {
  Stats all = a;
  all.rx_packets += b.rx_packets;
  all.tx_packets += b.tx_packets;
  all.retransmitted += b.retransmitted;
  for (const auto& [reason, count] : b.dropped) all.dropped[reason] += count;
  return all;
}

}  // namespace

void print_plan(const BenchOptions& options, const Endpoint& client, const Endpoint* server,
                const SocketAddress& address) {
  fmt::print("workload {}: {}, {} at once{}\n", workload_name(options.workload),
             options.connections > 0
                 ? thousands(options.connections) + (options.workload == Workload::Rr ? " requests" : " connections")
                 : std::string("until the time is up"),
             thousands(options.concurrency), options.rate > 0 ? fmt::format(", {:.0f} a second", options.rate) : "");
  fmt::print("client  {}\n", client.describe());
  if (server != nullptr) fmt::print("server  {}\n", server->describe());
  fmt::print("to      {}; TIME-WAIT of {:g} s {}\n", address.to_string(), options.endpoint.time_wait.to_seconds(),
             time_wait_side(options));
  std::fflush(stdout);
}

void print_summary(const BenchResult& result) {
  const Generator::Counts& counts = result.counts;
  const Stats all = result.server ? sum(result.client, *result.server) : result.client;
  fmt::print("\nattempted    {}\nestablished  {}\nclosed       {}\nfailed       {}{}\n", thousands(counts.attempted),
             thousands(counts.established), thousands(counts.closed), thousands(counts.failed()),
             counts.failed() > 0 ? " (" + counts_line(counts.failures) + ")" : "");
  fmt::print("retransmitted {} segments\n", thousands(all.retransmitted));
  if (counts.requests > 0) {
    fmt::print("requests     {} answered, {} a second\n", thousands(counts.requests),
               thousands(static_cast<uint64_t>(per_second(counts.requests, result.seconds))));
  }
  fmt::print("rate         {} connections a second over {:.2f} s\n", thousands(static_cast<uint64_t>(result.rate())),
             result.seconds);
  fmt::print("{}\n", cycles_line("client", result.client, counts.established));
  if (result.server) fmt::print("{}\n", cycles_line("server", *result.server, counts.established));
  fmt::print("             (TSC cycles; polls that found nothing to do are left out)\n");
  fmt::print("handshake    {}\n", times_line(*result.handshakes));
  if (result.round_trips->count() > 0) fmt::print("round trip   {}\n", times_line(*result.round_trips));
  fmt::print("packets      {}\n", packets_line(all));
  fmt::print("left behind  {} connections, {} mbufs{}\n", thousands(result.connections_left), result.leaked(),
             result.leaked() > 0 ? ": LEAKED" : "");
}

nlohmann::json bench_json(const BenchOptions& options, const BenchResult& result) {
  const Generator::Counts& counts = result.counts;
  const Stats all = result.server ? sum(result.client, *result.server) : result.client;
  nlohmann::json object = {
      {"workload", workload_name(options.workload)},
      {"duration_s", result.seconds},
      {"time_wait_s", options.endpoint.time_wait.to_seconds()},
      {"attempted", counts.attempted},
      {"established", counts.established},
      {"closed", counts.closed},
      {"failed", counts.failed()},
      {"failures", counts.failures},
      {"retransmitted", all.retransmitted},
      {"connections_per_second", result.rate()},
      {"handshake_us", times_json(*result.handshakes)},
      {"client", cycles_json(result.client, counts.established)},
      {"packets", packets_json(all)},
      {"connections_left", result.connections_left},
      {"mbufs_leaked", result.leaked()},
  };
  if (result.server) object["server"] = cycles_json(*result.server, counts.established);
  if (counts.requests > 0) {
    object["requests"] = counts.requests;
    object["requests_per_second"] = per_second(counts.requests, result.seconds);
    object["round_trip_us"] = times_json(*result.round_trips);
  }
  return object;
}

}  // namespace estab::app
