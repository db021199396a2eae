// RFC 9293, Appendix B: the requirements that the files by section have no test for. docs/rfc9293.md names a test for
// each.
#include <gtest/gtest.h>

#include "support/tcp_peer.h"

namespace estab::tcp {
namespace {

TEST(Rfc9293_3_1_Must1, WindowWithItsHighBitSet_IsALargeOne) {
  Peer peer;
  peer.parameters.initial_window = 100;
  peer.window = 0xffff;
  peer.established();
  EXPECT_EQ(peer.tcb.snd.wnd, 65'535u);
  EXPECT_EQ(peer.sends(80'000).size(), 65u);
}

TEST(Rfc9293_3_1_Must1, OurWindowWithItsHighBitSet_IsAnnounced) {
  Parameters p = plain_parameters();
  p.receive_buffer = 60'000;
  Peer peer(p);
  peer.established();
  peer.arrives(peer.text(10));
  EXPECT_EQ(peer.next().window, 59'990);
}

TEST(Rfc9293_3_5_3_Shld2, StatesWithAUser_RstWithText_Reset) {
  for (const State state : {State::Established, State::FinWait1, State::FinWait2, State::CloseWait}) {
    Peer peer;
    peer.reach(state);
    const Actions expected{.error = Error::Reset, .closed = true};
    EXPECT_EQ(peer.arrives(peer.segment(kRst, 20)), expected) << state_name(state);
  }
}

TEST(Rfc9293_3_5_3_Shld2, SynSent_RstWithText_Refused) {
  Peer peer;
  peer.syn_sent();
  EXPECT_EQ(peer.arrives(peer.segment(kRst | kAck, 20)).error, Error::Refused);
}

TEST(Rfc9293_3_5_3_Shld2, ClosedWindow_RstWithText_Reset) {
  Parameters p = plain_parameters();
  p.receive_buffer = 1'000;
  Peer peer(p);
  peer.established();
  peer.arrives(peer.text(1'000));
  peer.drain();
  EXPECT_EQ(peer.arrives(peer.segment(kRst, 20)).error, Error::Reset);
}

// §3.10.7.4 only says "enter the CLOSED state"; but text was lost.
TEST(Rfc9293_3_6_Must12, ClosingAndLastAck_RstBeforeTheTextIsAcknowledged_UserHearsOfIt) {
  Peer last_ack;
  last_ack.close_wait();
  last_ack.sends(500);
  last_ack.closes();
  last_ack.drain();
  ASSERT_EQ(last_ack.tcb.state, State::LastAck);
  EXPECT_EQ(last_ack.arrives(last_ack.rst()).error, Error::Reset);
  Peer closing;
  closing.established();
  closing.sends(500);
  closing.shuts_down();
  closing.drain();
  Segment fin = closing.fin();
  fin.ack = closing.tcb.snd.una;
  closing.arrives(fin);
  ASSERT_EQ(closing.tcb.state, State::Closing);
  EXPECT_EQ(closing.arrives(closing.rst()).error, Error::Reset);
}

TEST(Rfc9293_3_7_1_May3, OurMssIsTheDefault_SentAllTheSame) {
  Parameters p = plain_parameters();
  p.mss = kDefaultMss;
  EXPECT_EQ(Peer(p).syn_sent().mss, kDefaultMss);
  Peer passive(p);
  passive.listen();
  EXPECT_EQ(passive.arrives(passive.syn()).reply.mss, kDefaultMss);
}

TEST(Rfc9293_3_8_3_Must23, SynSent_NoAnswer_StillRetransmittedAfterThreeMinutes) {
  Peer peer;
  peer.syn_sent();
  const Instant start = peer.now;
  Instant last = start;
  while (!peer.expire().closed) {
    ASSERT_TRUE(peer.next().flags.syn());
    last = peer.now;
  }
  EXPECT_GE(last - start, Duration::seconds(180));
}

TEST(Rfc9293_3_8_6_Shld14, UnreadTextPilesUp_RightEdgeStays) {
  Peer peer;
  peer.established();
  const Seq edge = peer.tcb.rcv.edge;
  for (int i = 0; i < 20; ++i) {
    peer.arrives(peer.text(1'000));
    const Emission ack = peer.next();
    ASSERT_EQ(ack.ack + ack.window, edge) << i;
  }
  EXPECT_EQ(peer.tcb.receive_window(), 0u);
}

TEST(Rfc9293_3_8_6_Shld14, BufferMadeSmaller_RightEdgeStaysUntilItIsUsed) {
  Peer peer;
  peer.established();
  const Seq edge = peer.tcb.rcv.edge;
  peer.parameters.receive_buffer = 5'000;
  peer.arrives(peer.text(1'000));
  const Emission ack = peer.next();
  EXPECT_EQ(ack.ack + ack.window, edge);
  EXPECT_EQ(peer.arrives(peer.text(19'000)).text_length, 19'000u) << "it was promised";
}

// The peer takes back most of its window, takes what is left of it, and acknowledges no more: for as long as it
// answers.
TEST(Rfc9293_3_8_6_Shld17, TextPastTheShrunkEdge_NeverTimesOut) {
  Peer peer;
  peer.established();
  peer.sends(5'000);
  peer.window = 500;
  peer.arrives(peer.ack_of(Seq(1001)));
  peer.expire();
  const auto again = peer.drain();
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].text, 500u);
  peer.window = 0;
  peer.arrives(peer.ack_of(Seq(1501)));
  for (int i = 0; i < 100; ++i) {
    ASSERT_FALSE(peer.expire().closed) << i;
    const auto probe = peer.drain();
    ASSERT_EQ(probe.size(), 1u);
    ASSERT_EQ(probe[0].seq, Seq(1501));
    peer.arrives(peer.ack_of(Seq(1501)));
  }
}

TEST(Rfc9293_3_8_6_Shld17, FinPastTheShrunkEdge_NeverTimesOut) {
  Peer peer;
  peer.fin_wait_1();
  peer.window = 0;
  for (int i = 0; i < 100; ++i) {
    peer.arrives(peer.ack_of(peer.tcb.snd.una));
    ASSERT_FALSE(peer.expire().closed) << i;
    ASSERT_TRUE(peer.next().flags.fin());
  }
}

TEST(Rfc9293_3_8_6_1_Shld29, WindowClosed_FirstProbeAfterTheRto) {
  Peer queued_later;
  queued_later.window = 0;
  queued_later.established();
  queued_later.sends(100);
  EXPECT_EQ(queued_later.tcb.poll_at(), queued_later.now + queued_later.tcb.rtt.rto());
  Peer closes;
  closes.established();
  closes.sends(3'000);
  closes.now = closes.now + Duration::milliseconds(70);
  closes.window = 0;
  closes.arrives(closes.ack_of(Seq(2001)));
  EXPECT_EQ(closes.tcb.poll_at(), closes.now + closes.tcb.rtt.rto());
}

}  // namespace
}  // namespace estab::tcp
