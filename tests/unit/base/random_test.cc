#include "base/random.h"

#include <gtest/gtest.h>

namespace estab {
namespace {

TEST(Random, SameSeed_SameNumbers) {
  Random a(7), b(7), c(8);
  const uint64_t first = a.next();
  EXPECT_EQ(first, b.next());
  EXPECT_NE(first, c.next());
}

TEST(Random, Below_StaysBelowAndReachesAll) {
  Random random(1);
  int seen[5] = {};
  for (int i = 0; i < 1'000; ++i) {
    const uint32_t n = random.below(5);
    ASSERT_LT(n, 5u);
    ++seen[n];
  }
  for (const int count : seen) EXPECT_GT(count, 100);
}

TEST(Random, Chance_Extremes_AreCertain) {
  Random random(1);
  for (int i = 0; i < 1'000; ++i) {
    EXPECT_FALSE(random.chance(0));
    EXPECT_TRUE(random.chance(1));
  }
}

}  // namespace
}  // namespace estab
