#include "device/impaired_link.h"

#include "support/two_stacks.h"

namespace estab::device {
namespace {

class BadLink : public ::testing::Test {
 public:
  void SetUp() override {
    test::need_eal();
    static int count = 0;
    for (auto& pool : pools) {
      auto made = buf::MbufPool::create("link" + std::to_string(count++), 1023);
      ASSERT_TRUE(made) << made.error();
      pool = std::move(*made);
    }
  }
  void TearDown() override {
    link = {};
    for (const auto& pool : pools) EXPECT_EQ(pool.in_use(), 0u);
  }

  void start(const ImpairedLinkOptions& options = {}) {
    link = ImpairedLink::create_pair(options, now, pools[0], pools[1]);
  }
  // Sends from the first end. The mbufs that the device did not take are freed.
  uint16_t send(std::span<const uint8_t> frame, uint16_t copies = 1) {
    buf::MbufBurst burst;
    for (uint16_t i = 0; i < copies; ++i) burst.push(pools[0].copy(frame));
    const uint16_t sent = link.first->transmit(burst.data(), copies);
    for (uint16_t i = 0; i < sent; ++i) static_cast<void>(burst.take(i).release());
    for (uint16_t i = sent; i < copies; ++i) burst.take(i).reset();
    burst.set_size(0);
    return sent;
  }
  // What has reached the second end by now.
  std::vector<std::vector<uint8_t>> received() {
    std::vector<std::vector<uint8_t>> frames;
    buf::MbufBurst burst;
    link.second->receive(burst);
    for (uint16_t i = 0; i < burst.size(); ++i) {
      frames.emplace_back();
      last_segments = burst.peek(i).get()->nb_segs;
      for (const rte_mbuf* s = burst.peek(i).get(); s != nullptr; s = s->next) {
        const auto* begin = rte_pktmbuf_mtod(s, const uint8_t*);
        frames.back().insert(frames.back().end(), begin, begin + s->data_len);
      }
      EXPECT_EQ(frames.back().size(), burst.peek(i).length());
    }
    return frames;
  }
  static std::vector<uint8_t> frame(size_t size, uint16_t type = 0x0800) {
    std::vector<uint8_t> bytes(size);
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(i * 7);
    bytes[12] = static_cast<uint8_t>(type >> 8);
    bytes[13] = static_cast<uint8_t>(type);
    return bytes;
  }

  Instant now = Instant::from_ns(1'000'000'000);
  std::array<buf::MbufPool, 2> pools;
  ImpairedLink::Pair link;
  int last_segments = 0;
};

TEST_F(BadLink, Delay_ArrivesWhenDue_InAnMbufOfTheReceiver) {
  ImpairedLinkOptions options;
  options.from[0].delay = Duration::milliseconds(3);
  start(options);
  send(frame(100));
  EXPECT_EQ(pools[0].in_use(), 0u);
  EXPECT_TRUE(received().empty());
  EXPECT_EQ(link.second->next_arrival(), now + Duration::milliseconds(3));
  now = link.second->next_arrival();
  const auto frames = received();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0], frame(100));
  EXPECT_TRUE(link.first->next_arrival().is_never());
}

TEST_F(BadLink, DirectionsDiffer) {
  ImpairedLinkOptions options;
  options.from[1].loss = 1;
  start(options);
  send(frame(100), 10);
  EXPECT_EQ(received().size(), 10u);
  std::swap(link.first, link.second);
  send(frame(100), 10);
  EXPECT_TRUE(received().empty());
}

TEST_F(BadLink, DeadEnd_NeitherSendsNorReceives_AndComesBack) {
  start();
  send(frame(60));  // under way when the receiver dies
  link.second->set_dead(true);
  send(frame(60));
  EXPECT_TRUE(received().empty());
  EXPECT_EQ(link.second->counters().dead, 2u);
  link.second->set_dead(false);
  link.first->set_dead(true);
  EXPECT_EQ(send(frame(60)), 1u);
  EXPECT_EQ(link.first->counters().dead, 1u);
  link.first->set_dead(false);
  send(frame(60));
  EXPECT_EQ(received().size(), 1u);
}

TEST_F(BadLink, FullDevice_TakesWhatThereIsRoomFor) {
  start();
  link.first->set_room(3);
  EXPECT_EQ(send(frame(60), 5), 3u);
  EXPECT_EQ(received().size(), 3u);
}

TEST_F(BadLink, BeyondTheMtu_IsDroppedAndCounted) {
  start();
  send(frame(1514));
  send(frame(1515));
  EXPECT_EQ(received().size(), 1u);
  EXPECT_EQ(link.first->counters().oversized, 1u);
}

TEST_F(BadLink, NoMbufAtTheReceiver_LosesTheFrame) {
  start();
  std::vector<buf::Mbuf> hoard;
  while (buf::Mbuf taken = pools[1].allocate()) hoard.push_back(std::move(taken));
  send(frame(60));
  EXPECT_TRUE(received().empty());
  EXPECT_EQ(link.second->counters().no_mbuf, 1u);
}

TEST_F(BadLink, ReceiveSegments_SplitWhatFollowsTheHeaders) {
  ImpairedLinkOptions options;
  options.receive_segment = 100;
  start(options);
  send(frame(600));
  const auto frames = received();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0], frame(600));
  EXPECT_EQ(last_segments, 6);  // the headers' 134 bytes, and 466 in hundreds
}

TEST_F(BadLink, DamagedArp_IsLost_DamagedIpv4Arrives) {
  ImpairedLinkOptions options;
  options.from[0].corruption = 1;
  start(options);
  send(frame(60, 0x0806), 20);
  EXPECT_TRUE(received().empty());
  send(frame(60), 20);
  const auto frames = received();
  EXPECT_EQ(frames.size(), 20u);
  for (const auto& f : frames) EXPECT_NE(f, frame(60));
}

TEST_F(BadLink, SameSeed_SameFrames) {
  const auto run = [this](uint64_t seed) {
    ImpairedLinkOptions options;
    options.seed = seed;
    options.from[0] = {.loss = 0.2, .duplication = 0.2, .reordering = 0.2, .corruption = 0.2, .truncation = 0.2};
    start(options);
    std::vector<std::vector<uint8_t>> all;
    for (int i = 0; i < 200; ++i) {
      send(frame(60 + static_cast<size_t>(i)));
      now = now + Duration::milliseconds(1);
      for (auto& f : received()) all.push_back(std::move(f));
    }
    return all;
  };
  const auto first = run(9);
  EXPECT_EQ(first, run(9));
  EXPECT_NE(first, run(10));
}

}  // namespace
}  // namespace estab::device
