// RFC 5681 and RFC 6582: fast retransmit, partial acknowledgments, and what follows a time-out.
#include <gtest/gtest.h>

#include "support/tcp_link.h"
#include "support/tcp_peer.h"

namespace estab::tcp {
namespace {

// `segments` of 1000 bytes in flight from 1001 on, and more queued.
Peer in_flight(uint32_t segments, uint32_t more = 0) {
  Peer peer;
  peer.window = 60'000;
  peer.established();
  peer.sends(segments * 1'000);
  if (more > 0 && !send(peer.tcb, more)) ADD_FAILURE();
  return peer;
}
void duplicates(Peer& peer, int n) {
  for (int i = 0; i < n; ++i) peer.arrives(peer.ack_of(peer.tcb.snd.una));
}

TEST(Rfc5681_3_2, TwoDuplicates_NothingAgain) {
  Peer peer = in_flight(10);
  duplicates(peer, 2);
  EXPECT_TRUE(peer.drain().empty());
}

TEST(Rfc5681_3_2, ThirdDuplicate_FirstSegmentAgainAtOnce) {
  Peer peer = in_flight(10);
  duplicates(peer, 3);
  EXPECT_TRUE(peer.last.output);
  const auto sent = peer.drain();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].seq, Seq(1001));
  EXPECT_EQ(sent[0].text, 1'000u);
  EXPECT_TRUE(sent[0].retransmission);
}

TEST(Rfc5681_3_2, FurtherDuplicates_LetNewTextOut) {
  Peer peer = in_flight(10, 10'000);
  duplicates(peer, 3);
  EXPECT_EQ(peer.drain().size(), 1u) << "cwnd 8000, flight 10000";
  duplicates(peer, 3);
  const auto sent = peer.drain();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].seq, Seq(11'001));
}

TEST(Rfc6582_3_2, PartialAck_NextHoleAgain) {
  Peer peer = in_flight(10);
  duplicates(peer, 3);
  peer.drain();
  EXPECT_EQ(peer.arrives(peer.ack_of(Seq(4001))).acked, 3'000u);
  const auto sent = peer.drain();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].seq, Seq(4001));
  EXPECT_EQ(sent[0].text_offset, 0u);
  EXPECT_TRUE(sent[0].retransmission);
}

TEST(Rfc6582_3_2, FullAck_NothingMoreAgain) {
  Peer peer = in_flight(10);
  duplicates(peer, 3);
  peer.drain();
  peer.arrives(peer.ack());
  EXPECT_TRUE(peer.drain().empty());
  EXPECT_FALSE(peer.tcb.congestion.fast_recovery);
}

TEST(Rfc5681_3_1, Timeout_WholeFlightAgainAsSlowStartAllows) {
  Peer peer = in_flight(4);
  peer.expire();
  EXPECT_EQ(peer.drain().size(), 1u);
  peer.arrives(peer.ack_of(Seq(2001)));
  auto sent = peer.drain();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].seq, Seq(2001));
  EXPECT_EQ(sent[1].seq, Seq(3001));
  EXPECT_TRUE(sent[0].retransmission);
  peer.arrives(peer.ack_of(Seq(5001)));
  EXPECT_TRUE(peer.drain().empty());
  EXPECT_TRUE(peer.tcb.poll_at().is_never());
}

TEST(Rfc5681_3_1, AckOvertakesTheRetransmissions_OnlyTheRestGoesAgain) {
  Peer peer = in_flight(6);
  peer.expire();
  peer.drain();
  peer.arrives(peer.ack_of(Seq(6001)));  // only the last was lost
  const auto sent = peer.drain();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].seq, Seq(6001));
}

TEST(Rfc5681_3_1, NewTextAfterTimeout_FollowsTheRetransmissions) {
  Peer peer = in_flight(2);
  peer.expire();
  peer.drain();
  EXPECT_TRUE(peer.sends(1'000).empty());
  peer.arrives(peer.ack_of(Seq(2001)));
  const auto sent = peer.drain();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].seq, Seq(2001));
  EXPECT_EQ(sent[1].seq, Seq(3001));
  EXPECT_FALSE(sent[1].retransmission);
}

TEST(Rfc5681_3_2, FinLostWithItsFullSegment_ComesBySteps) {
  Peer peer;
  peer.window = 60'000;
  peer.established();
  ASSERT_TRUE(send(peer.tcb, 5'000));
  peer.shuts_down();
  ASSERT_EQ(peer.drain().size(), 5u);
  peer.arrives(peer.ack_of(Seq(5001)));
  peer.expire();
  const auto sent = peer.drain();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].text, 1'000u);
  EXPECT_TRUE(sent[0].flags.fin());
}

// On a link: one loss is repaired within about a round trip, without the timer.
TEST(Rfc5681_3_2, TwoStacks_OneSegmentLost_RepairedWithoutTimeout) {
  Parameters p;
  p.timestamps = false;
  Link link(p);
  link.open();
  link.run_until([&] { return link.host[1].established; });
  int n = 0;
  link.fate = [&](const Packet& packet) { return Fate{.lost = !packet.text.empty() && ++n == 3}; };
  link.send_text(0, pattern(14'600));
  const Instant start = link.now;
  ASSERT_TRUE(link.run_until([&] { return link.host[1].received.size() == 14'600; }));
  EXPECT_LT(link.now - start, Duration::milliseconds(100));
  EXPECT_EQ(link.host[0].retransmitted, 1);
}

TEST(Rfc6582_3_2, TwoStacks_ThreeOfAWindowLost_OneRoundTripEach) {
  Link link;
  link.open();
  link.run_until([&] { return link.host[1].established; });
  int n = 0;
  link.fate = [&](const Packet& packet) {
    if (packet.text.empty()) return Fate{};
    ++n;
    return Fate{.lost = n == 1 || n == 3 || n == 5};
  };
  link.send_text(0, pattern(14'000));
  const Instant start = link.now;
  ASSERT_TRUE(link.run_until([&] { return link.host[1].received.size() == 14'000; }));
  EXPECT_LT(link.now - start, Duration::milliseconds(150));
  EXPECT_EQ(link.host[0].retransmitted, 3);
}

}  // namespace
}  // namespace estab::tcp
