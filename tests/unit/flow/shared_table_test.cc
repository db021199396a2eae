// Readers of the flow table while its owner changes it. Meant for the thread sanitizer, and true without it.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/random.h"
#include "flow/flow_hash.h"
#include "flow/flow_table.h"
#include "flow/pool.h"
#include "flow/shared_record.h"

namespace estab::flow {
namespace {

// A value that shows when it is torn: all its words follow from the first.
struct Key {
  std::array<uint32_t, 4> words{};

  static Key of(uint32_t id) { return {{id, id * 3, id ^ 0x5a5a5a5a, ~id}}; }
  bool whole() const { return *this == of(words[0]); }
  bool operator==(const Key&) const = default;
};

struct Record {
  uint32_t generation = 0;
  Key key;
};

uint64_t hash_of(const Key& key) {
  const uint64_t words[2] = {uint64_t{key.words[0]} << 32 | key.words[1], key.words[2]};
  return siphash_words<1, 3>(SipKey{3, 4}, words);
}

// The first kStable keys are there all the time; the rest come and go and change records.
constexpr uint32_t kStable = 400;
constexpr uint32_t kRecords = 4000;
constexpr uint32_t kOperations = 400'000;

class SharedTable : public ::testing::Test {
 protected:
  SharedTable() {
    for (uint32_t id = 0; id < kStable; ++id) add(id);
  }
  bool add(uint32_t id) {
    const uint32_t index = pool.allocate();
    if (index == kNoRecord) return false;
    publish(pool[index].generation, pool[index].key, Key::of(id));
    const bool inserted = table.insert(hash_of(Key::of(id)), index, [&](uint32_t i) { return hash_of(pool[i].key); });
    EXPECT_TRUE(inserted);
    live.push_back(index);
    return true;
  }
  void remove(size_t at) {
    const uint32_t index = live[at];
    EXPECT_TRUE(table.erase(hash_of(pool[index].key), index));
    retire(pool[index].generation);
    pool.release(index);
    live[at] = live.back();
    live.pop_back();
  }
  // The same key in another record.
  void move(size_t at) {
    const uint32_t to = pool.allocate();
    if (to == kNoRecord) return;
    const uint32_t from = live[at];
    publish(pool[to].generation, pool[to].key, pool[from].key);
    EXPECT_TRUE(table.replace(hash_of(pool[from].key), from, to));
    retire(pool[from].generation);
    pool.release(from);
    live[at] = to;
  }
  // Records below `first` stay where they are.
  void churn(uint32_t operations, uint32_t first = 0) {
    while (!reading.load()) std::this_thread::yield();
    Random random(5);
    uint32_t next = kStable;
    for (uint32_t op = 0; op < operations; ++op) {
      // The table fills over the whole run, so that it also grows all the while.
      const uint32_t aim = kStable + static_cast<uint32_t>(uint64_t{kRecords - kStable - 100} * op / operations);
      if (live.size() < aim && random.chance(0.7)) {
        add(next++);
      } else if (random.chance(0.5) && live.size() > kStable) {
        remove(kStable + random.below(static_cast<uint32_t>(live.size() - kStable)));
      } else {
        move(first + random.below(static_cast<uint32_t>(live.size() - first)));
      }
    }
    done.store(true);
  }

  Pool<Record> pool{kRecords};
  FlowTable table{100, kRecords};
  std::vector<uint32_t> live;
  std::atomic<bool> reading{false};
  std::atomic<bool> done{false};
};

// A key that is there all the while is found by each look-up, one that never was by none, and nothing is ever torn.
TEST_F(SharedTable, FindShared_WhileTheOwnerChurns) {
  const uint64_t buckets = table.buckets();
  uint64_t lost = 0, torn = 0, phantoms = 0, lookups = 0;
  std::thread reader([&] {
    Random random(6);
    while (!done.load()) {
      const bool there = random.chance(0.8);
      const Key key = Key::of(there ? random.below(kStable) : 0x80000000 + random.below(1000));
      const uint32_t index = table.find_shared(hash_of(key), [&](uint32_t i) {
        const auto seen = snapshot(pool[i].generation, pool[i].key);
        if (seen && !seen->value.whole()) ++torn;
        return seen && seen->value == key;
      });
      if (there && index == kNoFlow) ++lost;
      if (!there && index != kNoFlow) ++phantoms;
      ++lookups;
      reading.store(true);
    }
  });
  churn(kOperations);
  reader.join();
  EXPECT_EQ(lost, 0u) << "of " << lookups;
  EXPECT_EQ(torn, 0u);
  EXPECT_EQ(phantoms, 0u);
  EXPECT_GE(table.buckets(), 4 * buckets);
}

// A walk sees only whole keys, each with the generation it belongs to, and what stays in its place it sees each time.
TEST_F(SharedTable, Walk_WhileTheOwnerChurns) {
  uint64_t torn = 0, incomplete = 0, walks = 0;
  std::thread reader([&] {
    std::vector<uint32_t> of_generation(kRecords), key_then(kRecords);
    std::vector<uint8_t> seen(kStable);
    while (!done.load()) {
      std::fill(seen.begin(), seen.end(), 0);
      table.walk([&](uint32_t index) {
        const auto shot = snapshot(pool[index].generation, pool[index].key);
        if (!shot) return;
        const uint32_t id = shot->value.words[0];
        if (!shot->value.whole()) ++torn;
        // One generation of a record is one key's.
        if (of_generation[index] == shot->generation && key_then[index] != id) ++torn;
        of_generation[index] = shot->generation;
        key_then[index] = id;
        if (id < kStable) seen[id] = 1;
      });
      // The first half of them never changes its record.
      for (uint32_t id = 0; id < kStable / 2; ++id) incomplete += seen[id] == 0;
      ++walks;
      reading.store(true);
    }
  });
  churn(kOperations, kStable / 2);
  reader.join();
  EXPECT_EQ(torn, 0u);
  EXPECT_EQ(incomplete, 0u) << "of " << walks << " walks";
}

// The owner's change falls between two of the reader's steps.
TEST(FindShared, EntryReplacedByAnotherRecord_MeanwhileAndBack_IsFound) {
  FlowTable table(100);
  ASSERT_TRUE(table.insert(42, 1));
  int changes = 0;
  const uint32_t found = table.find_shared(42, [&](uint32_t index) {
    if (changes++ == 0) {
      EXPECT_TRUE(table.replace(42, 1, 2));
      EXPECT_TRUE(table.replace(42, 2, 1));
      return false;  // what record 1 says between the two
    }
    return index == 1;
  });
  EXPECT_EQ(found, 1u);
}

TEST(FindShared, EntryMovedByGrowth_Meanwhile_IsFound) {
  FlowTable table(320, 3'200);  // 128 buckets
  Random random(8);
  std::vector<uint64_t> hashes{128, 128};  // both in bucket 0, and then in bucket 128
  const auto insert = [&](uint64_t hash) {
    return table.insert(hash, static_cast<uint32_t>(hashes.size() - 1), [&](uint32_t i) { return hashes[i]; });
  };
  ASSERT_TRUE(table.insert(128, 0));
  ASSERT_TRUE(table.insert(128, 1));
  const uint32_t found = table.find_shared(128, [&](uint32_t index) {
    while (table.buckets() == 128) {
      hashes.push_back(random.next());
      EXPECT_TRUE(insert(hashes.back()));
    }
    return index == 1;
  });
  EXPECT_EQ(found, 1u);
  EXPECT_EQ(table.find_shared(uint64_t{1} << 48 | 128, [](uint32_t) { return true; }), 0u);
}

TEST(SharedRecord, Snapshot_OnlyOfARecordInUse) {
  Record record;
  EXPECT_FALSE(snapshot(record.generation, record.key));
  publish(record.generation, record.key, Key::of(7));
  const auto seen = snapshot(record.generation, record.key);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->value, Key::of(7));
  EXPECT_EQ(seen->generation, record.generation);
  retire(record.generation);
  EXPECT_FALSE(snapshot(record.generation, record.key));
}

}  // namespace
}  // namespace estab::flow
