// Packets of known bytes, for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "buf/mbuf_queue.h"
#include "device/eal.h"

namespace estab::buf {

class BufTest : public ::testing::Test {
 public:
  void SetUp() override {
    static const bool started = [] {
      device::EalOptions options;
      options.workers = 0;
      options.arguments = {"--no-huge", "--no-shconf", "-m", "256"};
      return static_cast<bool>(device::start_eal(options));
    }();
    ASSERT_TRUE(started);
    make_pool(2047);
  }
  void TearDown() override { EXPECT_EQ(pool->in_use(), 0u) << "mbufs leaked"; }

  void make_pool(uint32_t count) {
    static int made = 0;
    auto created = MbufPool::create("buf" + std::to_string(made++), count);
    ASSERT_TRUE(created) << created.error();
    pool = std::make_unique<MbufPool>(std::move(*created));
  }

  static std::string text(size_t n, uint64_t seed = 1) {
    Random random(seed);
    std::string out(n, '\0');
    for (char& c : out) c = static_cast<char>(random.next());
    return out;
  }

  // A packet of one segment a piece; an empty piece is an empty segment.
  Mbuf chain(const std::vector<std::string>& pieces) {
    rte_mbuf* head = nullptr;
    rte_mbuf* last = nullptr;
    for (const std::string& piece : pieces) {
      rte_mbuf* segment = pool->allocate().release();
      EXPECT_NE(segment, nullptr);
      std::copy(piece.begin(), piece.end(), rte_pktmbuf_mtod(segment, char*));
      segment->data_len = static_cast<uint16_t>(piece.size());
      if (head == nullptr) {
        head = segment;
      } else {
        last->next = segment;
        ++head->nb_segs;
      }
      head->pkt_len += static_cast<uint32_t>(piece.size());
      last = segment;
    }
    return Mbuf(head);
  }

  // `bytes` cut at random places into up to `most` segments.
  Mbuf cut(const std::string& bytes, uint32_t most, Random& random) {
    std::vector<std::string> pieces;
    size_t at = 0;
    for (uint32_t left = 1 + random.below(most); left > 0; --left) {
      const size_t n = left == 1 ? bytes.size() - at : random.below(static_cast<uint32_t>(bytes.size() - at) + 1);
      pieces.push_back(bytes.substr(at, n));
      at += n;
    }
    return chain(pieces);
  }

  // The packet's bytes; its lengths must agree with its segments.
  static std::string content(const Mbuf& packet) {
    std::string out;
    uint16_t segments = 0;
    for (const rte_mbuf* s = packet.get(); s != nullptr; s = s->next, ++segments) {
      out.append(rte_pktmbuf_mtod(s, const char*), s->data_len);
    }
    if (packet) {
      EXPECT_EQ(packet.length(), out.size());
      EXPECT_EQ(packet.get()->nb_segs, segments);
    }
    return out;
  }

  static std::span<const uint8_t> bytes_of(const std::string& s) {
    return {reinterpret_cast<const uint8_t*>(s.data()), s.size()};
  }

  std::unique_ptr<MbufPool> pool;
};

}  // namespace estab::buf
