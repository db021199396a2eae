// RFC 9293 §3.8.4 and RFC 1122 §4.2.3.6: keep-alives.
#include <gtest/gtest.h>

#include "support/tcp_peer.h"

namespace estab::tcp {
namespace {

constexpr Duration kIdle = Duration::seconds(2 * 3600);
constexpr Duration kInterval = Duration::seconds(75);

Peer with_keepalive() {
  Peer peer;
  peer.parameters.keepalive = true;
  return peer;
}

// What a probe asks, in the words of RFC 1122: SEG.SEQ = SND.NXT-1, and no text.
void expect_probe(Peer& peer, const Actions& actions) {
  Emission probe = peer.expected_ack();
  probe.seq = peer.tcb.snd.nxt - 1;
  EXPECT_EQ(actions, Actions{.reply = probe});
  EXPECT_EQ(peer.drain().size(), 0u);
}

TEST(Rfc9293_3_8_4_Must25, ByDefault_NoneIsSent) {
  Peer peer;
  peer.established();
  EXPECT_TRUE(peer.tcb.poll_at().is_never());
}

TEST(Rfc9293_3_8_4_Must24, TurnedOnAndOff_TimerFollows) {
  Peer peer;
  peer.established();
  set_keepalive(peer.tcb, true, peer.context());
  EXPECT_EQ(peer.tcb.poll_at(), peer.now + kIdle);
  set_keepalive(peer.tcb, false, peer.context());
  EXPECT_TRUE(peer.tcb.poll_at().is_never());
}

TEST(Rfc9293_3_8_4_Must27, ShorterIdleTime_ProbeComesSooner) {
  Peer peer = with_keepalive();
  peer.parameters.keepalive_idle = Duration::seconds(30);
  peer.established();
  expect_probe(peer, peer.advance(Duration::seconds(30)));
}

TEST(Rfc9293_3_8_4_Must28, Default_TwoHoursOfSilence) {
  Peer peer = with_keepalive();
  peer.established();
  EXPECT_GE(peer.tcb.poll_at() - peer.now, Duration::seconds(7200));
}

TEST(Rfc9293_3_8_4_Shld12, Silence_ProbeWithoutText) {
  for (const bool active : {false, true}) {
    Peer peer = with_keepalive();
    active ? peer.established_active() : peer.established();
    expect_probe(peer, peer.advance(kIdle));
    EXPECT_EQ(peer.tcb.poll_at(), peer.now + kInterval);
  }
}

TEST(Rfc9293_3_8_4_Must26, PeerIsHeardOf_ProbeIsPutOff) {
  Peer peer = with_keepalive();
  peer.established();
  peer.now = peer.now + Duration::seconds(7000);
  peer.arrives(peer.text(10));
  peer.drain();
  EXPECT_EQ(peer.tcb.poll_at(), peer.now + kIdle);
}

TEST(Rfc9293_3_8_4_Must26, TextInFlight_NoProbeTheRetransmissionAsks) {
  Peer peer = with_keepalive();
  peer.established();
  peer.now = peer.now + kIdle - Duration::milliseconds(1);
  peer.sends(10);
  EXPECT_EQ(peer.advance(Duration::milliseconds(1)), Actions{});
  EXPECT_FALSE(peer.expire().reply);  // the retransmission time-out
  EXPECT_EQ(peer.drain().size(), 1u);
}

TEST(Rfc9293_3_8_4_Must29, OneProbeUnanswered_NotDead) {
  Peer peer = with_keepalive();
  peer.established();
  for (int i = 0; i < 9; ++i) expect_probe(peer, i == 0 ? peer.advance(kIdle) : peer.advance(kInterval));
  peer.arrives(peer.ack());
  EXPECT_EQ(peer.tcb.state, State::Established);
  EXPECT_EQ(peer.tcb.poll_at(), peer.now + kIdle);
  for (int i = 0; i < 9; ++i) expect_probe(peer, i == 0 ? peer.advance(kIdle) : peer.advance(kInterval));
}

TEST(Rfc9293_3_8_4, NineProbesUnanswered_ResetAndTimedOut) {
  for (const State state : {State::Established, State::CloseWait, State::FinWait2}) {
    Peer peer = with_keepalive();
    peer.reach(state);
    for (int i = 0; i < 9; ++i) EXPECT_FALSE(peer.expire().closed);
    const Seq nxt = peer.tcb.snd.nxt;
    const Actions end{.reply = Peer::expected_rst(nxt), .error = Error::TimedOut, .closed = true};
    EXPECT_EQ(peer.expire(), end) << state_name(state);
  }
}

TEST(Rfc9293_3_8_4, StatesWithAFinOut_ItsTimerAlone) {
  for (const State state : {State::FinWait1, State::Closing, State::LastAck}) {
    Peer peer = with_keepalive();
    peer.reach(state);
    EXPECT_LT(peer.tcb.poll_at() - peer.now, Duration::seconds(5)) << state_name(state);
    EXPECT_TRUE(peer.tcb.wait_at.is_never()) << state_name(state);
  }
}

TEST(Rfc9293_3_8_4, FullCloseInFinWait2_ItsTimeOutAlone) {
  Peer peer = with_keepalive();
  peer.established();
  peer.closes();
  peer.drain();
  peer.arrives(peer.ack());
  ASSERT_EQ(peer.tcb.state, State::FinWait2);
  EXPECT_EQ(peer.expire(), Actions{.closed = true});
}

}  // namespace
}  // namespace estab::tcp
