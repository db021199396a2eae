#include "estab/time.h"

#include <gtest/gtest.h>

namespace estab {
namespace {

TEST(Duration, Units_AgreeWithEachOther) {
  EXPECT_EQ(Duration::seconds(2), Duration::milliseconds(2'000));
  EXPECT_EQ(Duration::milliseconds(3), Duration::microseconds(3'000));
  EXPECT_EQ(Duration::microseconds(4), Duration::nanoseconds(4'000));
  EXPECT_EQ(Duration::milliseconds(1'500).us(), 1'500'000);
  EXPECT_DOUBLE_EQ(Duration::milliseconds(1'500).to_seconds(), 1.5);
}

TEST(Duration, Arithmetic_IsSigned) {
  EXPECT_EQ((Duration::seconds(1) - Duration::seconds(3)).ms(), -2'000);
  EXPECT_EQ(Duration::seconds(3) * 2, Duration::seconds(6));
  EXPECT_EQ(Duration::seconds(3) / 2, Duration::milliseconds(1'500));
  EXPECT_LT(Duration::seconds(-1), Duration());
}

TEST(Instant, Never_IsLaterThanEveryOther) {
  EXPECT_LT(Instant::from_ns(UINT64_MAX - 1), Instant::never());
  EXPECT_TRUE(Instant::never().is_never());
  EXPECT_FALSE(Instant().is_never());
}

TEST(Instant, Difference_GoesBothWays) {
  const Instant t = Instant::from_ns(5'000'000'000);
  EXPECT_EQ((t + Duration::seconds(1)) - t, Duration::seconds(1));
  EXPECT_EQ((t - Duration::seconds(1)) - t, Duration::seconds(-1));
  EXPECT_EQ(t.ms(), 5'000u);
}

}  // namespace
}  // namespace estab
