#include "buf/mbuf.h"

#include "buf_test.h"

namespace estab::buf {
namespace {

class MbufTest : public BufTest {};

TEST_F(MbufTest, Move_OwnsOnce) {
  Mbuf a = pool->copy(bytes_of("abc"));
  Mbuf b = std::move(a);
  EXPECT_FALSE(a);
  EXPECT_EQ(content(b), "abc");
  b = pool->copy(bytes_of("def"));
  EXPECT_EQ(pool->in_use(), 1u);
  Mbuf& self = b;
  b = std::move(self);
  EXPECT_EQ(content(b), "def");
}

TEST_F(MbufTest, Keep_AnyRangeOfAnyChain) {
  const std::string bytes = text(40);
  for (const std::vector<size_t>& cuts :
       std::vector<std::vector<size_t>>{{}, {1}, {10, 20}, {10, 10, 30}, {0, 5, 39}, {40}}) {
    std::vector<std::string> pieces;
    size_t at = 0;
    for (const size_t cut : cuts) {
      pieces.push_back(bytes.substr(at, cut - at));
      at = cut;
    }
    pieces.push_back(bytes.substr(at));
    for (uint32_t offset = 0; offset < 40; ++offset) {
      for (uint32_t length = 1; offset + length <= 40; ++length) {
        Mbuf packet = chain(pieces);
        packet.keep(offset, length);
        ASSERT_EQ(content(packet), bytes.substr(offset, length)) << offset << " " << length;
      }
    }
  }
}

TEST_F(MbufTest, Keep_LeavesNoSegmentBeyondTheRange) {
  Mbuf packet = chain({text(10), text(10), text(10), text(10)});
  packet.keep(12, 8);
  EXPECT_EQ(pool->in_use(), 1u);
  EXPECT_EQ(packet.get()->nb_segs, 1);
}

TEST_F(MbufTest, Keep_OfAReference_LeavesTheOriginalAlone) {
  const std::string bytes = text(30);
  Mbuf packet = chain({bytes.substr(0, 10), bytes.substr(10, 10), bytes.substr(20)});
  Mbuf reference = pool->reference(packet.get(), 0, 30);
  reference.keep(15, 10);
  EXPECT_EQ(content(reference), bytes.substr(15, 10));
  EXPECT_EQ(content(packet), bytes);
}

TEST_F(MbufTest, Writable_OnlyWhenTheMemoryIsItsAlone) {
  Mbuf packet = pool->copy(bytes_of("abc"));
  EXPECT_TRUE(packet.writable());
  {
    const Mbuf reference = pool->reference(packet.get(), 0, 3);
    EXPECT_FALSE(packet.writable());
    EXPECT_FALSE(reference.writable());
  }
  EXPECT_TRUE(packet.writable());
}

TEST_F(MbufTest, Rewrite_LeavesOneSegmentOfThatLength) {
  Mbuf packet = chain({text(10), text(10), text(10)});
  packet.keep(3, 20);
  packet.get()->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD;
  packet.rewrite(54);
  EXPECT_EQ(pool->in_use(), 1u);
  EXPECT_EQ(content(packet).size(), 54u);
  EXPECT_EQ(packet.get()->data_off, RTE_PKTMBUF_HEADROOM);
  EXPECT_EQ(packet.get()->ol_flags, 0u);
}

TEST_F(MbufTest, Burst_FreesWhatWasNotTaken) {
  {
    MbufBurst burst;
    for (int i = 0; i < MbufBurst::kSize; ++i) burst.push(pool->copy(bytes_of("x")));
    EXPECT_TRUE(burst.full());
    EXPECT_EQ(burst.peek(3).length(), 1u);
    const Mbuf taken = burst.take(3);
    EXPECT_TRUE(taken);
    EXPECT_FALSE(burst.take(3)) << "a second time there is nothing";
    burst.clear();
    EXPECT_EQ(pool->in_use(), 1u);
    burst.push(pool->copy(bytes_of("y")));
  }
  EXPECT_EQ(pool->in_use(), 0u);
}

TEST_F(MbufTest, View_VerdictNeedsAllItsBits) {
  Mbuf packet = pool->copy(bytes_of("x"));
  packet.get()->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_NONE;  // both bits: no verdict
  EXPECT_FALSE(packet.view().verdict_is(RTE_MBUF_F_RX_L4_CKSUM_MASK, RTE_MBUF_F_RX_L4_CKSUM_GOOD));
  packet.get()->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_GOOD;
  EXPECT_TRUE(packet.view().verdict_is(RTE_MBUF_F_RX_L4_CKSUM_MASK, RTE_MBUF_F_RX_L4_CKSUM_GOOD));
}

}  // namespace
}  // namespace estab::buf
