#include "tcp/reassembly.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "support/tcp_print.h"

namespace estab::tcp {
namespace {

using Piece = Reassembly::Piece;
using Blocks = std::array<wire::SackBlock, wire::kMaxSackBlocks>;

// Inserts what of [begin, end) is not held.
void add(Reassembly& r, uint32_t begin, uint32_t end) {
  Seq from(begin);
  while (const auto gap = r.first_gap(from, Seq(end))) {
    ASSERT_TRUE(r.insert(*gap));
    from = gap->end;
  }
}

TEST(Reassembly, Empty_WholeRangeIsAGap) {
  const Reassembly r;
  const auto gap = r.first_gap(Seq(10), Seq(20));
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->begin, Seq(10));
  EXPECT_EQ(gap->end, Seq(20));
  EXPECT_TRUE(r.empty());
}

TEST(Reassembly, EmptyRange_NoGap) {
  EXPECT_FALSE(Reassembly{}.first_gap(Seq(10), Seq(10)));
}

TEST(Reassembly, Overlap_EachSide_OnlyNewBytes) {
  Reassembly r;
  add(r, 100, 200);
  EXPECT_FALSE(r.first_gap(Seq(100), Seq(200)));
  EXPECT_FALSE(r.first_gap(Seq(120), Seq(150)));
  auto gap = r.first_gap(Seq(50), Seq(150));
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->end, Seq(100));
  gap = r.first_gap(Seq(150), Seq(250));
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->begin, Seq(200));
  EXPECT_EQ(gap->end, Seq(250));
}

TEST(Reassembly, RangeOverAPiece_TwoGaps) {
  Reassembly r;
  add(r, 100, 200);
  add(r, 50, 250);
  EXPECT_EQ(r.pieces(), 3u);
  EXPECT_FALSE(r.first_gap(Seq(50), Seq(250)));
}

TEST(Reassembly, Pop_OnlyWhatStartsThere) {
  Reassembly r;
  add(r, 100, 200);
  EXPECT_FALSE(r.pop(Seq(99)));
  const auto piece = r.pop(Seq(100));
  ASSERT_TRUE(piece);
  EXPECT_EQ(piece->end, Seq(200));
  EXPECT_TRUE(r.empty());
}

TEST(Reassembly, PopAny_TakesAll) {
  Reassembly r;
  add(r, 100, 200);
  add(r, 300, 400);
  EXPECT_TRUE(r.pop_any());
  EXPECT_TRUE(r.pop_any());
  EXPECT_FALSE(r.pop_any());
}

TEST(Reassembly, Full_RefusesMore) {
  Reassembly r;
  for (uint32_t i = 0; i < Reassembly::kCapacity; ++i) ASSERT_TRUE(r.insert({Seq(10 * i), Seq(10 * i + 5)}));
  EXPECT_TRUE(r.full());
  EXPECT_FALSE(r.insert({Seq(5'000), Seq(5'001)}));
}

TEST(Reassembly, Fin_KeepsItNotEmpty) {
  Reassembly r;
  r.set_fin(Seq(7));
  EXPECT_FALSE(r.empty());
  EXPECT_TRUE(r.fin_at(Seq(7)));
  EXPECT_FALSE(r.fin_at(Seq(8)));
  r.clear_fin();
  EXPECT_TRUE(r.empty());
}

TEST(Reassembly, OverTheWrap_KeepsOrder) {
  Reassembly r;
  add(r, 0x10, 0x20);
  add(r, 0xffffffe0, 0xfffffff0);
  add(r, 0xfffffff0, 0x10);
  Seq next(0xffffffe0);
  while (const auto piece = r.pop(next)) next = piece->end;
  EXPECT_EQ(next, Seq(0x20));
  EXPECT_TRUE(r.empty());
}

TEST(Reassembly, RandomRanges_CoverExactlyOnce) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Random random(seed);
    const Seq base(0xffffff80);
    std::array<bool, 256> covered{};
    Reassembly r;
    for (int i = 0; i < 60; ++i) {
      const uint32_t begin = random.below(255);
      const uint32_t end = begin + 1 + random.below(256 - begin - 1 > 0 ? 256 - begin - 1 : 1);
      Seq from = base + begin;
      while (const auto gap = r.first_gap(from, base + end)) {
        for (Seq s = gap->begin; s != gap->end; s += 1) {
          bool& c = covered[static_cast<size_t>(s - base)];
          ASSERT_FALSE(c);
          c = true;
        }
        ASSERT_TRUE(r.insert(*gap));
        from = gap->end;
      }
      for (uint32_t b = begin; b < end; ++b) ASSERT_TRUE(covered[b]);
    }
  }
}

TEST(Rfc2018_4_Blocks, MostRecentFirst) {
  Reassembly r;
  add(r, 100, 200);
  add(r, 300, 400);
  add(r, 500, 600);
  add(r, 320, 420);
  Blocks blocks;
  ASSERT_EQ(r.sack_blocks(blocks, 4), 3u);
  EXPECT_EQ(blocks[0], (wire::SackBlock{Seq(300), Seq(420)}));
  EXPECT_EQ(blocks[1], (wire::SackBlock{Seq(500), Seq(600)}));
  EXPECT_EQ(blocks[2], (wire::SackBlock{Seq(100), Seq(200)}));
}

TEST(Rfc2018_4_Blocks, AdjacentPieces_OneBlock) {
  Reassembly r;
  add(r, 100, 200);
  add(r, 200, 300);
  add(r, 50, 100);
  Blocks blocks;
  ASSERT_EQ(r.sack_blocks(blocks, 4), 1u);
  EXPECT_EQ(blocks[0], (wire::SackBlock{Seq(50), Seq(300)}));
}

TEST(Rfc2018_4_Blocks, MoreThanRoom_NewestOnly) {
  Reassembly r;
  for (uint32_t i = 1; i <= 6; ++i) add(r, 100 * i, 100 * i + 10);
  Blocks blocks;
  ASSERT_EQ(r.sack_blocks(blocks, 3), 3u);
  EXPECT_EQ(blocks[0].begin, Seq(600));
  EXPECT_EQ(blocks[2].begin, Seq(400));
  EXPECT_EQ(r.sack_blocks(blocks, 9), 4u) << "never more than an option holds";
}

TEST(Rfc2018_4_Blocks, AfterPop_OnlyWhatIsLeft) {
  Reassembly r;
  add(r, 100, 200);
  add(r, 300, 400);
  ASSERT_TRUE(r.pop(Seq(100)));
  Blocks blocks;
  ASSERT_EQ(r.sack_blocks(blocks, 4), 1u);
  EXPECT_EQ(blocks[0].begin, Seq(300));
}

}  // namespace
}  // namespace estab::tcp
