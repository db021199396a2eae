// RFC 9293 §3.10.7.4, first: check sequence number.
#include <gtest/gtest.h>

#include "support/tcp_peer.h"

namespace estab::tcp {
namespace {

constexpr State kStatesOfThisStep[] = {State::SynReceived, State::Established, State::FinWait1, State::FinWait2,
                                       State::CloseWait,   State::Closing,     State::LastAck,  State::TimeWait};

Peer in(State state) {
  Peer peer;
  peer.reach(state);
  peer.drain();
  return peer;
}
Peer with_closed_window() {
  Parameters p = plain_parameters();
  p.receive_buffer = 1'000;
  Peer peer(p);
  peer.established();
  peer.arrives(peer.text(1'000));
  peer.drain();
  return peer;
}

TEST(Rfc9293_3_10_7_4_First, EachState_OldText_AckAndDropped) {
  for (const State state : kStatesOfThisStep) {
    Peer peer = in(state);
    Segment s = peer.segment(kAck, 10);
    s.seq = peer.tcb.rcv.nxt - 10;
    const Actions expected{.reply = peer.expected_ack(), .drop = Drop::OutOfWindow};
    EXPECT_EQ(peer.arrives(s), expected) << state_name(state);
    EXPECT_EQ(peer.tcb.state, state);
  }
}

TEST(Rfc9293_3_10_7_4_First, EachState_BeyondTheWindow_AckAndDropped) {
  for (const State state : kStatesOfThisStep) {
    Peer peer = in(state);
    Segment s = peer.segment(kAck, 10);
    s.seq = peer.tcb.rcv.edge;
    const Actions expected{.reply = peer.expected_ack(), .drop = Drop::OutOfWindow};
    EXPECT_EQ(peer.arrives(s), expected) << state_name(state);
  }
}

TEST(Rfc9293_3_10_7_4_First, EachState_RstOutOfWindow_DroppedWithoutAck) {
  for (const State state : kStatesOfThisStep) {
    for (const int32_t offset : {-1, 0}) {
      Peer peer = in(state);
      Segment s = peer.rst();
      s.seq = offset < 0 ? peer.tcb.rcv.nxt - 1 : peer.tcb.rcv.edge;
      EXPECT_EQ(peer.arrives(s), Actions{.drop = Drop::RstOutOfWindow}) << state_name(state);
      EXPECT_EQ(peer.tcb.state, state);
    }
  }
}

TEST(Rfc9293_3_10_7_4_First, Established_EmptySegmentAtNxt_Acceptable) {
  Peer peer = in(State::Established);
  EXPECT_EQ(peer.arrives(peer.ack()).drop, Drop::None);
}

TEST(Rfc9293_3_10_7_4_First, Established_LastByteOfTheWindow_Acceptable) {
  Peer peer = in(State::Established);
  Segment s = peer.text(1);
  s.seq = peer.tcb.rcv.edge - 1;
  EXPECT_EQ(peer.arrives(s).text, Text::Hold);
}

// A deviation from Table 6, and why: see sequence_acceptable().
TEST(Rfc9293_3_10_7_4_First, Established_BareAckAtTheEdge_ItsAckIsTaken) {
  Peer peer = in(State::Established);
  peer.sends(100);
  Segment s = peer.ack();
  s.seq = peer.tcb.rcv.edge;
  EXPECT_EQ(peer.arrives(s).acked, 100u);
  s.seq = peer.tcb.rcv.edge + 1;
  EXPECT_EQ(peer.arrives(s).drop, Drop::OutOfWindow);
}

// Another, for its ACK only: see late_bare_ack().
TEST(Rfc9293_3_10_7_4_First, Established_BareAckLeftOfTheWindow_ItsAckIsTakenAndAnswered) {
  Peer peer = in(State::Established);
  peer.arrives(peer.text(10));
  peer.drain();
  peer.sends(100);
  Segment s = peer.ack();
  s.seq = peer.tcb.rcv.nxt - 1;
  EXPECT_EQ(peer.arrives(s), (Actions{.acked = 100, .drop = Drop::OutOfWindow, .output = true}));
  EXPECT_EQ(peer.next(), peer.expected_ack());
}

TEST(Rfc9293_3_10_7_4_First, Established_BareAckFarLeftOfTheWindow_AckAndDropped) {
  Peer peer = in(State::Established);
  peer.sends(100);
  Segment s = peer.ack();
  s.seq = peer.tcb.rcv.nxt - peer.parameters.receive_buffer - 1;
  EXPECT_EQ(peer.arrives(s), (Actions{.reply = peer.expected_ack(), .drop = Drop::OutOfWindow}));
}

TEST(Rfc9293_3_10_7_4_First, Established_StraddlesTheLeftEdge_OnlyNewBytes) {
  Peer peer = in(State::Established);
  peer.arrives(peer.text(100));
  Segment s = peer.text(150);
  s.seq = Seq(5001);
  peer.arrives(s);
  EXPECT_EQ(peer.last.text, Text::Deliver);
  EXPECT_EQ(peer.last.text_offset, 100u);
  EXPECT_EQ(peer.last.text_length, 50u);
  EXPECT_EQ(peer.tcb.rcv.nxt, Seq(5151));
}

TEST(Rfc9293_3_10_7_4_First, Established_StraddlesTheRightEdge_TrimmedAndFinCutOff) {
  Parameters p = plain_parameters();
  p.receive_buffer = 1'000;
  Peer peer(p);
  peer.established();
  peer.arrives(peer.text(900));
  Segment s = peer.segment(kFin | kAck, 200);
  peer.arrives(s);
  EXPECT_EQ(peer.last.text_length, 100u);
  EXPECT_FALSE(peer.last.peer_closed);
  EXPECT_EQ(peer.tcb.state, State::Established);
}

TEST(Rfc9293_3_10_7_4_First, Established_FinJustBeyondTheWindow_NotTaken) {
  Parameters p = plain_parameters();
  p.receive_buffer = 1'000;
  Peer peer(p);
  peer.established();
  peer.arrives(peer.segment(kFin | kAck, 1'000));
  EXPECT_EQ(peer.last.text_length, 1'000u);
  EXPECT_EQ(peer.tcb.state, State::Established);
}

TEST(Rfc9293_3_10_7_4_First, Established_OverTheWrap_Acceptable) {
  Peer peer;
  peer.irs = peer.seq = Seq(0xfffffff0);
  peer.established();
  EXPECT_EQ(peer.arrives(peer.text(100)).text_length, 100u);
  EXPECT_EQ(peer.tcb.rcv.nxt, Seq(0x55));
  Segment s = peer.text(200);
  s.seq = Seq(0xfffffff1);
  EXPECT_EQ(peer.arrives(s).text_offset, 100u);
}

TEST(Rfc9293_3_10_7_4_First, ClosedWindow_TextAtNxt_AckTakenTextRefused) {  // "special allowance"
  Peer peer = with_closed_window();
  peer.sends(50);
  peer.arrives(peer.text(10));
  EXPECT_EQ(peer.last, (Actions{.acked = 50, .drop = Drop::OutOfWindow, .output = true}));
  EXPECT_EQ(peer.next(), peer.expected_ack());
}

TEST(Rfc9293_3_10_7_4_First, ClosedWindow_FinAtNxt_Refused) {
  Peer peer = with_closed_window();
  peer.arrives(peer.fin());
  EXPECT_FALSE(peer.last.peer_closed);
  EXPECT_EQ(peer.tcb.state, State::Established);
  EXPECT_EQ(peer.next().window, 0);
}

TEST(Rfc9293_3_10_7_4_First, ClosedWindow_RstAtNxt_Taken) {  // MUST-66
  Peer peer = with_closed_window();
  EXPECT_EQ(peer.arrives(peer.rst()).error, Error::Reset);
}

TEST(Rfc9293_3_10_7_4_First, ClosedWindow_AckElsewhere_AckAndDropped) {
  Peer peer = with_closed_window();
  Segment s = peer.ack();
  s.seq = s.seq + 1;
  EXPECT_EQ(peer.arrives(s).drop, Drop::OutOfWindow);
  EXPECT_EQ(peer.last.reply, peer.expected_ack());
}

TEST(Rfc9293_3_10_7_4_First, SynReceived_RetransmittedSyn_SameSynAckAgain) {
  Peer peer;
  peer.listen();
  const Emission first = peer.arrives(peer.syn()).reply;
  const Instant timer = peer.tcb.poll_at();
  peer.now = peer.now + Duration::milliseconds(100);
  EXPECT_EQ(peer.arrives(peer.syn()), Actions{.reply = first});
  EXPECT_EQ(peer.tcb.poll_at(), timer);
  EXPECT_EQ(peer.tcb.state, State::SynReceived);
}

TEST(Rfc9293_3_8_6,
     OwnProbeBeyondTheClosedWindow_AcksComeFromTheEdge) {  // or two probing ends would refuse each other's ACKs
  Peer peer;
  peer.window = 0;
  peer.established();
  peer.sends(100);
  peer.expire();
  EXPECT_EQ(peer.next().text, 1u);
  Segment s = peer.text(10);
  s.ack = Seq(1001);
  peer.arrives(s);
  const Emission ack = peer.next();
  EXPECT_EQ(ack.text, 0u);
  EXPECT_EQ(ack.seq, Seq(1001));
  EXPECT_EQ(ack.ack, Seq(5011));
}

}  // namespace
}  // namespace estab::tcp
