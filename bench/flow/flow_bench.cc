// The flow table against rte_hash, lock-free and looked up in bulk: the same keys in the same order, bursts of 64.
#include <rte_hash.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <vector>

#include "base/lazy_array.h"
#include "bench/support/meter.h"
#include "bench/support/run.h"
#include "bench/support/shuffle.h"
#include "flow/flow_hash.h"
#include "flow/flow_table.h"

namespace estab::bench {
namespace {

constexpr uint32_t kBurst = 64;  // as many as the stack takes at a time, and rte_hash
using Tuples = std::array<wire::Tuple, kBurst>;

wire::Tuple tuple_of(uint32_t i) {
  return {wire::Ipv4Address(198, 18, 0, 1), wire::Ipv4Address(0x0a000000 + i / 50000), wire::Port(80),
          wire::Port(static_cast<uint16_t>(1024 + i % 50000))};
}

// What the stack does with a burst: hash and prefetch buckets, prefetch records, compare keys in the records.
class EstabTable {
 public:
  explicit EstabTable(uint32_t size) {
    table_ = std::make_unique<flow::FlowTable>(size);
    records_ = std::make_unique<LazyArray<Record>>(size);
    for (uint32_t i = 0; i < size; ++i) {
      (*records_)[i].tuple = tuple_of(i);
      if (!table_->insert(hash_(tuple_of(i)), i)) ++failures;
    }
  }
  void find(const Tuples& tuples, bool hit) {
    const Hashes hashes = hash(tuples);
    std::array<uint32_t, kBurst> found;
    table_->find_burst(
        hashes, found, [&](uint32_t index) { __builtin_prefetch(&(*records_)[index]); },
        [&](size_t i, uint32_t index) { return (*records_)[index].tuple == tuples[i]; });
    for (const uint32_t index : found) {
      if ((index != flow::kNoFlow) != hit) ++failures;
    }
  }
  void churn(const Tuples& tuples, const std::array<uint32_t, kBurst>& indices) {
    const Hashes hashes = hash(tuples);
    for (uint32_t i = 0; i < kBurst; ++i) {
      if (!table_->erase(hashes[i], indices[i])) ++failures;
    }
    for (uint32_t i = 0; i < kBurst; ++i) {
      if (!table_->insert(hashes[i], indices[i])) ++failures;
    }
  }
  uint64_t failures = 0;

 private:
  using Hashes = std::array<uint64_t, kBurst>;
  struct alignas(64) Record {
    wire::Tuple tuple;
  };
  Hashes hash(const Tuples& tuples) const {
    Hashes hashes;
    for (uint32_t i = 0; i < kBurst; ++i) {
      hashes[i] = hash_(tuples[i]);
      table_->prefetch(hashes[i]);
    }
    return hashes;
  }
  const flow::FlowHash hash_{SipKey{1, 2}};
  std::unique_ptr<flow::FlowTable> table_;
  std::unique_ptr<LazyArray<Record>> records_;
};

class DpdkTable {
 public:
  explicit DpdkTable(uint32_t size) {
    rte_hash_parameters parameters{};
    parameters.name = "bench";
    parameters.entries = 2 * size;  // as many buckets as ours has
    parameters.key_len = sizeof(wire::Tuple);
    parameters.extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF;
    hash_ = rte_hash_create(&parameters);
    if (hash_ == nullptr) {
      failures = 1;
      return;
    }
    for (uint32_t i = 0; i < size; ++i) {
      const wire::Tuple t = tuple_of(i);
      if (rte_hash_add_key(hash_, &t) < 0) ++failures;
    }
  }
  ~DpdkTable() { rte_hash_free(hash_); }
  void find(const Tuples& tuples, bool hit) {
    std::array<const void*, kBurst> keys;
    std::array<int32_t, kBurst> positions;
    for (uint32_t i = 0; i < kBurst; ++i) keys[i] = &tuples[i];
    rte_hash_lookup_bulk(hash_, keys.data(), kBurst, positions.data());
    for (const int32_t position : positions) {
      if ((position >= 0) != hit) ++failures;
    }
  }
  void churn(const Tuples& tuples, const std::array<uint32_t, kBurst>&) {
    std::array<int32_t, kBurst> positions;
    for (uint32_t i = 0; i < kBurst; ++i) {
      positions[i] = rte_hash_del_key(hash_, &tuples[i]);
      if (positions[i] < 0) ++failures;
    }
    for (const int32_t position : positions) {
      if (rte_hash_free_key_with_position(hash_, position) != 0) ++failures;
    }
    for (const wire::Tuple& t : tuples) {
      if (rte_hash_add_key(hash_, &t) < 0) ++failures;
    }
  }
  uint64_t failures = 0;

 private:
  rte_hash* hash_ = nullptr;
};

enum class What : int64_t { Hit, Miss, Churn };

template <typename Table>
void flow_table(benchmark::State& state, What what) {
  const auto size = static_cast<uint32_t>(state.range(0));
  static std::unique_ptr<Table> kept;
  static uint32_t of = 0;
  if (of != size) {
    kept.reset();
    kept = std::make_unique<Table>(size);
    of = size;
  }
  Table& table = *kept;
  const Shuffle shuffle(size, 42);
  uint32_t at = 0;
  Tuples tuples;
  std::array<uint32_t, kBurst> indices;
  Meter meter;
  for (auto _ : state) {
    for (uint32_t i = 0; i < kBurst; ++i, ++at) {
      indices[i] = shuffle(at % size);
      tuples[i] = tuple_of(indices[i] + (what == What::Miss ? size : 0));
    }
    meter.start();
    if (what == What::Churn) {
      table.churn(tuples, indices);
    } else {
      table.find(tuples, what == What::Hit);
    }
    meter.stop();
    meter.next(state);
  }
  if (table.failures != 0) state.SkipWithError("a key was lost, found or refused");
  report(state, meter, kBurst);
}

template <typename Table>
void add(const std::string& name, int64_t size) {
  for (const auto& [what, label] : {std::pair{What::Hit, "hit"}, {What::Miss, "miss"}, {What::Churn, "insert_erase"}}) {
    benchmark::RegisterBenchmark(("flow_" + std::string(label) + "/" + name).c_str(),
                                 [what = what](benchmark::State& state) { flow_table<Table>(state, what); })
        ->Arg(size)
        ->Iterations(10000)
        ->UseManualTime();
  }
}

}  // namespace
}  // namespace estab::bench

int main(int argc, char** argv) {
  using namespace estab::bench;
  std::vector<int64_t> sizes{10'000, 1'000'000};
  if (std::getenv("ESTAB_BENCH_10M") != nullptr) sizes.push_back(10'000'000);  // 3 GB
  for (const int64_t size : sizes) {
    add<DpdkTable>("rte_hash", size);
    add<EstabTable>("estab", size);
  }
  return run(argc, argv);
}
