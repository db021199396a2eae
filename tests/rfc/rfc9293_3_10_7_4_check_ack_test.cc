// RFC 9293 §3.10.7.4, fifth: check the ACK field, with RFC 5961 §5.2.
#include <gtest/gtest.h>

#include "support/tcp_peer.h"

namespace estab::tcp {
namespace {

TEST(Rfc9293_3_10_7_4_Fifth, EachState_NoAck_Dropped) {
  for (const State state : kSynchronizedStates) {
    Peer peer;
    peer.reach(state);
    EXPECT_EQ(peer.arrives(peer.segment(0, 10)), Actions{.drop = Drop::NoAck}) << state_name(state);
    EXPECT_EQ(peer.tcb.state, state);
  }
  Peer peer;
  peer.syn_received();
  EXPECT_EQ(peer.arrives(peer.segment(kFin, 10)), Actions{.drop = Drop::NoAck});
  EXPECT_EQ(peer.tcb.state, State::SynReceived);
}

TEST(Rfc5961_5_2, EachState_AckOfWhatWasNeverSent_AckAndDropped) {
  for (const State state : kSynchronizedStates) {
    Peer peer;
    peer.reach(state);
    peer.drain();
    const Seq una = peer.tcb.snd.una;
    const Actions expected{.reply = peer.expected_ack(), .drop = Drop::AckOutOfRange};
    Segment s = peer.text(10);
    s.ack = peer.tcb.snd.nxt + 1;
    EXPECT_EQ(peer.arrives(s), expected) << state_name(state);
    EXPECT_EQ(peer.tcb.snd.una, una);
    EXPECT_EQ(peer.tcb.state, state);
  }
}

TEST(Rfc5961_5_2, Established_AckOlderThanTheLargestWindow_AckAndDropped) {
  Peer peer;
  peer.established();
  Segment s = peer.text(10);
  s.ack = peer.tcb.snd.una - 10'001;
  EXPECT_EQ(peer.arrives(s).drop, Drop::AckOutOfRange);
  EXPECT_EQ(peer.last.text, Text::None) << "blind data injection";
}

TEST(Rfc5961_5_2, Established_AckOldByTheLargestWindow_TextTaken) {
  Peer peer;
  peer.established();
  Segment s = peer.text(10);
  s.ack = peer.tcb.snd.una - 10'000;
  EXPECT_EQ(peer.arrives(s).text, Text::Deliver);
}

TEST(Rfc9293_3_10_7_4_Fifth, SynReceived_AckOfOurSyn_Established) {
  Peer peer;
  peer.syn_received();
  EXPECT_EQ(peer.arrives(peer.ack()), Actions{.established = true});
  EXPECT_EQ(peer.tcb.state, State::Established);
  EXPECT_EQ(peer.tcb.snd.wnd, 10'000u);
}

TEST(Rfc9293_3_10_7_4_Fifth, SynReceived_OtherAck_RstAndStays) {
  for (const uint32_t ack : {1000u, 1002u, 999u}) {
    Peer peer;
    peer.syn_received();
    const Actions expected{.reply = Peer::expected_rst(Seq(ack)), .drop = Drop::UnacceptableAck};
    EXPECT_EQ(peer.arrives(peer.ack_of(Seq(ack))), expected);
    EXPECT_EQ(peer.tcb.state, State::SynReceived);
  }
}

TEST(Rfc9293_3_10_7_4_Fifth, SynReceived_AckWithTextAndFin_AllOfIt) {
  Peer peer;
  peer.syn_received();
  peer.arrives(peer.segment(kAck | kFin | kPsh, 10));
  EXPECT_TRUE(peer.last.established);
  EXPECT_TRUE(peer.last.peer_closed);
  EXPECT_EQ(peer.last.text_length, 10u);
  EXPECT_EQ(peer.tcb.state, State::CloseWait);
  EXPECT_EQ(peer.next().ack, Seq(5012));
}

TEST(Rfc9293_3_10_7_4_Fifth, Established_NewAckOnARetransmission_ItsWindowIsTaken) {
  Peer peer;
  peer.established();
  peer.sends(2'000);
  Segment ahead = peer.ack_of(Seq(1001));  // its sender's text before it was lost
  ahead.seq = peer.seq + 500;
  peer.arrives(ahead);
  Segment again = peer.text(500);
  again.ack = Seq(2001);
  again.window = 1'000;
  peer.arrives(again);
  EXPECT_EQ(peer.tcb.snd.wnd, 1'000u);
}

TEST(Rfc9293_3_10_7_4_Fifth, Established_Duplicate_Ignored) {
  Peer peer;
  peer.established();
  EXPECT_EQ(peer.arrives(peer.ack()), Actions{});
  EXPECT_EQ(peer.next(), Emission{}) << "an ACK of an ACK would never stop";
}

TEST(Rfc9293_3_10_7_4_Fifth, CloseWait_AckOfText_SameAsEstablished) {
  Peer peer;
  peer.close_wait();
  peer.sends(300);
  EXPECT_EQ(peer.arrives(peer.ack()).acked, 300u);
}

TEST(Rfc9293_3_10_7_4_Fifth, FinWait1_AckOfTextOnly_StaysAndSendsOn) {
  Peer peer;
  peer.established();
  ASSERT_TRUE(send(peer.tcb, 500));
  peer.shuts_down();
  peer.drain();
  EXPECT_EQ(peer.arrives(peer.ack_of(Seq(1501))).acked, 500u);
  EXPECT_EQ(peer.tcb.state, State::FinWait1);
  EXPECT_FALSE(peer.tcb.poll_at().is_never()) << "the FIN is outstanding";
}

TEST(Rfc9293_3_10_7_4_Fifth, FinWait2_Text_IsDelivered) {
  Peer peer;
  peer.fin_wait_2();
  EXPECT_EQ(peer.arrives(peer.text(10)).text, Text::Deliver);
  EXPECT_EQ(peer.next(), peer.expected_ack());
}

TEST(Rfc9293_3_10_7_4_Fifth, Closing_AckNotOfTheFin_Ignored) {
  Peer peer;
  peer.closing();
  EXPECT_EQ(peer.arrives(peer.ack_of(peer.tcb.snd.una)), Actions{});
  EXPECT_EQ(peer.tcb.state, State::Closing);
}

TEST(Rfc9293_3_10_7_4_Fifth, LastAck_AckNotOfTheFin_Stays) {
  Peer peer;
  peer.last_ack();
  peer.arrives(peer.ack_of(peer.tcb.snd.una));
  EXPECT_EQ(peer.tcb.state, State::LastAck);
}

TEST(Rfc9293_3_10_7_4_Fifth, TimeWait_FinAgain_AckAnd2MslAgain) {
  Peer peer;
  peer.time_wait();
  peer.now = peer.now + Duration::seconds(40);
  Segment s = peer.fin();
  s.seq = peer.tcb.rcv.nxt - 1;
  peer.arrives(s);
  EXPECT_EQ(peer.last.reply, peer.expected_ack());
  EXPECT_EQ(peer.tcb.poll_at(), peer.now + peer.parameters.time_wait);
}

TEST(Rfc9293_3_10_7_4_Fifth, TimeWait_OldAck_NoAnswer) {
  Peer peer;
  peer.time_wait();
  const Instant end = peer.tcb.poll_at();
  peer.now = peer.now + Duration::seconds(1);
  EXPECT_EQ(peer.arrives(peer.ack()), Actions{});
  EXPECT_EQ(peer.tcb.poll_at(), end);
}

}  // namespace
}  // namespace estab::tcp
