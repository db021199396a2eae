// RFC 9293 §3.10.8 and §3.8.3 (R2), with RFC 6298 §5: the timers of a connection.
#include <gtest/gtest.h>

#include "support/tcp_peer.h"

namespace estab::tcp {
namespace {

TEST(Rfc9293_3_10_8, SynSent_Timeout_SynAgainTwiceAsLong) {
  Peer peer;
  const Emission first = peer.syn_sent();
  EXPECT_EQ(peer.expire(), (Actions{.output = true, .retransmitted = true}));
  Emission again = first;
  again.retransmission = true;
  EXPECT_EQ(peer.next(), again);
  EXPECT_EQ(peer.tcb.poll_at(), peer.now + Duration::seconds(2));
}

TEST(Rfc9293_3_8_3, SynSent_NoAnswer_TimedOutAfterEightMore) {
  Peer peer;
  peer.syn_sent();
  const Instant start = peer.now;
  for (int i = 0; i < 8; ++i) {
    EXPECT_FALSE(peer.expire().closed);
    EXPECT_TRUE(peer.next().flags.syn());
  }
  EXPECT_EQ(peer.expire(), (Actions{.error = Error::TimedOut, .closed = true}));
  EXPECT_EQ(peer.now - start, Duration::seconds(1 + 2 + 4 + 8 + 16 + 32 + 60 + 60 + 60));
  EXPECT_EQ(peer.tcb.state, State::Closed);
}

TEST(Rfc9293_3_10_8, SynReceived_Timeout_SynAckAgain) {
  Peer peer;
  peer.syn_received();
  peer.expire();
  const Emission again = peer.next();
  EXPECT_EQ(again.flags, TcpFlags(kSyn | kAck));
  EXPECT_EQ(again.seq, Seq(1000));
  EXPECT_TRUE(again.retransmission);
}

TEST(Rfc9293_3_8_3, SynReceivedPassive_NoAnswer_BackToListenUserHearsNothing) {
  Peer peer;
  peer.syn_received();
  for (int i = 0; i < 5; ++i) peer.expire();
  EXPECT_EQ(peer.expire(), Actions{.closed = true});
}

TEST(Rfc9293_3_8_3, SynReceivedActive_NoAnswer_TimedOut) {
  Peer peer;
  peer.syn_received_active();
  for (int i = 0; i < 8; ++i) peer.expire();
  EXPECT_EQ(peer.expire().error, Error::TimedOut);
}

TEST(Rfc9293_3_8_3, Established_TextUnanswered_TimedOutAfterMoreThan100Seconds) {
  Peer peer;
  peer.established();
  peer.sends(10);
  const Instant start = peer.now;
  for (int i = 0; i < 15; ++i) {
    ASSERT_TRUE(peer.expire().retransmitted);
    ASSERT_EQ(peer.drain().size(), 1u);
  }
  EXPECT_EQ(peer.expire(), (Actions{.error = Error::TimedOut, .closed = true}));
  EXPECT_GT(peer.now - start, Duration::seconds(100));
}

TEST(Rfc9293_3_8_3, StatesWithAFinOut_Unanswered_TimedOut) {
  for (const State state : {State::FinWait1, State::Closing, State::LastAck}) {
    Peer peer;
    peer.reach(state);
    for (int i = 0; i < 15; ++i) {
      peer.expire();
      ASSERT_TRUE(peer.next().flags.fin()) << state_name(state);
    }
    EXPECT_EQ(peer.expire().error, Error::TimedOut) << state_name(state);
  }
}

TEST(Rfc9293_3_10_8, FinWait2AfterFullClose_TimesOut) {
  Peer peer;
  peer.established();
  peer.closes();
  peer.drain();
  peer.arrives(peer.ack());
  EXPECT_EQ(peer.tcb.state, State::FinWait2);
  EXPECT_EQ(peer.advance(Duration::seconds(60)), Actions{.closed = true});
}

TEST(Rfc9293_3_10_8, FinWait2ThenFullClose_TimesOutFromThen) {
  Peer peer;
  peer.fin_wait_2();
  EXPECT_TRUE(peer.tcb.poll_at().is_never());
  peer.closes();
  EXPECT_EQ(peer.tcb.poll_at(), peer.now + Duration::seconds(60));
}

TEST(Rfc9293_3_10_8, FinWait2AfterHalfClose_WaitsForEver) {
  Peer peer;
  peer.fin_wait_2();
  EXPECT_EQ(peer.advance(Duration::seconds(100'000)), Actions{});
  EXPECT_EQ(peer.tcb.state, State::FinWait2);
}

TEST(Rfc9293_3_10_8, FinInFinWait2WithTimeout_2MslTakesItsPlace) {
  Peer peer;
  peer.fin_wait_2();
  peer.closes();
  peer.advance(Duration::seconds(50));
  peer.arrives(peer.fin());
  EXPECT_EQ(peer.tcb.poll_at(), peer.now + peer.parameters.time_wait);
}

TEST(Rfc6298_5_1, TimerRunning_MoreText_DoesNotRestartIt) {
  Peer peer;
  peer.established();
  peer.sends(1'000);
  const Instant timer = peer.tcb.poll_at();
  peer.now = peer.now + Duration::milliseconds(50);
  peer.sends(1'000);
  EXPECT_EQ(peer.tcb.poll_at(), timer);
}

TEST(Rfc6298_5_2, AllAcknowledged_TimerOff) {
  Peer peer;
  peer.established();
  peer.sends(1'000);
  peer.arrives(peer.ack());
  EXPECT_TRUE(peer.tcb.poll_at().is_never());
}

TEST(Rfc6298_5_3, NewAckWithMoreOutstanding_TimerStartsAgain) {
  Peer peer;
  peer.established();
  peer.sends(2'000);
  peer.now = peer.now + Duration::milliseconds(50);
  peer.arrives(peer.ack_of(Seq(2001)));
  EXPECT_EQ(peer.tcb.poll_at(), peer.now + peer.tcb.rtt.rto());
}

TEST(Rfc6298_5_3, DuplicateAck_TimerGoesOn) {
  Peer peer;
  peer.established();
  peer.sends(2'000);
  const Instant timer = peer.tcb.poll_at();
  peer.now = peer.now + Duration::milliseconds(50);
  peer.arrives(peer.ack_of(Seq(1001)));
  EXPECT_EQ(peer.tcb.poll_at(), timer);
}

TEST(Rfc6298_5_4_5_5, Timeout_EarliestSegmentAgainAndRtoDoubled) {
  Peer peer;
  peer.established();
  peer.sends(3'000);
  const Duration rto = peer.tcb.rtt.rto();
  EXPECT_EQ(peer.expire(), (Actions{.output = true, .retransmitted = true}));
  const auto sent = peer.drain();
  ASSERT_EQ(sent.size(), 1u) << "cwnd is one segment";
  EXPECT_EQ(sent[0].seq, Seq(1001));
  EXPECT_EQ(sent[0].text, 1'000u);
  EXPECT_TRUE(sent[0].retransmission);
  EXPECT_EQ(peer.tcb.poll_at(), peer.now + rto * 2);
}

TEST(Rfc6298_5_7, SynSentTwice_RtoIsThreeSecondsForData) {
  Peer peer;
  peer.syn_sent();
  peer.expire();
  peer.drain();
  peer.arrives(peer.syn(kAck));
  EXPECT_EQ(peer.tcb.rtt.rto(), Duration::seconds(3));
}

TEST(Rfc6928_2, SynSentAgainMoreThanOnce_InitialWindowIsOneSegment) {
  for (const int again : {0, 1, 2}) {
    Peer peer;
    peer.syn_sent();
    for (int i = 0; i < again; ++i) peer.expire();
    peer.drain();
    peer.arrives(peer.syn(kAck));
    EXPECT_EQ(peer.tcb.congestion.cwnd, again > 1 ? 1'000u : 10'000u) << again;
  }
}

TEST(Rfc6298_3_Karn, RetransmittedSegmentAcknowledged_NoSampleAndBackOffStays) {
  Peer peer;
  peer.established();
  peer.sends(100);
  const uint32_t srtt = peer.tcb.rtt.srtt_us;
  peer.expire();
  peer.drain();
  const Duration backed_off = peer.tcb.rtt.rto();
  peer.now = peer.now + Duration::milliseconds(3);
  peer.arrives(peer.ack());
  EXPECT_EQ(peer.tcb.rtt.srtt_us, srtt);
  EXPECT_EQ(peer.tcb.rtt.rto(), backed_off);
  peer.sends(100);
  peer.now = peer.now + Duration::milliseconds(80);
  peer.arrives(peer.ack());
  EXPECT_LT(peer.tcb.rtt.rto(), backed_off) << "a fresh sample ends the back-off";
}

TEST(Rfc6298_3_Karn, SynAckSentForARepeatedSyn_NoSample) {
  Peer peer;
  peer.syn_received();
  peer.now = peer.now + Duration::milliseconds(900);
  peer.arrives(peer.syn());
  peer.now = peer.now + Duration::milliseconds(1);
  peer.arrives(peer.ack());
  EXPECT_EQ(peer.tcb.rtt.srtt_us, 0u);
}

TEST(Rfc6298_2_2, Handshake_IsTheFirstSample) {
  Peer peer;
  peer.syn_sent();
  peer.now = peer.now + Duration::milliseconds(100);
  peer.arrives(peer.syn(kAck));
  EXPECT_EQ(peer.tcb.rtt.rto(), Duration::milliseconds(300));
}

TEST(Rfc7323_4_1, RetransmissionWithTimestamps_SampleFromTheEcho) {
  Parameters p = plain_parameters();
  p.timestamps = true;
  Peer peer(p);
  peer.syn_options.has_timestamps = true;
  peer.syn_received();
  peer.now = peer.now + Duration::milliseconds(50);
  peer.arrives(peer.ack());
  peer.sends(100);
  peer.expire();
  peer.drain();
  const Duration backed_off = peer.tcb.rtt.rto();
  Segment s = peer.ack();
  peer.now = peer.now + Duration::milliseconds(50);
  peer.arrives(s);
  EXPECT_EQ(peer.tcb.rtt.srtt_us, 50'000u);
  EXPECT_LT(peer.tcb.rtt.rto(), backed_off);
}

}  // namespace
}  // namespace estab::tcp
