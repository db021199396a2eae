// The estimator alone; RFC 6298's rules for a connection's timer are in tests/rfc.
#include "tcp/rtt.h"

#include <gtest/gtest.h>

namespace estab::tcp {
namespace {

Parameters wide() {
  Parameters p;
  p.min_rto = Duration::milliseconds(1);
  p.max_rto = Duration::seconds(60);
  return p;
}

TEST(Rfc6298_2_1, NoSample_OneSecond) {
  EXPECT_EQ(RttEstimator{}.rto(), Duration::seconds(1));
}

TEST(Rfc6298_2_2, FirstSample_RtoIsThreeTimesIt) {
  RttEstimator rtt;
  rtt.sample(Duration::milliseconds(100), wide());
  EXPECT_EQ(rtt.srtt_us, 100'000u);
  EXPECT_EQ(rtt.rttvar_us, 50'000u);
  EXPECT_EQ(rtt.rto(), Duration::milliseconds(300));
}

TEST(Rfc6298_2_3, SecondSample_WeighsAnEighthAndAQuarter) {
  RttEstimator rtt;
  rtt.sample(Duration::milliseconds(100), wide());
  rtt.sample(Duration::milliseconds(180), wide());
  EXPECT_EQ(rtt.rttvar_us, 57'500u);  // 3/4 * 50 + 1/4 * |100 - 180|, with the SRTT before this sample
  EXPECT_EQ(rtt.srtt_us, 110'000u);
  EXPECT_EQ(rtt.rto(), Duration::milliseconds(340));
}

TEST(Rfc6298_2_3, SteadySamples_VarianceFallsToTheGranularity) {
  RttEstimator rtt;
  for (int i = 0; i < 200; ++i) rtt.sample(Duration::milliseconds(100), wide());
  EXPECT_NEAR(static_cast<double>(rtt.rto().us()), 101'000, 100);
}

TEST(Rfc6298_2_4, SmallRtt_RtoIsTheMinimum) {
  Parameters p = wide();
  p.min_rto = Duration::milliseconds(200);
  RttEstimator rtt;
  rtt.sample(Duration::microseconds(50), p);
  EXPECT_EQ(rtt.rto(), Duration::milliseconds(200));
}

TEST(Rfc6298_2_5, LongRtt_RtoIsTheMaximum) {
  RttEstimator rtt;
  rtt.sample(Duration::seconds(50), wide());
  EXPECT_EQ(rtt.rto(), Duration::seconds(60));
}

TEST(Rfc6298_5_5, BackOff_DoublesUpToTheMaximum) {
  RttEstimator rtt;
  rtt.sample(Duration::seconds(5), wide());
  const int64_t expected[] = {30, 60, 60, 60};
  for (const int64_t seconds : expected) {
    rtt.back_off(wide());
    EXPECT_EQ(rtt.rto(), Duration::seconds(seconds));
  }
}

TEST(RttEstimator, AbsurdSamples_StayInRange) {
  for (const Duration absurd : {Duration::seconds(-5), Duration(), Duration::seconds(1'000'000)}) {
    RttEstimator rtt;
    for (int i = 0; i < 20; ++i) {
      rtt.sample(absurd, wide());
      EXPECT_GE(rtt.srtt_us, 1u);
      EXPECT_LE(rtt.rto(), Duration::seconds(60));
      EXPECT_GE(rtt.rto(), Duration::milliseconds(1));
    }
  }
}

}  // namespace
}  // namespace estab::tcp
