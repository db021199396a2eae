// RFC 5927: blind attacks by ICMP. What an error may do is in RFC 9293 §3.9.2.2.
#include <gtest/gtest.h>

#include "support/tcp_peer.h"
#include "tcp/icmp.h"

namespace estab::tcp {
namespace {

constexpr State kAllButClosed[] = {State::SynSent,  State::SynReceived, State::Established,
                                   State::FinWait1, State::FinWait2,    State::CloseWait,
                                   State::Closing,  State::LastAck,     State::TimeWait};

TEST(Rfc5927_4_1, SequenceNumberNotInFlight_Dropped) {
  for (const State state : kAllButClosed) {
    Peer peer;
    peer.reach(state);
    for (const Seq quoted : {peer.tcb.snd.una - 1, peer.tcb.snd.nxt, peer.tcb.snd.nxt + 1'000'000}) {
      EXPECT_EQ(icmp_arrives(peer.tcb, quoted, IcmpError::Hard), Actions{.drop = Drop::IcmpNotInFlight});
      EXPECT_EQ(peer.tcb.state, state);
      EXPECT_FALSE(peer.tcb.unreachable);
    }
  }
}

TEST(Rfc5927_5_2, SynSent_HardError_Refused) {
  Peer peer;
  const Emission syn = peer.syn_sent();
  EXPECT_EQ(icmp_arrives(peer.tcb, syn.seq, IcmpError::Hard), (Actions{.error = Error::Unreachable, .closed = true}));
  EXPECT_EQ(peer.tcb.state, State::Closed);
}

TEST(Rfc5927_5_2, OtherStatesWithSomethingInFlight_HardError_LiveOn) {
  for (const State state :
       {State::SynReceived, State::Established, State::FinWait1, State::CloseWait, State::Closing, State::LastAck}) {
    Peer peer;
    peer.reach(state);
    peer.sends(10);  // where that is no longer possible, the FIN is in flight
    ASSERT_NE(peer.tcb.snd.una, peer.tcb.snd.nxt) << state_name(state);
    EXPECT_EQ(icmp_arrives(peer.tcb, peer.tcb.snd.una, IcmpError::Hard), Actions{}) << state_name(state);
    EXPECT_EQ(peer.tcb.state, state);
  }
}

TEST(Rfc9293_3_9_2_2_Must56, SynSent_SoftError_TriesOn) {
  Peer peer;
  const Emission syn = peer.syn_sent();
  EXPECT_EQ(icmp_arrives(peer.tcb, syn.seq, IcmpError::Soft), Actions{});
  peer.expire();
  EXPECT_EQ(peer.drain().size(), 1u);
}

TEST(Rfc9293_3_9_2_2_Shld25, GivesUpAfterASoftError_UserHearsUnreachable) {
  Peer peer;
  peer.established();
  peer.sends(10);
  icmp_arrives(peer.tcb, peer.tcb.snd.una, IcmpError::Soft);
  while (!peer.expire().closed) peer.drain();
  EXPECT_EQ(peer.last, (Actions{.error = Error::Unreachable, .closed = true}));
}

TEST(Rfc9293_3_9_2_2_Shld25, PeerAnswersAfterASoftError_Forgotten) {
  Peer peer;
  peer.established();
  peer.sends(10);
  icmp_arrives(peer.tcb, peer.tcb.snd.una, IcmpError::Soft);
  peer.arrives(peer.ack());
  peer.sends(10);
  while (!peer.expire().closed) peer.drain();
  EXPECT_EQ(peer.last.error, Error::TimedOut);
}

}  // namespace
}  // namespace estab::tcp
