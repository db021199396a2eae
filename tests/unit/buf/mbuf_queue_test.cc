#include "buf/mbuf_queue.h"

#include <deque>

#include "buf_test.h"

namespace estab::buf {
namespace {

class MbufQueueTest : public BufTest {
 public:
  void TearDown() override {
    queue.clear();
    BufTest::TearDown();
  }
  std::string copied(uint32_t offset, uint32_t length) {
    std::string out(length, '\0');
    queue.copy_out(offset, length, reinterpret_cast<uint8_t*>(out.data()));
    return out;
  }
  MbufQueue queue;
};

TEST_F(MbufQueueTest, Empty_HasNothing) {
  EXPECT_TRUE(queue.empty());
  EXPECT_FALSE(queue.take_all());
  EXPECT_FALSE(queue.reference(*pool, 0, 10));
  queue.pop(0);
  queue.push(Mbuf());
  EXPECT_TRUE(queue.empty());
}

TEST_F(MbufQueueTest, TakeAll_IsOnePacketInOrder) {
  queue.push(pool->copy(bytes_of("abc")));
  queue.push(chain({"d", "ef"}));
  queue.push(pool->copy(bytes_of("g")));
  const Mbuf all = queue.take_all();
  EXPECT_EQ(content(all), "abcdefg");
  EXPECT_TRUE(queue.empty());
}

TEST_F(MbufQueueTest, Pop_PartsOfSegments) {
  queue.push(chain({"abcd", "efgh", "ijkl"}));
  queue.pop(2);
  EXPECT_EQ(copied(0, 10), "cdefghijkl");
  queue.pop(5);
  EXPECT_EQ(copied(0, 5), "hijkl");
  EXPECT_EQ(pool->in_use(), 2u);
  queue.pop(5);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(pool->in_use(), 0u);
}

TEST_F(MbufQueueTest, PopUpToTheSegmentSoughtLast_KeepsThePlaces) {
  queue.push(chain({"abcd", "efgh", "ijkl"}));
  EXPECT_EQ(copied(8, 2), "ij");
  queue.pop(4);
  EXPECT_EQ(copied(4, 2), "ij");
  EXPECT_EQ(copied(6, 2), "kl");
  queue.pop(4);
  EXPECT_EQ(copied(0, 4), "ijkl");
  EXPECT_EQ(copied(1, 3), "jkl");
}

// An empty segment at the front is freed with what is before it: no place may refer to it then.
TEST_F(MbufQueueTest, PopOverAnEmptySegmentThatWasSoughtLast) {
  queue.push(chain({"abcd", ""}));
  EXPECT_FALSE(queue.reference(*pool, 4, 1));  // beyond the end: the search ends in the empty segment
  queue.pop(4);
  EXPECT_TRUE(queue.empty());
  queue.push(chain({"abcd", ""}));
  EXPECT_FALSE(queue.reference(*pool, 4, 1));
  queue.push(pool->copy(bytes_of("efgh")));
  queue.pop(4);
  EXPECT_EQ(copied(0, 4), "efgh");
}

TEST_F(MbufQueueTest, Reference_BeyondTheEnd_IsEmptyAndThenGrows) {
  queue.push(pool->copy(bytes_of("abcd")));
  EXPECT_FALSE(queue.reference(*pool, 4, 4));
  queue.push(pool->copy(bytes_of("efgh")));
  EXPECT_EQ(content(queue.reference(*pool, 4, 4)), "efgh");
  EXPECT_EQ(content(queue.reference(*pool, 2, 4)), "cdef");
}

TEST_F(MbufQueueTest, PushCompact_ByteByByte_PinsFewMbufs) {
  const std::string bytes = text(3000);
  for (const char byte : bytes) queue.push_compact(pool->copy(bytes_of(std::string(1, byte))));
  EXPECT_LE(pool->in_use(), 3u);
  EXPECT_EQ(copied(0, 3000), bytes);
}

TEST_F(MbufQueueTest, PushCompact_BehindSharedMemory_LeavesTheReferenceAlone) {
  queue.push_compact(pool->copy(bytes_of("abcd")));
  const Mbuf reference = queue.reference(*pool, 0, 4);
  queue.push_compact(pool->copy(bytes_of("efgh")));
  EXPECT_EQ(content(reference), "abcd");
  EXPECT_EQ(copied(0, 8), "abcdefgh");
}

TEST_F(MbufQueueTest, ReferenceAlive_PopLeavesItsBytesAndItsChain) {
  const std::string bytes = text(60);
  queue.push(chain({bytes.substr(0, 20), bytes.substr(20, 20), bytes.substr(40)}));
  const Mbuf reference = queue.reference(*pool, 10, 40);
  queue.pop(60);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(content(reference), bytes.substr(10, 40));
  // The segments come back whole: a new packet from the pool is one segment.
  EXPECT_EQ(content(pool->copy(bytes_of("x"))), "x");
}

// Against a string, with references kept alive across everything else.
TEST_F(MbufQueueTest, Random_AgreesWithAString) {
  Random random(11);
  std::string model;
  std::deque<std::pair<Mbuf, std::string>> alive;
  for (int op = 0; op < 100'000; ++op) {
    const auto size = static_cast<uint32_t>(model.size());
    const uint32_t what = random.below(100);
    if (what < 25 && size < 4000) {
      const std::string bytes = text(1 + random.below(400), random.next());
      Mbuf packet = random.chance(0.2) ? pool->copy(bytes_of(bytes)) : cut(bytes, 5, random);
      random.chance(0.3) ? queue.push_compact(std::move(packet)) : queue.push(std::move(packet));
      model += bytes;
    } else if (what < 45) {
      const uint32_t n = random.chance(0.05) ? size : random.below(std::min(size, 300u) + 1);
      queue.pop(n);
      model.erase(0, n);
    } else if (what < 65 && size > 0) {
      // As a sender does: one after the other, or from somewhere.
      const uint32_t offset = random.below(size);
      const uint32_t length = 1 + random.below(size - offset);
      Mbuf reference = queue.reference(*pool, offset, length);
      ASSERT_TRUE(reference);
      ASSERT_EQ(content(reference), model.substr(offset, length));
      alive.emplace_back(std::move(reference), model.substr(offset, length));
    } else if (what < 85 && size > 0) {
      const uint32_t offset = random.below(size);
      const uint32_t length = random.below(size - offset + 1);
      ASSERT_EQ(copied(offset, length), model.substr(offset, length));
    } else if (what < 88) {
      Mbuf all = queue.take_all();
      ASSERT_EQ(content(all), model);
      if (random.chance(0.5) && all) {
        queue.push(std::move(all));
      } else {
        model.clear();
      }
    } else if (what == 88) {
      queue.clear();
      model.clear();
    }
    while (alive.size() > 20) {
      const uint32_t i = random.below(static_cast<uint32_t>(alive.size()));
      ASSERT_EQ(content(alive[i].first), alive[i].second);
      alive.erase(alive.begin() + i);
    }
    if (what != 25) continue;
    ASSERT_EQ(queue.empty(), model.empty());
  }
  for (const auto& [packet, bytes] : alive) EXPECT_EQ(content(packet), bytes);
}

}  // namespace
}  // namespace estab::buf
