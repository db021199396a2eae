#include "tcp/isn.h"

#include <gtest/gtest.h>

namespace estab::tcp {
namespace {

constexpr SipKey kSecret{1, 2};
constexpr wire::Tuple kTuple{wire::Ipv4Address(192, 0, 2, 1), wire::Ipv4Address(192, 0, 2, 2), wire::Port(80),
                             wire::Port(50'000)};
constexpr Instant kStart = Instant::from_ns(1'000'000'000);

TEST(Rfc6528_3, SameTupleFourMicrosecondsLater_OneMore) {
  const auto a = initial_numbers(kSecret, kTuple, kStart);
  const auto b = initial_numbers(kSecret, kTuple, kStart + Duration::microseconds(4));
  EXPECT_EQ(b.isn - a.isn, 1);
  EXPECT_EQ(a.ts_offset, b.ts_offset) << "a tuple's timestamps go on over incarnations (RFC 6191)";
}

TEST(Rfc6528_3, ClockGoesRound_IsnGoesRound) {
  const auto a = initial_numbers(kSecret, kTuple, kStart);
  const auto b = initial_numbers(kSecret, kTuple, kStart + Duration::microseconds(4) * (int64_t{1} << 32));
  EXPECT_EQ(b.isn, a.isn);
}

TEST(Rfc6528_3, EachPartOfTheTuple_OtherIsn) {
  const auto base = initial_numbers(kSecret, kTuple, kStart);
  wire::Tuple other[4] = {kTuple, kTuple, kTuple, kTuple};
  other[0].local = wire::Ipv4Address(192, 0, 2, 3);
  other[1].remote = wire::Ipv4Address(192, 0, 2, 3);
  other[2].local_port = wire::Port(81);
  other[3].remote_port = wire::Port(50'001);
  for (const auto& tuple : other) {
    EXPECT_NE(initial_numbers(kSecret, tuple, kStart).isn, base.isn);
    EXPECT_NE(initial_numbers(kSecret, tuple, kStart).ts_offset, base.ts_offset);
  }
}

TEST(Rfc6528_3, OtherSecret_OtherIsn) {
  EXPECT_NE(initial_numbers({1, 3}, kTuple, kStart).isn, initial_numbers(kSecret, kTuple, kStart).isn);
}

}  // namespace
}  // namespace estab::tcp
