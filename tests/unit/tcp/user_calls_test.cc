// OPEN, SEND, RECEIVE, CLOSE and ABORT where they are not arrows of the state diagram (those are in tests/rfc).
#include "tcp/user_calls.h"

#include <gtest/gtest.h>

#include "support/tcp_peer.h"

namespace estab::tcp {
namespace {

TEST(Rfc9293_3_10_2_Send, EachState_AcceptedOnlyWhereThereIsMoreToSend) {
  const State accepted[] = {State::SynSent, State::SynReceived, State::Established, State::CloseWait};
  for (int s = 0; s < kStates; ++s) {
    const auto state = static_cast<State>(s);
    Peer peer;
    peer.reach(state);
    ASSERT_EQ(peer.tcb.state, state);
    const Seq end = peer.tcb.snd.end;
    const bool expected = std::find(std::begin(accepted), std::end(accepted), state) != std::end(accepted);
    EXPECT_EQ(send(peer.tcb, 10), expected) << state_name(state);
    EXPECT_EQ(peer.tcb.snd.end, expected ? end + 10 : end) << state_name(state);
  }
}

TEST(Rfc9293_3_10_2_Send, AfterCloseInSynReceived_Refused) {
  Peer peer;
  peer.syn_received();
  peer.shuts_down();
  EXPECT_FALSE(send(peer.tcb, 10));
}

TEST(Rfc9293_3_10_2_Send, SynSent_QueuedUntilEstablished) {
  Peer peer;
  peer.syn_sent();
  ASSERT_TRUE(send(peer.tcb, 10));
  EXPECT_EQ(peer.next(), Emission{});
  EXPECT_TRUE(peer.arrives(peer.syn(kAck)).output);
  EXPECT_EQ(peer.next().text, 10u);
}

TEST(Rfc9293_3_10_3_Receive, WindowClosed_OpensWithAnUpdate) {
  Parameters p = plain_parameters();
  p.receive_buffer = 2'000;
  Peer peer(p);
  peer.established();
  peer.arrives(peer.text(2'000));
  EXPECT_EQ(peer.next().window, 0);
  EXPECT_TRUE(receive(peer.tcb, 2'000, peer.context()));
  EXPECT_EQ(peer.next().window, 2'000);
}

TEST(Rfc9293_3_8_6_2_2, WindowClosedAndFewBytesTaken_NoUpdate) {  // receiver's silly-window avoidance, MUST-39
  Parameters p = plain_parameters();
  p.receive_buffer = 2'000;
  Peer peer(p);
  peer.established();
  peer.arrives(peer.text(2'000));
  peer.drain();
  EXPECT_FALSE(receive(peer.tcb, 999, peer.context()));
  EXPECT_EQ(peer.tcb.receive_window(), 0u);
  EXPECT_TRUE(receive(peer.tcb, 1, peer.context()));
  EXPECT_EQ(peer.tcb.receive_window(), 1'000u);
}

TEST(Rfc9293_3_8_6_2_2, WindowPlenty_NoUpdateOfItsOwn) {
  Peer peer;
  peer.established();
  peer.arrives(peer.text(1'000));
  peer.drain();
  EXPECT_FALSE(receive(peer.tcb, 1'000, peer.context()));
  EXPECT_EQ(peer.next(), Emission{});
}

TEST(Rfc9293_3_10_3_Receive, MoreThanDelivered_CountsNoFurtherThanZero) {
  Peer peer;
  peer.established();
  peer.arrives(peer.text(100));
  receive(peer.tcb, 5'000, peer.context());
  EXPECT_EQ(peer.tcb.rcv.queued, 0u);
}

TEST(Rfc9293_3_10_3_Receive, PeerHasClosed_NoUpdate) {
  Parameters p = plain_parameters();
  p.receive_buffer = 2'000;
  Peer peer(p);
  peer.established();
  peer.arrives(peer.text(1'990));
  peer.drain();
  peer.arrives(peer.fin());
  peer.drain();
  EXPECT_FALSE(receive(peer.tcb, 1'990, peer.context()));
}

TEST(Rfc9293_3_10_4_Close, Twice_SecondDoesNothing) {
  Peer peer;
  peer.established();
  peer.shuts_down();
  peer.drain();
  EXPECT_EQ(peer.shuts_down(), Actions{});
  EXPECT_EQ(peer.next(), Emission{});
}

TEST(Rfc9293_3_10_4_Close, AgainInFinWait2_ConnectionEndsAllTheSame) {  // found by fuzzing
  Peer p;
  p.fin_wait_2();
  p.closes();
  const Instant end = p.tcb.wait_at;
  ASSERT_FALSE(end.is_never());
  p.advance(Duration::seconds(1));
  p.closes();
  EXPECT_EQ(p.tcb.wait_at, end);
}

TEST(Rfc9293_3_10_4_Close, SynSentWithQueuedText_SaysThatItIsLost) {
  Peer peer;
  peer.syn_sent();
  ASSERT_TRUE(send(peer.tcb, 10));
  EXPECT_EQ(peer.shuts_down(), (Actions{.error = Error::Aborted, .closed = true}));
}

TEST(Rfc9293_3_6_1, CloseWithUnreadText_Reset) {  // MUST-17 and SHLD-3: the peer must learn that its text was lost
  Peer peer;
  peer.established();
  peer.arrives(peer.text(10));
  peer.drain();
  const Actions actions = close(peer.tcb, true, peer.context());
  EXPECT_EQ(actions.reply, Peer::expected_rst(Seq(1001)));
  EXPECT_TRUE(actions.closed);
  EXPECT_EQ(peer.tcb.state, State::Closed);
}

TEST(Rfc9293_3_6_1_Must13, CloseWithUnreadTextInTimeWait_TimeWaitGoesOn) {
  Peer peer;
  peer.time_wait();
  EXPECT_EQ(close(peer.tcb, true, peer.context()), Actions{});
  EXPECT_EQ(peer.tcb.state, State::TimeWait);
}

TEST(Rfc9293_3_10_5_Abort, EachState_ResetWhereTheRfcSaysSo) {
  const State with_rst[] = {State::SynReceived, State::Established, State::FinWait1, State::FinWait2, State::CloseWait};
  for (int s = 1; s < kStates; ++s) {
    const auto state = static_cast<State>(s);
    Peer peer;
    peer.reach(state);
    Actions expected{.error = Error::Aborted, .closed = true};
    if (std::find(std::begin(with_rst), std::end(with_rst), state) != std::end(with_rst)) {
      expected.reply = Peer::expected_rst(peer.tcb.snd.nxt);
    }
    EXPECT_EQ(abort(peer.tcb), expected) << state_name(state);
    EXPECT_EQ(peer.tcb.state, State::Closed) << state_name(state);
  }
}

TEST(Rfc9293_3_10_5_Abort, Closed_Nothing) {
  Tcb tcb;
  EXPECT_EQ(abort(tcb), Actions{});
}

TEST(Rfc9293_3_10_5_Abort, ProbeBeyondAClosedWindow_ResetAtANumberThePeerTakes) {
  Peer peer;
  peer.window = 0;
  peer.established();
  peer.sends(10);
  peer.expire();
  peer.drain();
  EXPECT_EQ(abort(peer.tcb).reply, Peer::expected_rst(Seq(1001)));
}

TEST(StateNames, EachState_AsTheRfcPrintsIt) {
  EXPECT_STREQ(state_name(State::SynReceived), "SYN-RECEIVED");
  EXPECT_STREQ(state_name(State::FinWait2), "FIN-WAIT-2");
  for (int s = 0; s < kStates; ++s) EXPECT_STRNE(state_name(static_cast<State>(s)), "?");
}

}  // namespace
}  // namespace estab::tcp
