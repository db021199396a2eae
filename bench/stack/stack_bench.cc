// Connections straight into the stack, no device, beside the bare loop that bounds them.
#include <cstdlib>
#include <memory>

#include "bench/stack/bare_endpoint.h"
#include "bench/stack/client_peer.h"
#include "bench/stack/server_peer.h"
#include "bench/support/run.h"

namespace estab::bench {
namespace {

// A million connections take a while to set up: repetitions of one benchmark share them.
template <typename World, typename... Args>
World& world(Args... args) {
  static std::unique_ptr<World> kept;
  static std::tuple<Args...> of;
  if (kept == nullptr || of != std::tuple(args...)) {
    kept.reset();
    kept = std::make_unique<World>(args...);
    of = std::tuple(args...);
  }
  return *kept;
}

// Iterations are rounds of 32 connections; about 64 thousand connections a repetition.
constexpr int kRounds = 2000;
constexpr int kRoundsCold = 4000;

template <typename Peer, typename Meters>
void run_rounds(benchmark::State& state, Peer& peer, Meters& meters,
                const char* const (&names)[std::tuple_size_v<Meters>]) {
  const uint64_t finished = peer.finished();
  uint64_t rounds = 0;
  for (auto _ : state) {
    uint64_t before = 0, after = 0;
    for (const Meter& m : meters) before += m.sum();
    peer.round(meters);
    for (const Meter& m : meters) after += m.sum();
    state.SetIterationTime(static_cast<double>(after - before) / static_cast<double>(rte_get_tsc_hz()));
    ++rounds;
  }
  if (const std::string complaint = peer.complaint(); !complaint.empty()) state.SkipWithError(complaint.c_str());
  if (peer.finished() - finished != rounds * kBurst) state.SkipWithError("connections did not finish");
  double cycles = 0;
  for (size_t i = 0; i < std::size(names); ++i) {
    state.counters[names[i]] = nanoseconds(meters[i].cycles()) / kBurst;
    cycles += meters[i].cycles();
  }
  report(state, cycles / kBurst);
}

// The first argument is how many connections are live, the second whether their segments carry timestamps and the SYN
// all options.
template <typename Endpoint>
void server(benchmark::State& state) {
  auto& peer = world<ServerPeer<Endpoint>>(static_cast<uint32_t>(state.range(0)), state.range(1) != 0);
  ServerMeters meters;
  run_rounds(state, peer, meters, {"syn_ns", "ack_ns", "fin_ns", "last_ack_ns"});
}

template <typename Endpoint>
void syn_stateless(benchmark::State& state) {
  SynPeer<Endpoint> peer;
  Meter meter;
  for (auto _ : state) {
    peer.round(meter);
    meter.next(state);
  }
  if (const std::string complaint = peer.complaint(); !complaint.empty()) state.SkipWithError(complaint.c_str());
  report(state, meter, kBurst);
}

template <typename Endpoint>
void client(benchmark::State& state) {
  auto& peer = world<ClientPeer<Endpoint>>(static_cast<uint32_t>(state.range(0)));
  ClientMeters meters{Meter(), Meter(), Meter(), Meter(500)};  // some two thousand TIME-WAITs end together
  run_rounds(state, peer, meters, {"connect_ns", "syn_ack_ns", "fin_ack_ns", "expire_ns"});
}

constexpr int64_t kThousand = 1000, kMillion = 1'000'000;

void add(const char* name, void (*run)(benchmark::State&), const std::vector<std::vector<int64_t>>& arguments) {
  for (const auto& a : arguments) {
    benchmark::RegisterBenchmark(name, run)
        ->Args(a)
        ->Iterations(a[0] >= kMillion ? kRoundsCold : kRounds)
        ->UseManualTime();
  }
}

void add_all() {
  std::vector<std::vector<int64_t>> servers{{10 * kThousand, 0}, {10 * kThousand, 1}, {kMillion, 0}};
  std::vector<std::vector<int64_t>> clients{{10 * kThousand}, {kMillion}};
  if (std::getenv("ESTAB_BENCH_10M") != nullptr) servers.push_back({10 * kMillion, 0});  // 8 GB
  add("syn_stateless/bare", syn_stateless<BareEndpoint>, {{0}});
  add("syn_stateless/estab", syn_stateless<StackEndpoint>, {{0}});
  for (const auto& s : servers) {
    add("server/bare", server<BareEndpoint>, {s});
    add("server/estab", server<StackEndpoint>, {s});
  }
  for (const auto& c : clients) {
    add("client/bare", client<BareEndpoint>, {c});
    add("client/estab", client<StackEndpoint>, {c});
  }
}

}  // namespace
}  // namespace estab::bench

int main(int argc, char** argv) {
  estab::bench::add_all();
  return estab::bench::run(argc, argv);
}
