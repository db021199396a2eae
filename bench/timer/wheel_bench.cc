// The wheel against rte_timer, each with a million timers standing.
#include <rte_lcore.h>
#include <rte_timer.h>

#include <memory>
#include <vector>

#include "base/lazy_array.h"
#include "base/random.h"
#include "bench/support/meter.h"
#include "bench/support/run.h"
#include "timer/wheel.h"

namespace estab::bench {
namespace {

constexpr uint32_t kStanding = 1'000'000;
constexpr uint32_t kBatch = 64;
constexpr uint32_t kSpanMs = 60'000;  // standing timers are a minute ahead at most, like retransmissions and TIME-WAITs

uint64_t expired = 0;

class EstabTimers {
 public:
  EstabTimers() : nodes_(kStanding + kBatch), wheel_(NodeOf{nodes_.data()}, 1'000'000) {
    for (uint32_t i = 0; i < kStanding + kBatch; ++i) nodes_[i] = timer::TimerNode{};
  }
  void start(uint32_t i, uint32_t ms) { wheel_.schedule(i, wheel_.now() + ms); }
  void stop(uint32_t i) { wheel_.cancel(i); }
  void start_soon(uint32_t i) { wheel_.schedule(i, wheel_.now() + 1); }
  void wait() {}
  void expire() {
    wheel_.advance(wheel_.now() + 1, [](uint32_t) { ++expired; });
  }

 private:
  struct NodeOf {
    timer::TimerNode* nodes;
    timer::TimerNode& operator()(uint32_t i) const { return nodes[i]; }
  };
  LazyArray<timer::TimerNode> nodes_;
  timer::Wheel<NodeOf> wheel_;
};

class DpdkTimers {
 public:
  DpdkTimers() : timers_(kStanding + kBatch) {
    rte_timer_subsystem_init();
    for (uint32_t i = 0; i < kStanding + kBatch; ++i) rte_timer_init(&timers_[i]);
  }
  // An hour more, so that none of the standing ones expires in real time.
  void start(uint32_t i, uint32_t ms) { reset(i, (3'600'000 + uint64_t{ms}) * rte_get_timer_hz() / 1000); }
  void stop(uint32_t i) { rte_timer_stop(&timers_[i]); }
  void start_soon(uint32_t i) { reset(i, 1); }
  void wait() { rte_delay_us_block(1); }
  void expire() { rte_timer_manage(); }

 private:
  void reset(uint32_t i, uint64_t ticks) {
    rte_timer_reset(
        &timers_[i], ticks, SINGLE, rte_lcore_id(), [](rte_timer*, void*) { ++expired; }, nullptr);
  }
  std::vector<rte_timer> timers_;
};

template <typename Timers>
Timers& standing() {
  static std::unique_ptr<Timers> timers;
  if (timers == nullptr) {
    timers = std::make_unique<Timers>();
    Random random(1);
    for (uint32_t i = 0; i < kStanding; ++i) timers->start(i, 1 + random.below(kSpanMs));
  }
  return *timers;
}

// Stops a random timer and starts it again at another time.
template <typename Timers>
void restart(benchmark::State& state) {
  Timers& timers = standing<Timers>();
  Random random(2);
  Meter meter(500);
  std::array<std::pair<uint32_t, uint32_t>, kBatch> batch;
  for (auto _ : state) {
    for (auto& [index, ms] : batch) {
      index = random.below(kStanding);
      ms = 1 + random.below(kSpanMs);
    }
    meter.start();
    for (const auto& [index, ms] : batch) {
      timers.stop(index);
      timers.start(index, ms);
    }
    meter.stop();
    meter.next(state);
  }
  report(state, meter, kBatch);
}

// Starts timers that are due at once, beside the standing ones, and lets them expire.
template <typename Timers>
void expire(benchmark::State& state) {
  Timers& timers = standing<Timers>();
  Meter meter(500);
  expired = 0;
  uint64_t started = 0;
  for (auto _ : state) {
    meter.start();
    for (uint32_t i = 0; i < kBatch; ++i) timers.start_soon(kStanding + i);
    meter.stop();
    timers.wait();
    started += kBatch;
    meter.start();
    timers.expire();
    meter.stop();
    meter.next(state);
  }
  // The wheel's time goes on, so a few standing ones have expired too.
  if (expired < started || expired > started + kStanding) state.SkipWithError("timers were lost");
  report(state, 2 * meter.cycles() / kBatch);  // two samples a batch
}

BENCHMARK(restart<DpdkTimers>)->Name("timer_restart/rte_timer")->Iterations(1000)->UseManualTime();
BENCHMARK(restart<EstabTimers>)->Name("timer_restart/estab")->Iterations(1000)->UseManualTime();
BENCHMARK(expire<DpdkTimers>)->Name("timer_start_expire/rte_timer")->Iterations(1000)->UseManualTime();
BENCHMARK(expire<EstabTimers>)->Name("timer_start_expire/estab")->Iterations(1000)->UseManualTime();

}  // namespace
}  // namespace estab::bench

int main(int argc, char** argv) {
  return estab::bench::run(argc, argv);
}
