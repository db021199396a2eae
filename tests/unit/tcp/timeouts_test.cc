// timeout(): when it does nothing, and that no timer is left where there is nothing to wait for.
#include "tcp/timeouts.h"

#include <gtest/gtest.h>

#include "support/tcp_peer.h"

namespace estab::tcp {
namespace {

TEST(Timeout, CalledEarly_Nothing) {
  for (int s = 0; s < kStates; ++s) {
    Peer peer;
    peer.reach(static_cast<State>(s));
    EXPECT_EQ(timeout(peer.tcb, peer.context()), Actions{}) << s;
    EXPECT_EQ(peer.tcb.state, static_cast<State>(s));
  }
}

TEST(Timeout, EachState_ArmedOnlyWhereSomethingIsAwaited) {
  const State armed[] = {State::SynSent, State::SynReceived, State::FinWait1,
                         State::Closing, State::LastAck,     State::TimeWait};
  for (int s = 0; s < kStates; ++s) {
    const auto state = static_cast<State>(s);
    Peer peer;
    peer.reach(state);
    const bool expected = std::find(std::begin(armed), std::end(armed), state) != std::end(armed);
    EXPECT_EQ(!peer.tcb.poll_at().is_never(), expected) << state_name(state);
  }
}

TEST(Timeout, AllAcknowledged_TimerOff) {
  Peer peer;
  peer.established();
  peer.sends(100);
  EXPECT_FALSE(peer.tcb.poll_at().is_never());
  peer.arrives(peer.ack());
  EXPECT_TRUE(peer.tcb.poll_at().is_never());
}

TEST(Timeout, FinAcknowledged_TimerOff) {
  Peer peer;
  peer.fin_wait_2();
  EXPECT_TRUE(peer.tcb.retransmit_at.is_never());
}

TEST(Timeout, TextIntoAClosedWindow_TimerOn) {
  Peer peer;
  peer.window = 0;
  peer.established();
  EXPECT_TRUE(peer.tcb.poll_at().is_never());
  EXPECT_TRUE(peer.sends(100).empty());
  EXPECT_EQ(peer.tcb.retransmit_at, peer.now + peer.tcb.rtt.rto());
}

TEST(Timeout, WindowOpensAfterProbes_TimerIsTheRetransmissionTimerAgain) {
  Peer peer;
  peer.window = 0;
  peer.established();
  peer.sends(100);
  for (int i = 0; i < 6; ++i) {
    peer.expire();
    peer.drain();
    peer.arrives(peer.ack_of(peer.tcb.snd.una));
  }
  peer.window = 5'000;
  peer.arrives(peer.ack_of(peer.tcb.snd.una));
  peer.drain();
  EXPECT_LE(peer.tcb.retransmit_at, peer.now + peer.tcb.rtt.rto()) << "not the probes' long interval";
}

}  // namespace
}  // namespace estab::tcp
