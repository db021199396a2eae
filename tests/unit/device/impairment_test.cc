#include "device/impairment.h"

#include <gtest/gtest.h>

#include <vector>

#include "wire/checksum.h"

namespace estab::device {
namespace {

constexpr Instant kStart = Instant::from_ns(1'000'000'000);
constexpr uint32_t kLength = 1000;

ImpairmentCounters send(Impairment& impairment, int frames) {
  for (int i = 0; i < frames; ++i) impairment.decide(kLength, kStart + Duration::microseconds(i));
  return impairment.counters();
}

TEST(Impairment, AsItStands_DeliversAtOnce) {
  Impairment impairment({}, 1);
  for (int i = 0; i < 1000; ++i) {
    const Fate fate = impairment.decide(kLength, kStart);
    ASSERT_EQ(fate.copies, 1);
    EXPECT_EQ(fate.copy[0].at, kStart);
    EXPECT_FALSE(fate.copy[0].damage);
  }
}

TEST(Impairment, SameSeed_SameFates) {
  ImpairmentSettings bad;
  bad.loss = bad.duplication = bad.reordering = bad.corruption = bad.truncation = 0.2;
  bad.jitter = Duration::milliseconds(3);
  Impairment a(bad, 5), b(bad, 5), c(bad, 6);
  int differ = 0;
  for (int i = 0; i < 1000; ++i) {
    const Fate x = a.decide(kLength, kStart), y = b.decide(kLength, kStart), z = c.decide(kLength, kStart);
    ASSERT_EQ(x.copies, y.copies);
    for (uint8_t k = 0; k < x.copies; ++k) {
      ASSERT_EQ(x.copy[k].at, y.copy[k].at);
      ASSERT_EQ(x.copy[k].damage.keep, y.copy[k].damage.keep);
      ASSERT_EQ(x.copy[k].damage.flip_at, y.copy[k].damage.flip_at);
      ASSERT_EQ(x.copy[k].damage.flip, y.copy[k].damage.flip);
    }
    differ += x.copies != z.copies;
  }
  EXPECT_GT(differ, 100);
}

TEST(Impairment, Chances_AreMet) {
  ImpairmentSettings bad;
  bad.loss = 0.1;
  bad.duplication = 0.2;
  bad.reordering = 0.05;
  bad.corruption = 0.3;
  bad.truncation = 0.01;
  Impairment impairment(bad, 3);
  const ImpairmentCounters counters = send(impairment, 100'000);
  EXPECT_EQ(counters.frames, 100'000u);
  EXPECT_NEAR(static_cast<double>(counters.lost), 10'000, 500);
  EXPECT_NEAR(static_cast<double>(counters.duplicated), 18'000, 900);
  const double arrived = 90'000 * 1.2;
  EXPECT_NEAR(static_cast<double>(counters.reordered), arrived * 0.05, 400);
  EXPECT_NEAR(static_cast<double>(counters.corrupted), arrived * 0.3, 1'000);
  EXPECT_NEAR(static_cast<double>(counters.truncated), arrived * 0.01, 200);
}

TEST(Impairment, BurstLoss_HasItsMeanLength) {
  ImpairmentSettings bad;
  bad.burst_loss = 0.01;
  bad.burst_length = 5;
  Impairment impairment(bad, 4);
  int bursts = 0, lost = 0;
  bool before = false;
  for (int i = 0; i < 200'000; ++i) {
    const bool is_lost = impairment.decide(kLength, kStart).copies == 0;
    lost += is_lost;
    bursts += is_lost && !before;
    before = is_lost;
  }
  EXPECT_NEAR(static_cast<double>(lost) / bursts, 5, 0.4);
}

TEST(Impairment, Jitter_KeepsTheOrder_ReorderingDoesNot) {
  ImpairmentSettings bad;
  bad.delay = Duration::milliseconds(10);
  bad.jitter = Duration::milliseconds(5);
  Impairment impairment(bad, 5);
  Instant last;
  for (int i = 0; i < 1000; ++i) {
    const Instant sent = kStart + Duration::microseconds(i);
    const Instant at = impairment.decide(kLength, sent).copy[0].at;
    EXPECT_GE(at, last);
    EXPECT_GE(at - sent, bad.delay);
    EXPECT_LE(at - sent, Duration::milliseconds(15));
    last = at;
  }
  bad.reordering = 0.1;
  impairment.set(bad);
  int overtaken = 0;
  for (int i = 0; i < 1000; ++i) {
    const Instant at = impairment.decide(kLength, kStart + Duration::milliseconds(1 + i)).copy[0].at;
    overtaken += at < last;
    last = at;
  }
  EXPECT_GT(overtaken, 30);
}

TEST(Impairment, Rate_SpacesFrames_AndTheQueueOverflows) {
  ImpairmentSettings slow;
  slow.rate = 8'000'000;  // a byte a microsecond
  slow.queue = 5 * kLength;
  Impairment impairment(slow, 6);
  for (int i = 1; i <= 5; ++i) {
    const Fate fate = impairment.decide(kLength, kStart);
    ASSERT_EQ(fate.copies, 1);
    EXPECT_EQ(fate.copy[0].at - kStart, Duration::milliseconds(i));
  }
  EXPECT_EQ(impairment.decide(kLength, kStart).copies, 0);
  EXPECT_EQ(impairment.counters().queue_full, 1u);
  EXPECT_EQ(impairment.decide(kLength, kStart + Duration::milliseconds(2)).copies, 1);
}

TEST(Impairment, Damage_SparesTheEthernetHeader_AndTheChecksumSeesIt) {
  ImpairmentSettings bad;
  bad.corruption = 1;
  Impairment impairment(bad, 7);
  Random random(7);
  std::vector<uint8_t> frame(60);
  for (uint8_t& byte : frame) byte = static_cast<uint8_t>(random.next());
  const auto sum = [](std::span<const uint8_t> bytes) {
    wire::ChecksumSum s;
    s.add(bytes);
    return s.folded() % 0xffff;
  };
  for (int i = 0; i < 10'000; ++i) {
    const Damage damage = impairment.decide(60, kStart).copy[0].damage;
    std::vector<uint8_t> hurt = frame;
    damage.apply(hurt);
    ASSERT_TRUE(std::equal(frame.begin(), frame.begin() + 14, hurt.begin()));
    ASSERT_NE(frame, hurt);
    ASSERT_NE(sum(frame), sum(hurt));
  }
}

TEST(Impairment, Truncation_LeavesTheEthernetHeader) {
  ImpairmentSettings bad;
  bad.truncation = 1;
  Impairment impairment(bad, 8);
  for (int i = 0; i < 1000; ++i) {
    const Damage damage = impairment.decide(60, kStart).copy[0].damage;
    EXPECT_GE(damage.keep, 14u);
    EXPECT_LT(damage.keep, 60u);
  }
}

}  // namespace
}  // namespace estab::device
