#include "flow/port_allocator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace estab::flow {
namespace {

constexpr wire::Ipv4Address kLocal{10, 0, 0, 1};
constexpr wire::Ipv4Address kRemote{10, 0, 0, 2};
constexpr wire::Port kPort{80};

const auto kAny = [](wire::Port) { return true; };

uint16_t first_port(uint64_t secret, wire::Ipv4Address local = kLocal, wire::Ipv4Address remote = kRemote,
                    wire::Port port = kPort) {
  PortAllocator ports({secret, ~secret});
  return ports.allocate(local, remote, port, kAny)->value();
}

TEST(PortAllocator, OnePeer_EveryPortBeforeAnyTwice) {
  PortAllocator ports({1, 2});
  std::set<uint16_t> seen;
  for (uint32_t i = 0; i < PortAllocator::kCount; ++i) {
    const auto port = ports.allocate(kLocal, kRemote, kPort, kAny);
    ASSERT_TRUE(port);
    ASSERT_GE(port->value(), PortAllocator::kFirst);
    ASSERT_TRUE(seen.insert(port->value()).second);
  }
  EXPECT_TRUE(seen.contains(ports.allocate(kLocal, kRemote, kPort, kAny)->value())) << "and then from the start";
}

TEST(PortAllocator, TakenPorts_AreSkipped) {
  PortAllocator ports({1, 2});
  const auto even = [](wire::Port port) { return port.value() % 2 == 0; };
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(ports.allocate(kLocal, kRemote, kPort, even)->value() % 2, 0);
}

TEST(PortAllocator, AllTaken_NothingAfterSoManyTries) {
  PortAllocator ports({1, 2});
  int asked = 0;
  const auto taken = [&](wire::Port) { return ++asked, false; };
  EXPECT_FALSE(ports.allocate(kLocal, kRemote, kPort, taken));
  EXPECT_EQ(asked, 128);
  asked = 0;
  EXPECT_FALSE(ports.allocate(kLocal, kRemote, kPort, taken, PortAllocator::kCount));
  EXPECT_EQ(asked, static_cast<int>(PortAllocator::kCount));
}

TEST(PortAllocator, OneFreeOfAll_IsFoundWithTriesEnough) {
  PortAllocator ports({1, 2});
  const auto only = [](wire::Port port) { return port == wire::Port(40000); };
  EXPECT_EQ(ports.allocate(kLocal, kRemote, kPort, only, PortAllocator::kCount), wire::Port(40000));
  EXPECT_EQ(ports.allocate(kLocal, kRemote, kPort, only, PortAllocator::kCount), wire::Port(40000));
}

// Nobody without the secret can tell where the ports of a peer are: the starts are spread over the range.
TEST(PortAllocator, Starts_DifferBySecretAndByEachPartOfThePeer) {
  std::vector<uint16_t> by_secret, by_local, by_remote, by_port;
  for (uint32_t i = 1; i <= 4000; ++i) {
    by_secret.push_back(first_port(i));
    by_local.push_back(first_port(1, wire::Ipv4Address(i)));
    by_remote.push_back(first_port(1, kLocal, wire::Ipv4Address(i)));
    by_port.push_back(first_port(1, kLocal, kRemote, wire::Port(static_cast<uint16_t>(i))));
  }
  for (const auto* starts : {&by_secret, &by_local, &by_remote, &by_port}) {
    EXPECT_GT((std::set<uint16_t>(starts->begin(), starts->end()).size()), 3700u);  // 3880 are expected of random ones
    // Sixteen equal parts of the range, 250 expected in each: five standard deviations.
    std::array<int, 16> parts{};
    for (const uint16_t port : *starts) ++parts[(port - PortAllocator::kFirst) * 16u / PortAllocator::kCount];
    for (const int part : parts) EXPECT_NEAR(part, 250, 77);
  }
}

TEST(PortAllocator, OtherPeersWithTheirOwnCounter_DoNotMoveThisOne) {
  PortAllocator ports({9, 9});
  const uint16_t first = ports.allocate(kLocal, kRemote, kPort, kAny)->value();
  int moved = 0;
  uint16_t expected = first;
  for (uint32_t i = 0; i < 200; ++i) {
    ports.allocate(kLocal, wire::Ipv4Address(1000 + i), kPort, kAny);
    const uint16_t next = ports.allocate(kLocal, kRemote, kPort, kAny)->value();
    const auto step = static_cast<uint16_t>(expected + 1 == 65536 ? PortAllocator::kFirst : expected + 1);
    if (next != step) ++moved;
    expected = next;
  }
  EXPECT_LE(moved, 4);  // 1024 counters are shared by all
}

}  // namespace
}  // namespace estab::flow
