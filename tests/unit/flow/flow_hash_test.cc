#include "flow/flow_hash.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace estab::flow {
namespace {

const FlowHash kHash(SipKey{1, 2});

TEST(FlowHash, DependsOnEveryFieldAndOnTheKey) {
  const wire::Tuple t{wire::Ipv4Address(10, 0, 0, 1), wire::Ipv4Address(10, 0, 0, 2), wire::Port(80), wire::Port(1024)};
  const uint64_t hash = kHash(t);
  EXPECT_EQ(kHash(wire::Tuple(t)), hash);
  wire::Tuple u = t;
  u.local = wire::Ipv4Address(10, 0, 0, 3);
  EXPECT_NE(kHash(u), hash);
  u = t;
  u.remote = wire::Ipv4Address(10, 0, 0, 3);
  EXPECT_NE(kHash(u), hash);
  u = t;
  u.local_port = wire::Port(81);
  EXPECT_NE(kHash(u), hash);
  u = t;
  u.remote_port = wire::Port(1025);
  EXPECT_NE(kHash(u), hash);
  u = t;
  std::swap(u.local, u.remote);
  std::swap(u.local_port, u.remote_port);
  EXPECT_NE(kHash(u), hash);
  EXPECT_NE(FlowHash({1, 3})(t), hash);
  EXPECT_NE(FlowHash({2, 2})(t), hash);
}

TEST(FlowHash, Ipv6_DependsOnEveryByteAndOnTheKey) {
  Ipv6Tuple t{};
  const uint64_t zero = kHash(t);
  for (uint8_t& byte : t) {
    byte = 1;
    EXPECT_NE(kHash(t), zero);
    byte = 0;
  }
  EXPECT_EQ(kHash(t), zero);
  EXPECT_NE(FlowHash({1, 3})(t), zero);
}

// A bit of the tuple changes each bit of the hash with a chance of one half, as far as 1024 tuples tell.
template <typename Tuple, typename Flip>
void expect_avalanche(const std::vector<Tuple>& tuples, size_t bits, Flip&& flip) {
  for (size_t bit = 0; bit < bits; ++bit) {
    std::array<int, 64> changed{};
    for (Tuple tuple : tuples) {
      const uint64_t before = kHash(tuple);
      flip(tuple, bit);
      for (size_t i = 0; i < 64; ++i) changed[i] += static_cast<int>((kHash(tuple) ^ before) >> i & 1);
    }
    for (const int count : changed) ASSERT_LT(std::abs(count - 512), 6 * 16) << "bit " << bit;
  }
}

TEST(FlowHash, Avalanche) {
  std::vector<wire::Tuple> tuples;
  for (uint32_t i = 0; i < 1024; ++i)
    tuples.push_back({wire::Ipv4Address(198, 18, 0, 1), wire::Ipv4Address(0x0a000000 + i / 64), wire::Port(80),
                      wire::Port(static_cast<uint16_t>(1024 + i % 64))});
  expect_avalanche(tuples, 96, [](wire::Tuple& tuple, size_t bit) {
    auto bytes = std::bit_cast<std::array<uint8_t, 12>>(tuple);
    bytes[bit / 8] = static_cast<uint8_t>(bytes[bit / 8] ^ 1u << bit % 8);
    tuple = std::bit_cast<wire::Tuple>(bytes);
  });
}

TEST(FlowHash, Avalanche_Ipv6) {
  std::vector<Ipv6Tuple> tuples(1024);
  for (uint32_t i = 0; i < 1024; ++i) {
    tuples[i][15] = static_cast<uint8_t>(i >> 6);
    tuples[i][35] = static_cast<uint8_t>(i & 63);
  }
  expect_avalanche(tuples, 288, [](Ipv6Tuple& tuple, size_t bit) {
    tuple[bit / 8] = static_cast<uint8_t>(tuple[bit / 8] ^ 1u << bit % 8);
  });
}

// Tuples in a row, as a scan or a load tester sends them, fill buckets as chance would: the mean square of the
// occupancy of Poisson's law.
TEST(FlowHash, TuplesInARow_SpreadLikeChance) {
  std::vector<uint32_t> buckets(1 << 14);
  constexpr uint32_t kFlows = 5 << 14;
  for (uint32_t i = 0; i < kFlows; ++i) {
    const wire::Tuple t{wire::Ipv4Address(198, 18, 0, 1), wire::Ipv4Address(0x0a000000 + i / 50000), wire::Port(80),
                        wire::Port(static_cast<uint16_t>(1024 + i % 50000))};
    ++buckets[kHash(t) & (buckets.size() - 1)];
  }
  double squares = 0;
  for (const uint32_t count : buckets) squares += 1.0 * count * count;
  EXPECT_NEAR(squares / static_cast<double>(buckets.size()), 30.0, 0.6);  // 5 + 5^2
}

}  // namespace
}  // namespace estab::flow
