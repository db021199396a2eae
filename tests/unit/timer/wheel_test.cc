#include "timer/wheel.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "base/random.h"

namespace estab::timer {
namespace {

struct NodeOf {
  std::vector<TimerNode>* nodes;
  TimerNode& operator()(uint32_t index) const { return (*nodes)[index]; }
};

class WheelTest : public ::testing::Test {
 public:
  void start(size_t nodes, uint64_t now) {
    nodes_.assign(nodes, {});
    wheel = std::make_unique<Wheel<NodeOf>>(NodeOf{&nodes_}, now);
  }
  void SetUp() override { start(64, 1000); }

  std::vector<uint32_t> advance(uint64_t tick, uint32_t budget = UINT32_MAX) {
    std::vector<uint32_t> expired;
    const uint32_t count = wheel->advance(
        tick, [&](uint32_t index) { expired.push_back(index); }, budget);
    EXPECT_EQ(count, expired.size());
    return expired;
  }

  std::vector<TimerNode> nodes_;
  std::unique_ptr<Wheel<NodeOf>> wheel;
};

using Indices = std::vector<uint32_t>;

TEST_F(WheelTest, Schedule_ExpiresAtItsTickAndNotBefore_OnEveryLevel) {
  for (const uint64_t ahead : {1u, 2u, 255u, 256u, 257u, 65535u, 65536u, 65537u, 1u << 24, (1u << 24) + 1, 3u << 24}) {
    for (const uint64_t begin : {uint64_t{0}, uint64_t{255}, uint64_t{256}, uint64_t{0xffffff}, uint64_t{0xfffffffe}}) {
      start(1, begin);
      wheel->schedule(0, begin + ahead);
      EXPECT_TRUE(nodes_[0].scheduled());
      EXPECT_EQ(advance(begin + ahead - 1), Indices{}) << begin << "+" << ahead;
      EXPECT_EQ(advance(begin + ahead), Indices{0}) << begin << "+" << ahead;
      EXPECT_FALSE(nodes_[0].scheduled());
      EXPECT_EQ(wheel->size(), 0u);
    }
  }
}

TEST_F(WheelTest, Schedule_InThePastOrNow_ExpiresAtTheNextTick) {
  wheel->schedule(0, 5);
  wheel->schedule(1, 1000);
  EXPECT_EQ(advance(1000), Indices{});
  EXPECT_EQ(advance(1001).size(), 2u);
}

TEST_F(WheelTest, Schedule_BeyondTheSpan_ExpiresAtItsEnd) {
  constexpr uint64_t kSpan = (uint64_t{1} << 31) - 1;
  wheel->schedule(0, 1000 + 2 * kSpan);
  EXPECT_EQ(nodes_[0].tick, static_cast<uint32_t>(1000 + kSpan));
}

TEST_F(WheelTest, Schedule_Again_Moves) {
  wheel->schedule(0, 1010);
  wheel->schedule(0, 70'000);
  EXPECT_EQ(wheel->size(), 1u);
  EXPECT_EQ(advance(69'999), Indices{});
  wheel->schedule(0, 70'500);
  wheel->schedule(0, 70'100);
  EXPECT_EQ(advance(70'100), Indices{0});
}

TEST_F(WheelTest, Cancel_FirstMiddleAndLastOfASlot_OthersExpire) {
  for (uint32_t cancelled = 0; cancelled < 3; ++cancelled) {
    start(3, 1000);
    for (uint32_t i = 0; i < 3; ++i) wheel->schedule(i, 1300);
    wheel->cancel(cancelled);
    wheel->cancel(cancelled);  // harmless
    EXPECT_EQ(wheel->size(), 2u);
    const Indices expired = advance(1300);
    EXPECT_EQ(expired.size(), 2u);
    EXPECT_EQ(std::count(expired.begin(), expired.end(), cancelled), 0);
  }
}

TEST_F(WheelTest, Advance_ExpiresInOrderOfTicks_OverLevels) {
  const std::vector<uint64_t> ticks{900'000, 1001, 1256, 70'000, 1'024, 66'000, 1255, 500'000};
  for (uint32_t i = 0; i < ticks.size(); ++i) wheel->schedule(i, ticks[i]);
  EXPECT_EQ(advance(1'000'000), (Indices{1, 4, 6, 2, 5, 3, 7, 0}));
}

TEST_F(WheelTest, Callback_SchedulesItself_ExpiresAgainInTheSameAdvance) {
  wheel->schedule(0, 1100);
  std::vector<uint64_t> seen;
  wheel->advance(1500, [&](uint32_t index) {
    seen.push_back(wheel->now());
    wheel->schedule(index, wheel->now() + 100);
  });
  EXPECT_EQ(seen, (std::vector<uint64_t>{1100, 1200, 1300, 1400, 1500}));
  EXPECT_EQ(wheel->size(), 1u);
}

TEST_F(WheelTest, Callback_SchedulesItselfForNow_DoesNotSpin) {
  wheel->schedule(0, 1001);
  EXPECT_EQ(wheel->advance(1001, [&](uint32_t index) { wheel->schedule(index, wheel->now()); }), 1u);
  EXPECT_EQ(nodes_[0].tick, 1002u);
}

TEST_F(WheelTest, Callback_CancelsAnotherOfItsSlot_WhichThenDoesNotExpire) {
  for (uint32_t i = 0; i < 4; ++i) wheel->schedule(i, 1100);
  Indices expired;
  wheel->advance(1100, [&](uint32_t index) {
    expired.push_back(index);
    for (uint32_t i = 0; i < 4; ++i) wheel->cancel(i);
  });
  EXPECT_EQ(expired.size(), 1u);
  EXPECT_EQ(wheel->size(), 0u);
}

TEST_F(WheelTest, Callback_MovesAnotherOfItsSlot_WhichExpiresThen) {
  wheel->schedule(0, 1100);
  wheel->schedule(1, 1100);
  Indices expired;
  wheel->advance(1200, [&](uint32_t index) {
    expired.push_back(index);
    if (expired.size() == 1) wheel->schedule(1 - index, 1150);
  });
  EXPECT_EQ(expired.size(), 2u);
  EXPECT_EQ(wheel->now(), 1200u);
}

TEST_F(WheelTest, Budget_LeavesTheRestForTheNextCall_StillInOrder) {
  for (uint32_t i = 0; i < 10; ++i) wheel->schedule(i, 1100 + i / 5);
  EXPECT_EQ(advance(2000, 3).size(), 3u);
  EXPECT_EQ(wheel->now(), 1100u);
  EXPECT_EQ(advance(2000, 4).size(), 4u);
  EXPECT_EQ(advance(2000, 0).size(), 0u);
  EXPECT_EQ(advance(2000).size(), 3u);
  EXPECT_EQ(wheel->now(), 2000u);
}

TEST_F(WheelTest, NextTick_IsNeverLate) {
  EXPECT_EQ(wheel->next_tick(), UINT64_MAX);
  wheel->schedule(0, 1005);
  EXPECT_EQ(wheel->next_tick(), 1005u);
  wheel->schedule(1, 100'000);
  wheel->cancel(0);
  // Sleeping from one next_tick to the next arrives exactly.
  int sleeps = 0;
  while (wheel->size() > 0) {
    const uint64_t next = wheel->next_tick();
    ASSERT_GT(next, wheel->now());
    ASSERT_LE(next, 100'000u);
    advance(next);
    ASSERT_LT(++sleeps, 1000);
  }
  EXPECT_EQ(wheel->now(), 100'000u);
}

TEST_F(WheelTest, NextTick_AfterASpentBudget_IsNow) {
  for (uint32_t i = 0; i < 4; ++i) wheel->schedule(i, 1100);
  advance(1200, 2);
  EXPECT_EQ(wheel->next_tick(), 1100u);
  advance(1200);
  EXPECT_EQ(wheel->next_tick(), UINT64_MAX);
}

TEST_F(WheelTest, NodeTick_WrapsAt32Bits) {
  const uint64_t begin = (uint64_t{3} << 32) - 100'000;
  start(3, begin);
  wheel->schedule(0, begin + 99'999);
  wheel->schedule(1, begin + 100'000);
  wheel->schedule(2, begin + (uint64_t{1} << 31) - 1);
  EXPECT_EQ(nodes_[1].tick, 0u);
  EXPECT_EQ(advance(begin + 99'999), Indices{0});
  EXPECT_EQ(advance(begin + 100'000), Indices{1});
  EXPECT_EQ(advance(begin + (uint64_t{1} << 31) - 2), Indices{});
  EXPECT_EQ(advance(begin + (uint64_t{1} << 31) - 1), Indices{2});
}

// Against a multimap: the same nodes expire at the same ticks, whatever is done in between.
TEST_F(WheelTest, Random_AgreesWithAMultimap) {
  constexpr uint32_t kNodes = 2000;
  for (const uint64_t begin : {uint64_t{0}, (uint64_t{1} << 32) - 300'000, uint64_t{123'456'789'012}}) {
    Random random(begin + 7);
    start(kNodes, begin);
    std::multimap<uint64_t, uint32_t> model;
    std::vector<uint64_t> due(kNodes, 0);  // 0: not scheduled
    const auto forget = [&](uint32_t index) {
      if (due[index] == 0) return;
      for (auto [it, end] = model.equal_range(due[index]); it != end; ++it) {
        if (it->second == index) {
          model.erase(it);
          break;
        }
      }
      due[index] = 0;
    };
    const auto schedule = [&](uint32_t index) {
      const uint32_t bits = random.below(26);
      const uint64_t tick = wheel->now() + random.below(2u << bits);
      forget(index);
      wheel->schedule(index, tick);
      due[index] = std::max(tick, wheel->now() + 1);
      model.emplace(due[index], index);
    };
    const auto cancel = [&](uint32_t index) {
      forget(index);
      wheel->cancel(index);
    };
    for (int op = 0; op < 250'000; ++op) {
      const uint32_t what = random.below(100);
      if (what < 60) {
        schedule(random.below(kNodes));
      } else if (what < 85) {
        cancel(random.below(kNodes));
      } else {
        const uint32_t jump = what == 99 ? random.below(200'000) : random.below(300);
        const uint64_t to = wheel->now() + jump;
        const uint32_t budget = random.chance(0.3) ? random.below(20) : UINT32_MAX;
        const uint64_t next = wheel->next_tick();
        if (!model.empty()) {
          ASSERT_LE(next, model.begin()->first);
        }
        const uint32_t expired = wheel->advance(
            to,
            [&](uint32_t index) {
              ASSERT_FALSE(model.empty());
              ASSERT_EQ(model.begin()->first, wheel->now());
              ASSERT_EQ(due[index], wheel->now());
              forget(index);
              if (random.chance(0.2)) schedule(index);
              if (random.chance(0.2)) schedule(random.below(kNodes));
              if (random.chance(0.2)) cancel(random.below(kNodes));
            },
            budget);
        if (HasFatalFailure()) return;
        if (expired < budget) {
          ASSERT_EQ(wheel->now(), to);
          if (!model.empty()) {
            ASSERT_GT(model.begin()->first, to);
          }
        }
      }
      ASSERT_EQ(wheel->size(), model.size());
    }
  }
}

}  // namespace
}  // namespace estab::timer
