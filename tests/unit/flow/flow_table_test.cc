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
  ASSERT_TRUE(table.insert(0, 1));  // the signature's byte is 0, which means free
  EXPECT_EQ(table.find(0, [](uint32_t) { return true; }), 1u);
  // Another hash with the same signature: the key decides.
  EXPECT_EQ(table.find(uint64_t{1} << 56, [](uint32_t) { return false; }), kNoFlow);
  EXPECT_TRUE(table.erase(0, 1));
  EXPECT_EQ(table.find(0, [](uint32_t) { return true; }), kNoFlow);
}

TEST(FlowTable, Full_InsertFails_AndNothingHasChanged) {
  for (const uint32_t capacity : {1u, 2u, 6u, 7u, 13u, 14u, 100u}) {
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
    ASSERT_GE(table.size(), capacity);
    ASSERT_EQ(table.size() % 12, 0u) << "every slot of every bucket can be used";
    for (uint32_t i = 0; i < keys.hashes.size(); ++i) ASSERT_EQ(keys.find(keys.hashes[i]), i);
    for (uint32_t i = 0; i < keys.hashes.size(); ++i) ASSERT_TRUE(table.erase(keys.hashes[i], i));
    EXPECT_EQ(table.size(), 0u);
    EXPECT_EQ(keys.find(random.next()), kNoFlow);
  }
}

// Entries lie beyond their full home bucket in both directions round: a miss must still end.
TEST(FlowTable, EveryBucketOverflowed_MissEnds) {
  FlowTable table(7);  // two buckets
  const auto hash = [](uint64_t home, uint64_t tag) { return tag << 56 | home; };
  uint32_t next = 0;
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(table.insert(hash(0, 1), next++));  // bucket 0 is full of its own
  ASSERT_TRUE(table.insert(hash(0, 2), next++));                               // and one of its own lies in bucket 1
  for (int i = 0; i < 11; ++i) ASSERT_TRUE(table.insert(hash(1, 1), next++));  // which is then full too
  ASSERT_TRUE(table.erase(hash(0, 1), 0));
  ASSERT_TRUE(table.insert(hash(1, 3), next));  // one of bucket 1's lies in bucket 0
  int compared = 0;
  EXPECT_EQ(table.find(hash(0, 9), [&](uint32_t) { return ++compared > 1000; }), kNoFlow);
  EXPECT_FALSE(table.erase(hash(1, 9), 5));
  EXPECT_FALSE(table.replace(hash(1, 9), 5, 6));
  EXPECT_EQ(table.find(hash(1, 3), [](uint32_t) { return true; }), next);
}

// Against an unordered_map, at loads from empty to full; at the end every overflow count is back at zero, so that a
// miss in any bucket looks at one line (each bucket is asked for a signature that all its neighbours hold).
TEST(FlowTable, Random_AgreesWithAMap) {
  for (const auto& [capacity, most] :
       std::vector<std::pair<uint32_t, uint32_t>>{{7, 24}, {50, 96}, {1000, 3072}, {1000, 1000}}) {
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
        const uint64_t hash = (random.next() & ~(uint64_t{0xff} << 56)) | uint64_t{random.below(4)} << 56;
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
    ASSERT_EQ(table.size(), 0u);
    // All buckets full of their own and nothing else: then no bucket's count may send a search to the next.
    const auto buckets = std::bit_ceil(uint64_t{capacity} / 7 + 1);
    for (uint32_t i = 0; i < buckets * 12; ++i) ASSERT_TRUE(table.insert(i % buckets | uint64_t{5} << 56, i));
    for (uint64_t home = 0; home < buckets; ++home) {
      int compared = 0;
      EXPECT_EQ(table.find(home | uint64_t{5} << 56, [&](uint32_t) { return ++compared, false; }), kNoFlow);
      EXPECT_EQ(compared, 12) << "an overflow count did not return to zero";
    }
  }
}

TEST(FlowHash, DependsOnEveryFieldAndOnTheKey) {
  const SipKey key{1, 2};
  const wire::Tuple t{wire::Ipv4Address(10, 0, 0, 1), wire::Ipv4Address(10, 0, 0, 2), wire::Port(80), wire::Port(1024)};
  const uint64_t hash = flow_hash(key, t);
  wire::Tuple u = t;
  u.local = wire::Ipv4Address(10, 0, 0, 3);
  EXPECT_NE(flow_hash(key, u), hash);
  u = t;
  u.remote = wire::Ipv4Address(10, 0, 0, 3);
  EXPECT_NE(flow_hash(key, u), hash);
  u = t;
  u.local_port = wire::Port(81);
  EXPECT_NE(flow_hash(key, u), hash);
  u = t;
  u.remote_port = wire::Port(1025);
  EXPECT_NE(flow_hash(key, u), hash);
  EXPECT_NE(flow_hash({1, 3}, t), hash);
}

}  // namespace
}  // namespace estab::flow
