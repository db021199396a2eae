#include "wire/seq.h"

#include <gtest/gtest.h>

namespace estab::wire {
namespace {

TEST(Seq, Order_OverTheWrap_GoesForward) {
  EXPECT_LT(Seq(0xffffffff), Seq(0));
  EXPECT_LT(Seq(0xfffffff0), Seq(0x10));
  EXPECT_GT(Seq(5), Seq(0xfffffffb));
  EXPECT_LE(Seq(7), Seq(7));
  EXPECT_GE(Seq(7), Seq(7));
  EXPECT_FALSE(Seq(7) < Seq(7));
}

TEST(Seq, Order_JustUnderHalfTheSpace_StillHolds) {
  EXPECT_LT(Seq(0), Seq(0x7fffffff));
  EXPECT_LT(Seq(0x80000001), Seq(0));
}

TEST(Seq, Addition_Wraps) {
  EXPECT_EQ(Seq(0xffffffff) + 1, Seq(0));
  EXPECT_EQ(Seq(3) - 5, Seq(0xfffffffe));
  Seq s(0xfffffffe);
  s += 4;
  EXPECT_EQ(s, Seq(2));
}

TEST(Seq, Difference_IsSigned) {
  EXPECT_EQ(Seq(2) - Seq(0xfffffffe), 4);
  EXPECT_EQ(Seq(0xfffffffe) - Seq(2), -4);
}

TEST(Seq, EarlierAndLater_OverTheWrap) {
  EXPECT_EQ(later(Seq(0xfffffff0), Seq(4)), Seq(4));
  EXPECT_EQ(earlier(Seq(0xfffffff0), Seq(4)), Seq(0xfffffff0));
}

}  // namespace
}  // namespace estab::wire
