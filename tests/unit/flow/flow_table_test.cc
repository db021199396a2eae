#include "flow/flow_table.h"

#include <gtest/gtest.h>

#include <unordered_map>
#include <vector>

#include "base/random.h"

namespace estab::flow {
namespace {

// A table whose keys are the hashes themselves.
struct Keys {
  explicit Keys(const FlowTable& t) : table(t) {}
  uint32_t find(uint64_t hash) const {
    return table.find(hash, [&](uint32_t index) { return hashes[index] == hash; });
  }
  const FlowTable& table;
  std::vector<uint64_t> hashes;
};

TEST(FlowTable, Find_InAnEmptyTable_IsAMiss) {
  const FlowTable table(100);
  EXPECT_EQ(table.find(42, [](uint32_t) { return true; }), kNoFlow);
  EXPECT_EQ(table.first_candidate(42), kNoFlow);
  EXPECT_EQ(table.size(), 0u);
}

TEST(FlowTable, InsertFindReplaceErase_OfOne) {
  FlowTable table(100);
  ASSERT_TRUE(table.insert(42, 7));
  EXPECT_EQ(table.find(42, [](uint32_t i) { return i == 7; }), 7u);
  EXPECT_EQ(table.first_candidate(42), 7u);
  EXPECT_FALSE(table.replace(42, 8, 9));
  EXPECT_TRUE(table.replace(42, 7, 9));
  EXPECT_EQ(table.find(42, [](uint32_t) { return true; }), 9u);
  EXPECT_FALSE(table.erase(42, 7));
  EXPECT_TRUE(table.erase(42, 9));
  EXPECT_FALSE(table.erase(42, 9));
  EXPECT_EQ(table.size(), 0u);
}

TEST(FlowTable, SameHash_ManyEntries_EachIsFoundByItsKey) {
  FlowTable table(200);
  const uint64_t hash = 0xab00000000000003;
  for (uint32_t i = 0; i < 100; ++i) ASSERT_TRUE(table.insert(hash, i));
  for (uint32_t i = 0; i < 100; ++i) EXPECT_EQ(table.find(hash, [&](uint32_t j) { return i == j; }), i);
  for (uint32_t i = 0; i < 100; i += 2) EXPECT_TRUE(table.erase(hash, i));
  for (uint32_t i = 0; i < 100; ++i)
    EXPECT_EQ(table.find(hash, [&](uint32_t j) { return i == j; }), i % 2 == 0 ? kNoFlow : i);
  for (uint32_t i = 1; i < 100; i += 2) EXPECT_TRUE(table.erase(hash, i));
  EXPECT_EQ(table.size(), 0u);
}

TEST(FlowTable, SignatureZero_IsNotMistakenForFree) {
  FlowTable table(10);
  ASSERT_TRUE(table.insert(0, 1));  // the signature's bits are 0, which means free
  EXPECT_EQ(table.find(0, [](uint32_t) { return true; }), 1u);
  // Another hash with the same signature: the key decides.
  EXPECT_EQ(table.find(uint64_t{1} << 48, [](uint32_t) { return false; }), kNoFlow);
  EXPECT_TRUE(table.erase(0, 1));
  EXPECT_EQ(table.find(0, [](uint32_t) { return true; }), kNoFlow);
}

TEST(FlowTable, Full_InsertFails_AndNothingHasChanged) {
  for (const uint32_t capacity : {1u, 320u, 1000u, 5000u}) {
    FlowTable table(capacity);
    Keys keys(table);
    Random random(capacity);
    // Fill until nothing fits: far beyond `capacity`, for which there is always room.
    int refused = 0;
    while (refused < 200) {
      const uint64_t hash = random.next();
      keys.hashes.push_back(hash);
      if (table.insert(hash, static_cast<uint32_t>(keys.hashes.size() - 1))) continue;
      keys.hashes.pop_back();
      ++refused;
      ASSERT_EQ(table.size(), keys.hashes.size());
      ASSERT_EQ(keys.find(hash), kNoFlow);
    }
    ASSERT_GE(table.size(), std::max<uint64_t>(capacity, 9 * table.buckets()));
    for (uint32_t i = 0; i < keys.hashes.size(); ++i) ASSERT_EQ(keys.find(keys.hashes[i]), i);
    for (uint32_t i = 0; i < keys.hashes.size(); ++i) ASSERT_TRUE(table.erase(keys.hashes[i], i));
    EXPECT_EQ(table.size(), 0u);
    EXPECT_EQ(keys.find(random.next()), kNoFlow);
  }
}

// All that can be behind one bucket: the next is refused, and a miss still ends.
TEST(FlowTable, EveryBucketInReachOverflowed_MissEnds) {
  FlowTable table(10);
  const uint64_t home = table.buckets() - 1;  // the last: what overflows lies behind all homes
  uint32_t count = 0;
  while (table.insert(home | uint64_t{1} << 48, count)) ++count;
  EXPECT_EQ(count, 640u);
  uint32_t compared = 0;
  EXPECT_EQ(table.find(home | uint64_t{1} << 48, [&](uint32_t) { return ++compared > 1000; }), kNoFlow);
  EXPECT_EQ(compared, 640u);
  EXPECT_FALSE(table.erase(home | uint64_t{3} << 48, 5));
  EXPECT_FALSE(table.replace(home | uint64_t{3} << 48, 5, 6));
  EXPECT_EQ(table.find(home | uint64_t{1} << 48, [](uint32_t i) { return i == 639; }), 639u);
}

// All buckets full of their own and nothing else: then no bucket's count may send a search to the next.
void expect_no_overflow_left(FlowTable& table) {
  ASSERT_EQ(table.size(), 0u);
  const uint64_t buckets = table.buckets();
  ASSERT_TRUE(std::has_single_bit(buckets));
  for (uint32_t i = 0; i < buckets * 10; ++i) ASSERT_TRUE(table.insert(i % buckets | uint64_t{5} << 48, i));
  for (uint64_t home = 0; home < buckets; ++home) {
    int compared = 0;
    EXPECT_EQ(table.find(home | uint64_t{5} << 48, [&](uint32_t) { return ++compared, false; }), kNoFlow);
    EXPECT_EQ(compared, 10) << "an overflow count did not return to zero";
  }
}

TEST(FlowTable, FindBurst_FindsWhatFindDoes) {
  FlowTable table(320);  // 128 buckets, overfull: with candidates of others, and entries beyond their bucket
  Random random(3);
  std::vector<uint64_t> hash_of;
  const auto few_signatures = [&] { return random.next() & ~(uint64_t{0xfff0} << 48); };
  while (hash_of.size() < 1100) {
    hash_of.push_back(few_signatures());
    if (!table.insert(hash_of.back(), static_cast<uint32_t>(hash_of.size() - 1))) hash_of.pop_back();
  }
  for (int burst = 0; burst < 500; ++burst) {
    std::array<uint64_t, 64> hashes;
    std::array<uint32_t, 64> found;
    for (uint64_t& hash : hashes) hash = random.chance(0.5) ? hash_of[random.below(1100)] : few_signatures();
    size_t candidates = 0;
    table.find_burst(
        hashes, found, [&](uint32_t index) { candidates += index < hash_of.size(); },
        [&](size_t i, uint32_t index) { return hash_of[index] == hashes[i]; });
    EXPECT_GT(candidates, 0u);
    for (size_t i = 0; i < hashes.size(); ++i) {
      ASSERT_EQ(found[i], table.find(hashes[i], [&](uint32_t index) { return hash_of[index] == hashes[i]; }));
    }
  }
}

TEST(FlowTable, Grows_ABucketAnInsert_AndKeepsWhatItHas) {
  FlowTable table(100, 120'000);
  Keys keys(table);
  Random random(1);
  const uint64_t first = table.buckets();
  for (uint32_t i = 0; i < 120'000; ++i) {
    const uint64_t hash = random.next();
    const uint64_t before = table.buckets();
    ASSERT_TRUE(table.insert(hash, i, [&](uint32_t index) { return keys.hashes[index]; }));
    keys.hashes.push_back(hash);
    ASSERT_LE(table.buckets(), before + 1);
    const uint32_t some = random.below(i + 1);
    ASSERT_EQ(keys.find(keys.hashes[some]), some);
    ASSERT_EQ(keys.find(random.next()), kNoFlow);
  }
  EXPECT_EQ(table.buckets(), first * 512);
  for (uint32_t i = 0; i < 120'000; ++i) ASSERT_EQ(keys.find(keys.hashes[i]), i);
  for (uint32_t i = 0; i < 120'000; ++i) ASSERT_TRUE(table.erase(keys.hashes[i], i));
  expect_no_overflow_left(table);
}

// Keys that no growth tells apart move through it together.
TEST(FlowTable, Grows_WithManyOfOneHash) {
  FlowTable table(320, 10'000);
  std::vector<uint64_t> hash_of;
  const auto insert = [&](uint64_t hash) {
    hash_of.push_back(hash);
    return table.insert(hash, static_cast<uint32_t>(hash_of.size() - 1), [&](uint32_t i) { return hash_of[i]; });
  };
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(insert(0xffffffff));
  Random random(9);
  for (int i = 0; i < 9'000; ++i) ASSERT_TRUE(insert(random.next()));
  EXPECT_GT(table.buckets(), 1000u);
  for (uint32_t i = 0; i < hash_of.size(); ++i)
    ASSERT_EQ(table.find(hash_of[i], [&](uint32_t j) { return i == j; }), i);
}

// Against an unordered_map, at loads from empty to full; at the end every overflow count is back at zero, so that a
// miss in any bucket looks at one line (each bucket is asked for a signature that all its neighbours hold).
TEST(FlowTable, Random_AgreesWithAMap) {
  for (const auto& [capacity, most] :
       std::vector<std::pair<uint32_t, uint32_t>>{{7, 600}, {320, 1200}, {1000, 2500}, {1000, 1000}}) {
    Random random(most);
    FlowTable table(capacity);
    std::unordered_map<uint32_t, uint64_t> model;  // index to hash
    std::vector<uint64_t> hash_of(most * 2);
    std::vector<uint32_t> live, spare;
    for (uint32_t i = 0; i < hash_of.size(); ++i) spare.push_back(i);
    const auto key = [&](uint64_t hash) {
      return table.find(hash, [&](uint32_t index) { return hash_of[index] == hash; });
    };
    bool filling = true;
    int refused = 0;
    for (int op = 0; op < 200'000; ++op) {
      if (live.size() >= most || refused > 50) filling = false;
      if (live.size() < most / 8) filling = true, refused = 0;
      const uint32_t what = random.below(100);
      if (what < (filling ? 45u : 25u)) {
        if (spare.empty()) continue;
        const uint32_t index = spare.back();
        // Few signatures, so that they collide.
        const uint64_t hash = (random.next() & ~(uint64_t{0xffff} << 48)) | uint64_t{random.below(8)} << 48;
        if (table.insert(hash, index)) {
          spare.pop_back();
          hash_of[index] = hash;
          model[index] = hash;
          live.push_back(index);
        } else {
          ++refused;
        }
      } else if (what < 70 && !live.empty()) {
        const uint32_t at = random.below(static_cast<uint32_t>(live.size()));
        const uint32_t index = live[at];
        ASSERT_TRUE(table.erase(hash_of[index], index));
        model.erase(index);
        live[at] = live.back();
        live.pop_back();
        spare.push_back(index);
      } else if (what < 80 && !live.empty() && !spare.empty()) {
        const uint32_t at = random.below(static_cast<uint32_t>(live.size()));
        const uint32_t old = live[at];
        const uint32_t fresh = spare.back();
        ASSERT_TRUE(table.replace(hash_of[old], old, fresh));
        hash_of[fresh] = hash_of[old];
        model.erase(old);
        model[fresh] = hash_of[fresh];
        live[at] = fresh;
        spare.back() = old;
      } else if (what < 90 && !live.empty()) {
        const uint32_t index = live[random.below(static_cast<uint32_t>(live.size()))];
        ASSERT_EQ(key(hash_of[index]), index);
      } else {
        ASSERT_EQ(key(random.next()), kNoFlow);
      }
      ASSERT_EQ(table.size(), model.size());
    }
    for (const auto& [index, hash] : model) {
      ASSERT_EQ(key(hash), index);
      ASSERT_TRUE(table.erase(hash, index));
    }
    expect_no_overflow_left(table);
  }
}

}  // namespace
}  // namespace estab::flow
