// RFC 9293 §3.10.7.4, second and fourth: the RST and SYN bits, as RFC 5961 §3.2 and §4.2 have them.
#include <gtest/gtest.h>

#include "support/tcp_peer.h"

namespace estab::tcp {
namespace {

Actions closed_with(Error error) {
  return Actions{.error = error, .closed = true};
}

TEST(Rfc9293_3_10_7_4_Second, SynReceivedPassive_Rst_BackToListenUserHearsNothing) {
  Peer peer;
  peer.syn_received();
  EXPECT_EQ(peer.arrives(peer.rst()), closed_with(Error::None));
}

TEST(Rfc9293_3_10_7_4_Second, SynReceivedActive_Rst_Refused) {
  Peer peer;
  peer.syn_received_active();
  EXPECT_EQ(peer.arrives(peer.rst()), closed_with(Error::Refused));
}

TEST(Rfc9293_3_10_7_4_Second, StatesWithAUser_Rst_Reset) {
  for (const State state : {State::Established, State::FinWait1, State::FinWait2, State::CloseWait}) {
    Peer peer;
    peer.reach(state);
    EXPECT_EQ(peer.arrives(peer.rst()), closed_with(Error::Reset)) << state_name(state);
    EXPECT_EQ(peer.tcb.state, State::Closed);
  }
}

TEST(Rfc9293_3_10_7_4_Second, ClosingAndLastAck_Rst_Closed) {
  for (const State state : {State::Closing, State::LastAck}) {
    Peer peer;
    peer.reach(state);
    EXPECT_EQ(peer.arrives(peer.rst()), closed_with(Error::None)) << state_name(state);
  }
}

TEST(Rfc1337_3, TimeWait_Rst_Ignored) {
  Peer peer;
  peer.time_wait();
  const Instant end = peer.tcb.poll_at();
  EXPECT_EQ(peer.arrives(peer.rst()), Actions{.drop = Drop::RstInTimeWait});
  EXPECT_EQ(peer.tcb.state, State::TimeWait);
  EXPECT_EQ(peer.tcb.poll_at(), end);
}

TEST(Rfc5961_3_2, EachState_RstInWindowButNotExact_ChallengeAck) {
  for (const State state : kSynchronizedStates) {
    Peer peer;
    peer.reach(state);
    peer.drain();
    Segment s = peer.rst();
    s.seq = peer.tcb.rcv.nxt + 1;
    const Actions expected{.reply = peer.expected_ack(), .drop = Drop::RstNotExact};
    EXPECT_EQ(peer.arrives(s), expected) << state_name(state);
    EXPECT_EQ(peer.tcb.state, state);
  }
}

TEST(Rfc5961_3_2, SynReceived_RstNotExact_ChallengeAck) {
  Peer peer;
  peer.syn_received();
  Segment s = peer.rst();
  s.seq = s.seq + 5;
  EXPECT_EQ(peer.arrives(s).drop, Drop::RstNotExact);
  EXPECT_EQ(peer.last.reply, peer.expected_ack());
  EXPECT_EQ(peer.tcb.state, State::SynReceived);
}

TEST(Rfc5961_3_2, Established_RstWithAck_ItsAckIsNotLookedAt) {
  Peer peer;
  peer.established();
  Segment s = peer.segment(kRst | kAck);
  s.ack = Seq(0);
  EXPECT_EQ(peer.arrives(s).error, Error::Reset);
}

TEST(Rfc5961_4_2, EachState_SynInWindow_ChallengeAck) {
  for (const State state : kSynchronizedStates) {
    if (state == State::TimeWait) continue;  // RFC 6191
    for (const int more : {0, kAck}) {
      Peer peer;
      peer.reach(state);
      peer.drain();
      Segment s = peer.segment(kSyn | more);
      s.seq = peer.tcb.rcv.nxt;
      const Actions expected{.reply = peer.expected_ack(), .drop = Drop::SynInWindow};
      EXPECT_EQ(peer.arrives(s), expected) << state_name(state);
      EXPECT_EQ(peer.tcb.state, state);
    }
  }
}

TEST(Rfc5961_4_2, EachState_SynOutOfWindow_ChallengeAck) {
  for (const State state : kSynchronizedStates) {
    if (state == State::TimeWait) continue;
    Peer peer;
    peer.reach(state);
    peer.drain();
    Segment s = peer.segment(kSyn);
    s.seq = peer.tcb.rcv.nxt + 0x40000000;
    EXPECT_EQ(peer.arrives(s).reply, peer.expected_ack()) << state_name(state);
    EXPECT_EQ(peer.tcb.state, state);
  }
}

TEST(Rfc5961_4_2, SynReceived_OtherSyn_ChallengeAckAndStays) {
  Peer peer;
  peer.syn_received();
  Segment s = peer.syn();
  s.seq = Seq(5100);
  EXPECT_EQ(peer.arrives(s), (Actions{.reply = peer.expected_ack(), .drop = Drop::SynInWindow}));
  EXPECT_EQ(peer.tcb.state, State::SynReceived);
}

TEST(Rfc5961_4_2, Established_SynAckOfTheHandshakeAgain_Ack) {  // our ACK of it was lost
  Peer peer;
  peer.established_active();
  EXPECT_EQ(peer.arrives(peer.syn(kAck)).reply, peer.expected_ack());
  EXPECT_EQ(peer.tcb.state, State::Established);
}

TEST(Rfc9293_3_10_7_4_Fourth, Established_SynAndRst_TakenAsRst) {
  Peer peer;
  peer.established();
  EXPECT_EQ(peer.arrives(peer.segment(kRst | kSyn)).error, Error::Reset);
}

}  // namespace
}  // namespace estab::tcp
