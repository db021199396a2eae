// RFC 9293 §3.10.7.4, sixth to eighth: URG, text and FIN.
#include <gtest/gtest.h>

#include "support/tcp_peer.h"

namespace estab::tcp {
namespace {

TEST(Rfc9293_3_10_7_4_Sixth, Established_UrgentText_StaysInLine) {  // RFC 6093 §4
  Peer peer;
  peer.established();
  EXPECT_EQ(peer.arrives(peer.segment(kAck | kUrg, 10)).text_length, 10u);
}

TEST(Rfc9293_3_10_7_4_Seventh, StatesThatReceive_Text_DeliveredAndAckOwed) {
  for (const State state : {State::Established, State::FinWait1, State::FinWait2}) {
    Peer peer;
    peer.reach(state);
    peer.arrives(peer.text(10));
    EXPECT_EQ(peer.last.text, Text::Deliver) << state_name(state);
    EXPECT_EQ(peer.last.text_offset, 0u);
    EXPECT_EQ(peer.last.text_length, 10u);
    EXPECT_TRUE(peer.last.output);
    EXPECT_EQ(peer.next().ack, Seq(5011));
  }
}

TEST(Rfc9293_3_10_7_4_Seventh, StatesAfterTheFin_Text_Ignored) {
  for (const State state : {State::CloseWait, State::Closing, State::LastAck, State::TimeWait}) {
    Peer peer;
    peer.reach(state);
    const Seq nxt = peer.tcb.rcv.nxt;
    Segment s = peer.text(10);
    s.ack = peer.tcb.snd.una;
    peer.arrives(s);
    EXPECT_EQ(peer.last.text, Text::None) << state_name(state);
    EXPECT_EQ(peer.tcb.rcv.nxt, nxt);
    EXPECT_EQ(peer.tcb.state, state);
  }
}

TEST(Rfc9293_3_10_7_4_Must59, SeveralSegments_OneAck) {
  Peer peer;
  peer.established();
  for (int i = 0; i < 5; ++i) peer.arrives(peer.text(10));
  EXPECT_EQ(peer.drain().size(), 1u);
}

TEST(Rfc9293_3_10_7_4_Shld31, Established_TextBeyondNxt_HeldAndAcknowledgedAtNxt) {
  Peer peer;
  peer.established();
  Segment s = peer.text(10);
  s.seq = Seq(5101);
  peer.arrives(s);
  EXPECT_EQ(peer.last, (Actions{.text_length = 10, .text = Text::Hold, .output = true}));
  EXPECT_EQ(peer.next().ack, Seq(5001)) << "a duplicate ACK for fast retransmit";
}

TEST(Rfc9293_3_10_7_4_Shld31, HoleFilled_NxtMovesOverAll) {
  Peer peer;
  peer.established();
  Segment s = peer.text(10);
  s.seq = Seq(5011);
  peer.arrives(s);
  peer.tcb.holding = true;  // the shell's word that it holds text
  EXPECT_EQ(peer.arrives(peer.text(10)).text, Text::Hold);
  EXPECT_EQ(assemble(peer.tcb, 20, false, peer.context()), Actions{.output = true});
  EXPECT_EQ(peer.next().ack, Seq(5021));
}

TEST(Rfc9293_3_10_7_4_Eighth, HeldFin_TakenWhenTheHoleIsFilled) {
  Peer peer;
  peer.established();
  Segment s = peer.segment(kFin | kAck, 10);
  s.seq = Seq(5011);
  EXPECT_TRUE(peer.arrives(s).hold_fin);
  EXPECT_EQ(peer.tcb.state, State::Established);
  const Actions expected{.peer_closed = true, .output = true};
  EXPECT_EQ(assemble(peer.tcb, 20, true, peer.context()), expected);
  EXPECT_EQ(peer.tcb.state, State::CloseWait);
  EXPECT_EQ(peer.next().ack, Seq(5022));
}

TEST(Rfc9293_3_10_7_4_Eighth, BareFinBeyondAHole_Held) {
  Peer peer;
  peer.established();
  Segment s = peer.fin();
  s.seq = Seq(5101);
  peer.arrives(s);
  EXPECT_EQ(peer.last, (Actions{.text = Text::Hold, .hold_fin = true, .output = true}));
  EXPECT_EQ(peer.next().ack, Seq(5001));
}

TEST(Rfc9293_3_10_7_4_Eighth, HeldFinInFinWait2_TimeWait) {
  Peer peer;
  peer.fin_wait_2();
  const Actions actions = assemble(peer.tcb, 20, true, peer.context());
  EXPECT_TRUE(actions.time_wait);
  EXPECT_EQ(peer.tcb.state, State::TimeWait);
}

TEST(Rfc9293_3_10_7_4_Eighth, Established_FinWithText_BothAcknowledgedAtOnce) {
  Peer peer;
  peer.established();
  peer.arrives(peer.segment(kFin | kAck, 10));
  EXPECT_EQ(peer.last.text_length, 10u);
  EXPECT_TRUE(peer.last.peer_closed);
  const auto sent = peer.drain();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].ack, Seq(5012));
}

TEST(Rfc9293_3_10_7_4_Eighth, StatesAfterTheFin_FinAgain_AckAndStay) {
  for (const State state : {State::CloseWait, State::Closing, State::LastAck, State::TimeWait}) {
    Peer peer;
    peer.reach(state);
    Segment s = peer.fin();
    s.seq = peer.tcb.rcv.nxt - 1;
    EXPECT_EQ(peer.arrives(s).reply, peer.expected_ack()) << state_name(state);
    EXPECT_EQ(peer.tcb.state, state);
    EXPECT_FALSE(peer.last.peer_closed);
  }
}

TEST(Rfc9293_3_10_7_4_Eighth, FinFillsTheWindowExactly_EdgeDoesNotFallBehind) {
  Parameters p = plain_parameters();
  p.receive_buffer = 1'000;
  Peer peer(p);
  peer.established();
  peer.arrives(peer.segment(kFin | kAck, 999));
  EXPECT_EQ(peer.tcb.state, State::CloseWait);
  EXPECT_EQ(peer.tcb.receive_window(), 0u);
  EXPECT_EQ(peer.next().window, 0);
  peer.sends(100);
  EXPECT_EQ(peer.arrives(peer.ack()).acked, 100u) << "its ACKs still count";
}

TEST(Rfc9293_3_6_1, FullClose_NewText_Rst) {
  for (const bool acked : {false, true}) {
    Peer peer;
    peer.established();
    peer.closes();
    peer.drain();
    if (acked) peer.arrives(peer.ack());
    peer.arrives(peer.text(10));
    EXPECT_EQ(peer.last.reply, Peer::expected_rst(peer.tcb.snd.nxt));
    EXPECT_EQ(peer.last.error, Error::DataAfterClose);
    EXPECT_EQ(peer.last.drop, Drop::TextAfterClose);
    EXPECT_TRUE(peer.last.closed);
  }
}

TEST(Rfc9293_3_6_1, FullClose_OldTextAgain_OnlyAck) {
  Peer peer;
  peer.established();
  peer.arrives(peer.text(10));
  peer.closes();
  peer.drain();
  Segment s = peer.text(10);
  s.seq = Seq(5001);
  EXPECT_EQ(peer.arrives(s).drop, Drop::OutOfWindow);
  EXPECT_EQ(peer.tcb.state, State::FinWait1);
}

TEST(Rfc9293_3_6_May1, HalfClose_Text_Delivered) {
  Peer peer;
  peer.established();
  peer.shuts_down();
  peer.drain();
  EXPECT_EQ(peer.arrives(peer.text(10)).text, Text::Deliver);
}

}  // namespace
}  // namespace estab::tcp
