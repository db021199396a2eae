#include "base/byte_order.h"

#include <gtest/gtest.h>

namespace estab {
namespace {

constexpr uint8_t kBytes[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};

static_assert(load_be<uint16_t>(kBytes) == 0x0123);
static_assert(load_be<uint32_t>(kBytes) == 0x01234567);

TEST(ByteOrder, Load_EveryWidth_MostSignificantFirst) {
  EXPECT_EQ(load_be<uint8_t>(kBytes), 0x01);
  EXPECT_EQ(load_be<uint16_t>(kBytes), 0x0123);
  EXPECT_EQ(load_be<uint32_t>(kBytes), 0x01234567u);
  EXPECT_EQ(load_be<uint64_t>(kBytes), 0x0123456789abcdefULL);
}

TEST(ByteOrder, Load_OddAddress_Works) {
  EXPECT_EQ(load_be<uint32_t>(kBytes + 1), 0x23456789u);
}

TEST(ByteOrder, Store_LoadsBack) {
  uint8_t to[9] = {};
  store_be<uint64_t>(to + 1, 0xfedcba9876543210ULL);
  EXPECT_EQ(to[0], 0);
  EXPECT_EQ(to[1], 0xfe);
  EXPECT_EQ(load_be<uint64_t>(to + 1), 0xfedcba9876543210ULL);
}

TEST(ByteOrder, Swap_Twice_IsTheSame) {
  EXPECT_EQ(byte_swap(uint8_t{0xab}), 0xab);
  EXPECT_EQ(byte_swap(uint16_t{0x1234}), 0x3412);
  EXPECT_EQ(byte_swap(byte_swap(uint32_t{0x12345678})), 0x12345678u);
}

}  // namespace
}  // namespace estab
