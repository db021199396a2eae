#include "flow/pool.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "base/random.h"

namespace estab::flow {
namespace {

TEST(Pool, Allocate_GivesEachRecordOnce_ThenNone) {
  Pool<uint64_t> pool(100);
  std::set<uint32_t> seen;
  for (int i = 0; i < 100; ++i) {
    const uint32_t index = pool.allocate();
    ASSERT_LT(index, 100u);
    EXPECT_EQ(pool[index], 0u) << "zero the first time";
    EXPECT_TRUE(seen.insert(index).second);
  }
  EXPECT_EQ(pool.allocate(), kNoRecord);
  EXPECT_EQ(pool.used(), 100u);
  EXPECT_EQ(pool.touched(), 100u);
}

TEST(Pool, Release_TheLastFreedIsTheNextUsed_WithItsBytes) {
  Pool<uint64_t> pool(10);
  const uint32_t a = pool.allocate();
  const uint32_t b = pool.allocate();
  pool[a] = 7;
  pool.release(b);
  pool.release(a);
  EXPECT_EQ(pool.allocate(), a);
  EXPECT_EQ(pool[a], 7u);
  EXPECT_EQ(pool.allocate(), b);
  EXPECT_EQ(pool.touched(), 2u);
}

TEST(Pool, OfNothing_HasNothing) {
  Pool<uint64_t> pool(0);
  EXPECT_EQ(pool.allocate(), kNoRecord);
  EXPECT_EQ(pool.used(), 0u);
}

TEST(Pool, Random_NeverGivesOutWhatIsInUse) {
  Pool<uint32_t> pool(500);
  Random random(3);
  std::vector<uint32_t> live;
  std::vector<bool> used(500);
  for (int op = 0; op < 100'000; ++op) {
    if (random.chance(0.5)) {
      const uint32_t index = pool.allocate();
      ASSERT_EQ(index == kNoRecord, live.size() == 500);
      if (index == kNoRecord) continue;
      ASSERT_FALSE(used[index]);
      used[index] = true;
      live.push_back(index);
    } else if (!live.empty()) {
      const uint32_t at = random.below(static_cast<uint32_t>(live.size()));
      used[live[at]] = false;
      pool.release(live[at]);
      live[at] = live.back();
      live.pop_back();
    }
    ASSERT_EQ(pool.used(), live.size());
  }
}

}  // namespace
}  // namespace estab::flow
