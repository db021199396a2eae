// The seeds that CI runs. More of them: scripts/sim --seeds N.
#include "sim/summary.h"
#include "support/two_stacks.h"

namespace estab::sim {
namespace {

constexpr uint64_t kSeeds = 4'000;
constexpr uint64_t kParts = 8;

class Simulation : public ::testing::TestWithParam<uint64_t> {
 public:
  void SetUp() override { test::need_eal(); }
};

TEST_P(Simulation, EverySeed_NothingIsLostLeaksOrHangs) {
  const uint64_t first = 1 + GetParam() * (kSeeds / kParts);
  for (uint64_t seed = first; seed < first + kSeeds / kParts; ++seed) {
    const Result result = run(draw(seed));
    if (!result.failure.empty()) ADD_FAILURE() << report(seed, result, "");
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, Simulation, ::testing::Range(uint64_t{0}, kParts));

TEST_F(Simulation, SameSeed_SameFramesAtTheSameTimes) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Scenario scenario = draw(seed);
    const uint64_t first = run(scenario, {.fingerprint = true}).fingerprint;
    EXPECT_EQ(first, run(draw(seed), {.fingerprint = true}).fingerprint) << "seed " << seed;
    EXPECT_NE(first, run(draw(seed + 1'000'000), {.fingerprint = true}).fingerprint);
  }
}

}  // namespace
}  // namespace estab::sim
