// RFC 9293 §3.8.6: zero-window probes (§3.8.6.1), silly windows (§3.8.6.2) and Nagle (§3.7.4).
#include <gtest/gtest.h>

#include "support/tcp_peer.h"

namespace estab::tcp {
namespace {

// Established, the peer's window closed, `queued` bytes waiting.
Peer blocked(uint32_t queued = 100) {
  Peer peer;
  peer.window = 0;
  peer.established();
  peer.sends(queued);
  return peer;
}

TEST(Rfc9293_3_8_6_1_Must36, ClosedWindow_OneByteProbe) {
  Peer peer = blocked();
  EXPECT_EQ(peer.expire(), Actions{.output = true});
  const auto sent = peer.drain();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].seq, Seq(1001));
  EXPECT_EQ(sent[0].text, 1u);
}

TEST(Rfc9293_3_8_6_1_Shld30, Unopened_IntervalGrowsToTheMaximum) {
  Peer peer = blocked();
  Duration previous;
  for (int i = 0; i < 20; ++i) {
    const Instant before = peer.now;
    peer.expire();
    ASSERT_EQ(peer.drain().size(), 1u);
    peer.arrives(peer.ack_of(Seq(1001)));
    if (i > 0) {
      EXPECT_GE(peer.now - before, previous);
    }
    previous = peer.now - before;
  }
  EXPECT_EQ(previous, Duration::seconds(60));
}

TEST(Rfc9293_3_8_6_1_Must37, PeerAnswersAndStaysClosed_NeverGivesUp) {
  Peer peer = blocked();
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_FALSE(peer.expire().closed) << i;
    ASSERT_EQ(peer.drain().size(), 1u);
    peer.arrives(peer.ack_of(Seq(1001)));
    ASSERT_FALSE(peer.tcb.poll_at().is_never());
  }
}

// RFC 6429 §3: whoever answers probes for ever holds our text for ever.
TEST(Rfc6429_3, WindowStaysClosed_LimitReached_ResetAndStalled) {
  Peer peer = blocked();
  peer.parameters.zero_window_limit = Duration::seconds(600);
  const Instant start = peer.now;
  while (!peer.expire().closed) {
    peer.drain();
    peer.arrives(peer.ack_of(Seq(1001)));
  }
  EXPECT_EQ(peer.last.error, Error::Stalled);
  EXPECT_TRUE(peer.last.reply.flags.rst());
  EXPECT_GE(peer.now - start, Duration::seconds(600));
  EXPECT_LE(peer.now - start, Duration::seconds(600 + 61));
}

TEST(Rfc6429_3, WindowOpensBeforeTheLimit_CountedAnew) {
  Peer peer = blocked();
  peer.parameters.zero_window_limit = Duration::seconds(600);
  for (int round = 0; round < 5; ++round) {
    for (const Instant start = peer.now; peer.now - start < Duration::seconds(400);) {
      ASSERT_FALSE(peer.expire().closed);
      peer.drain();
      Segment ack = peer.ack_of(peer.tcb.snd.una);
      ack.window = 0;
      peer.arrives(ack);
    }
    Segment opens = peer.ack_of(peer.tcb.snd.nxt);
    opens.window = 1;
    peer.arrives(opens);
    peer.drain();
    Segment closes = peer.ack_of(peer.tcb.snd.nxt);
    closes.window = 0;
    peer.arrives(closes);
  }
}

TEST(Rfc9293_3_8_6_1, PeerSilent_GivesUp) {
  Peer peer = blocked();
  for (int i = 0; i < 15; ++i) {
    ASSERT_FALSE(peer.expire().closed);
    peer.drain();
  }
  EXPECT_EQ(peer.expire(), (Actions{.error = Error::TimedOut, .closed = true}));
}

TEST(Rfc9293_3_8_6_1, ProbeAccepted_NextByteIsProbedWith) {
  Peer peer = blocked();
  peer.expire();
  peer.drain();
  EXPECT_EQ(peer.arrives(peer.ack()).acked, 1u);
  EXPECT_TRUE(peer.drain().empty()) << "the window is still closed";
  peer.expire();
  EXPECT_EQ(peer.next().seq, Seq(1002));
}

TEST(Rfc9293_3_8_6_1, WindowOpensByAnUpdate_AllGoesOutFromTheProbe) {
  Peer peer = blocked();
  peer.expire();
  peer.drain();
  peer.window = 10'000;
  EXPECT_TRUE(peer.arrives(peer.ack_of(Seq(1001))).output);
  const auto sent = peer.drain();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].seq, Seq(1001)) << "the probe's byte, which was refused";
  EXPECT_EQ(sent[1].seq, Seq(1002));
  EXPECT_EQ(sent[1].text, 99u);
}

TEST(Rfc9293_3_8_6_1, WindowOpensBeforeAnyProbe_AllGoesOut) {
  Peer peer = blocked();
  peer.window = 10'000;
  EXPECT_TRUE(peer.arrives(peer.ack()).output);
  EXPECT_EQ(peer.drain().size(), 1u);
}

TEST(Rfc9293_3_8_6_1, ClosesWithTextInFlight_ProbedAndNotGivenUp) {
  Peer peer;
  peer.established();
  peer.sends(3'000);
  peer.window = 0;
  peer.arrives(peer.ack_of(Seq(1001)));
  for (int i = 0; i < 30; ++i) {
    ASSERT_FALSE(peer.expire().closed);
    const auto sent = peer.drain();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].text, 1u);
    peer.arrives(peer.ack_of(Seq(1001)));
  }
  peer.window = 10'000;
  peer.arrives(peer.ack_of(Seq(1001)));
  const auto sent = peer.drain();
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(sent[0].seq, Seq(1001));
}

TEST(Rfc9293_3_8_6_1, FinAfterProbes_GoesOutWhenTheWindowOpens) {
  Peer peer = blocked();
  peer.expire();
  peer.drain();
  peer.shuts_down();
  EXPECT_TRUE(peer.drain().empty());
  peer.window = 10'000;
  peer.arrives(peer.ack());
  const auto sent = peer.drain();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].text, 99u);
  EXPECT_TRUE(sent[0].flags.fin());
}

TEST(Rfc9293_3_8_6_Must34, PeerShrinksTheWindow_NothingNewAndOldAgainWithinIt) {
  Peer peer;
  peer.established();
  peer.sends(5'000);
  peer.window = 1'500;
  peer.arrives(peer.ack_of(Seq(2001)));
  EXPECT_TRUE(peer.sends(1'000).empty());
  peer.expire();
  const auto sent = peer.drain();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].seq, Seq(2001));
}

TEST(Rfc9293_3_8_6_2_1, SmallWindowNothingInFlight_WaitsForTheOverrideTimer) {
  Peer peer;
  peer.established();  // the largest window seen is 10 000
  peer.window = 300;
  peer.arrives(peer.ack());
  EXPECT_TRUE(peer.sends(5'000).empty()) << "300 is neither a segment nor half of the largest window";
  EXPECT_EQ(peer.expire(), Actions{.output = true});
  const auto sent = peer.drain();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].text, 300u);
}

TEST(Rfc9293_3_8_6_2_1, WindowHalfTheLargest_Used) {
  Peer peer;
  peer.window = 800;
  peer.established();
  peer.window = 400;
  peer.arrives(peer.ack());
  const auto sent = peer.sends(5'000);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].text, 400u);
}

TEST(Rfc9293_3_7_4, SmallSegmentOutstanding_NextSmallOneWaits) {
  Peer peer;
  peer.established();
  EXPECT_EQ(peer.sends(100).size(), 1u);
  EXPECT_TRUE(peer.sends(100).empty());
  peer.arrives(peer.ack());
  const auto sent = peer.drain();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].text, 100u);
}

TEST(Rfc9293_3_7_4, WaitingText_GrowsToAFullSegment_GoesOut) {
  Peer peer;
  peer.established();
  peer.sends(100);
  EXPECT_TRUE(peer.sends(500).empty());
  const auto sent = peer.sends(600);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].text, 1'000u);
}

TEST(Rfc9293_3_7_4, FullSegmentsOutstanding_SmallTailGoesOut) {  // Minshall's variant
  Peer peer;
  peer.established();
  EXPECT_EQ(peer.sends(2'100).size(), 3u);
}

TEST(Rfc9293_3_7_4, Close_WaitingTextGoesOutWithTheFin) {
  Peer peer;
  peer.established();
  peer.sends(100);
  peer.sends(100);
  peer.shuts_down();
  const auto sent = peer.drain();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].text, 100u);
  EXPECT_TRUE(sent[0].flags.fin());
}

TEST(Rfc9293_3_7_4_Must17, NagleOff_NothingWaits) {
  Peer peer;
  peer.parameters.nagle = false;
  peer.established();
  EXPECT_EQ(peer.sends(100).size(), 1u);
  EXPECT_EQ(peer.sends(100).size(), 1u);
}

TEST(Rfc9293_3_7_4_Must17, TurnedOffForAConnection_NothingWaits) {
  Peer peer;
  peer.established();
  EXPECT_EQ(peer.sends(100).size(), 1u);
  EXPECT_EQ(peer.sends(100).size(), 0u);
  peer.tcb.nodelay = true;
  EXPECT_EQ(peer.drain().size(), 1u);
}

TEST(Rfc9293_3_7_4, NagleHolding_TimerIsThatOfTheTextInFlight) {
  Peer peer;
  peer.established();
  peer.sends(100);
  peer.sends(100);
  EXPECT_FALSE(peer.tcb.poll_at().is_never());
}

}  // namespace
}  // namespace estab::tcp
