#include "buf/mbuf_pool.h"

#include "buf_test.h"

namespace estab::buf {
namespace {

class MbufPoolTest : public BufTest {};

TEST_F(MbufPoolTest, Create_TooMany_SaysWhatToDo) {
  const auto created = MbufPool::create("huge", 10'000'000);
  ASSERT_FALSE(created);
  EXPECT_NE(created.error().find("-m MEGABYTES"), std::string::npos) << created.error();
}

TEST_F(MbufPoolTest, Copy_AnyLength_InAsManySegmentsAsItTakes) {
  for (const size_t n : {size_t{0}, size_t{1}, size_t{2047}, size_t{2048}, size_t{2049}, size_t{4096}, size_t{65000}}) {
    const std::string bytes = text(n, n);
    const Mbuf packet = pool->copy(bytes_of(bytes));
    ASSERT_TRUE(packet);
    EXPECT_EQ(content(packet), bytes);
    EXPECT_EQ(packet.get()->nb_segs, std::max<size_t>(1, (n + 2047) / 2048));
  }
}

TEST_F(MbufPoolTest, Copy_OfAnEmptySpan_IsAnEmptyPacket) {
  const Mbuf packet = pool->copy({});
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet.length(), 0u);
}

TEST_F(MbufPoolTest, Reference_AnyRange_SharesTheBytes) {
  Random random(5);
  for (int i = 0; i < 2000; ++i) {
    const std::string bytes = text(1 + random.below(300), random.next());
    const Mbuf packet = cut(bytes, 6, random);
    const uint32_t offset = random.below(static_cast<uint32_t>(bytes.size()));
    const uint32_t length = 1 + random.below(static_cast<uint32_t>(bytes.size()) - offset);
    const Mbuf reference = pool->reference(packet.get(), offset, length);
    ASSERT_EQ(content(reference), bytes.substr(offset, length));
    // And a reference to the reference.
    const uint32_t inner = random.below(length);
    const Mbuf second = pool->reference(reference.get(), inner, length - inner);
    ASSERT_EQ(content(second), bytes.substr(offset + inner, length - inner));
  }
}

TEST_F(MbufPoolTest, Reference_OutlivesThePacket) {
  const std::string bytes = text(100);
  Mbuf packet = pool->copy(bytes_of(bytes));
  Mbuf reference = pool->reference(packet.get(), 10, 50);
  packet.reset();
  EXPECT_EQ(content(reference), bytes.substr(10, 50));
  Mbuf second = pool->reference(reference.get(), 5, 10);
  reference.reset();
  EXPECT_EQ(content(second), bytes.substr(15, 10));
}

TEST_F(MbufPoolTest, Empty_AllocateCopyAndReferenceGiveNothing_AndLeakNothing) {
  make_pool(31);
  const std::string bytes = text(100);
  std::vector<Mbuf> hoard;
  hoard.push_back(chain({bytes.substr(0, 50), bytes.substr(50)}));
  while (Mbuf taken = pool->allocate()) hoard.push_back(std::move(taken));
  EXPECT_EQ(pool->in_use(), 31u);
  EXPECT_FALSE(pool->copy(bytes_of(bytes)));
  EXPECT_FALSE(pool->reference(hoard[0].get(), 0, 100));
  hoard.pop_back();  // one is there again, two are needed
  EXPECT_FALSE(pool->reference(hoard[0].get(), 0, 100));
  EXPECT_FALSE(pool->copy(bytes_of(text(3000))));
  EXPECT_EQ(content(hoard[0]), bytes);
  EXPECT_EQ(content(pool->reference(hoard[0].get(), 60, 30)), bytes.substr(60, 30));
  EXPECT_EQ(pool->in_use(), 30u);
}

}  // namespace
}  // namespace estab::buf
