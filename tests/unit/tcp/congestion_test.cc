#include "tcp/congestion.h"

#include <gtest/gtest.h>

namespace estab::tcp {
namespace {

constexpr uint32_t kMss = 1000;
const Seq kIss(100);

CongestionControl started() {
  CongestionControl cc;
  cc.start(kMss, 10, kIss);
  return cc;
}

TEST(Rfc6928_2, Start_InitialWindowOfSegments) {
  EXPECT_EQ(started().cwnd, 10'000u);
}

TEST(Rfc5681_3_1, SlowStart_AckOfOneSegment_OneSegmentMore) {
  auto cc = started();
  EXPECT_FALSE(cc.on_ack(Seq(1'101), kMss, kMss, 0));
  EXPECT_EQ(cc.cwnd, 11'000u);
}

TEST(Rfc5681_3_1, SlowStart_SmallAck_NoMoreThanItAcked) {  // ACK division gains nothing
  auto cc = started();
  cc.on_ack(Seq(111), 10, kMss, 0);
  EXPECT_EQ(cc.cwnd, 10'010u);
}

TEST(Rfc5681_3_1, SlowStart_AckOfManySegments_OneSegmentMore) {
  auto cc = started();
  cc.on_ack(Seq(8'101), 8'000, kMss, 0);
  EXPECT_EQ(cc.cwnd, 11'000u);
}

TEST(Rfc5681_3_1, CongestionAvoidance_AWindowOfAcks_AboutOneSegmentMore) {
  auto cc = started();
  cc.ssthresh = 10'000;
  for (uint32_t i = 1; i <= 10; ++i) cc.on_ack(kIss + 1 + i * kMss, kMss, kMss, 0);
  EXPECT_NEAR(cc.cwnd, 11'000, 60);
}

TEST(Rfc5681_3_1, CongestionAvoidance_HugeWindow_StillGrows) {
  auto cc = started();
  cc.cwnd = cc.ssthresh = 2'000'000;
  const uint32_t before = cc.cwnd;
  cc.on_ack(Seq(200), 1, kMss, 0);
  EXPECT_GT(cc.cwnd, before);
}

TEST(Rfc5681_3_2, ThirdDuplicate_HalvesAndInflates) {
  auto cc = started();
  const Seq una = kIss + 1, nxt = una + 10'000;
  EXPECT_FALSE(cc.on_duplicate_ack(una, nxt, kMss, 10'000));
  EXPECT_FALSE(cc.on_duplicate_ack(una, nxt, kMss, 10'000));
  EXPECT_TRUE(cc.on_duplicate_ack(una, nxt, kMss, 10'000));
  EXPECT_EQ(cc.ssthresh, 5'000u);
  EXPECT_EQ(cc.cwnd, 8'000u);
  EXPECT_FALSE(cc.on_duplicate_ack(una, nxt, kMss, 10'000));
  EXPECT_EQ(cc.cwnd, 9'000u) << "each further one has left the network";
}

TEST(Rfc5681_3_2, NewAckBetween_CountStartsAgain) {
  auto cc = started();
  const Seq una = kIss + 1, nxt = una + 10'000;
  cc.on_duplicate_ack(una, nxt, kMss, 10'000);
  cc.on_duplicate_ack(una, nxt, kMss, 10'000);
  cc.on_ack(una + kMss, kMss, kMss, 9'000);
  EXPECT_FALSE(cc.on_duplicate_ack(una + kMss, nxt, kMss, 9'000));
}

CongestionControl in_recovery() {
  auto cc = started();
  const Seq una = kIss + 1;
  for (int i = 0; i < 3; ++i) cc.on_duplicate_ack(una, una + 10'000, kMss, 10'000);
  return cc;
}

TEST(Rfc6582_3_2, PartialAck_RetransmitsAndDeflates) {
  auto cc = in_recovery();
  EXPECT_TRUE(cc.on_ack(kIss + 1 + 3 * kMss, 3 * kMss, kMss, 7'000));
  EXPECT_EQ(cc.cwnd, 8'000u - 3'000u + 1'000u);
  EXPECT_TRUE(cc.fast_recovery);
}

TEST(Rfc6582_3_2, PartialAckOverTheWholeWindow_CwndStaysAtASegment) {
  auto cc = in_recovery();
  EXPECT_TRUE(cc.on_ack(kIss + 1 + 9'500, 9'500, kMss, 500));
  EXPECT_EQ(cc.cwnd, kMss);
}

TEST(Rfc6582_3_2, FullAck_EndsRecoveryAtSsthreshOrFlight) {
  auto cc = in_recovery();
  EXPECT_FALSE(cc.on_ack(kIss + 1 + 10'000, 10'000, kMss, 0));
  EXPECT_FALSE(cc.fast_recovery);
  EXPECT_EQ(cc.cwnd, 2 * kMss) << "no burst: min(ssthresh, max(FlightSize, SMSS) + SMSS)";
}

TEST(Rfc6582_3_2, DuplicatesOfAWindowAlreadyAnsweredFor_DoNotHalveAgain) {
  auto cc = started();
  const Seq una = kIss + 1, nxt = una + 10'000;
  cc.on_timeout(nxt, kMss, 10'000);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(cc.on_duplicate_ack(una, nxt, kMss, 10'000));
  EXPECT_EQ(cc.ssthresh, 5'000u);
}

TEST(Rfc6582_3_2, TwoGibibytesWithoutLoss_FastRetransmitStillWorks) {
  auto cc = started();
  Seq una = kIss + 1;
  for (int i = 0; i < 5; ++i) {
    una += 1u << 29;
    cc.on_ack(una, kMss, kMss, 0);
  }
  cc.on_duplicate_ack(una, una + 10'000, kMss, 10'000);
  cc.on_duplicate_ack(una, una + 10'000, kMss, 10'000);
  EXPECT_TRUE(cc.on_duplicate_ack(una, una + 10'000, kMss, 10'000));
}

TEST(Rfc5681_3_1, Timeout_OneSegment) {
  auto cc = started();
  cc.on_timeout(Seq(10'101), kMss, 10'000);
  EXPECT_EQ(cc.cwnd, kMss);
  EXPECT_EQ(cc.ssthresh, 5'000u);
}

TEST(Rfc5681_3_1, TimeoutWithLittleInFlight_SsthreshIsTwoSegments) {
  auto cc = started();
  cc.on_timeout(Seq(200), kMss, 100);
  EXPECT_EQ(cc.ssthresh, 2 * kMss);
}

TEST(Rfc5681_3_2, LittleInFlight_SsthreshIsTwoSegments) {
  auto cc = started();
  for (int i = 0; i < 3; ++i) cc.on_duplicate_ack(kIss + 1, kIss + 2'001, kMss, 2'000);
  EXPECT_EQ(cc.ssthresh, 2 * kMss);
}

TEST(CongestionControl, VeryManyAcks_CwndStaysUnderItsCap) {
  auto cc = started();
  cc.cwnd = (1u << 30) - 10;
  cc.on_ack(Seq(200), kMss, kMss, 0);
  EXPECT_EQ(cc.cwnd, 1u << 30);
}

}  // namespace
}  // namespace estab::tcp
