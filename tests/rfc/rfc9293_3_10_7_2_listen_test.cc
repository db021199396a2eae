// RFC 9293 §3.10.7.2: SEGMENT ARRIVES in LISTEN.
#include <gtest/gtest.h>

#include "support/tcp_peer.h"

namespace estab::tcp {
namespace {

Peer listening() {
  Peer peer;
  peer.listen();
  return peer;
}

TEST(Rfc9293_3_10_7_2_First, Listen_Rst_Ignored) {
  Peer peer = listening();
  EXPECT_EQ(peer.arrives(peer.segment(kRst | kSyn)), Actions{.drop = Drop::ListenRst});
  EXPECT_EQ(peer.tcb.state, State::Listen);
}

TEST(Rfc9293_3_10_7_2_Second, Listen_Ack_Rst) {
  Peer peer = listening();
  const Actions expected{.reply = Peer::expected_rst(Seq(42)), .drop = Drop::ListenAck};
  EXPECT_EQ(peer.arrives(peer.ack_of(Seq(42))), expected);
  EXPECT_EQ(peer.tcb.state, State::Listen);
}

TEST(Rfc9293_3_10_7_2_Second, Listen_SynAck_Rst) {
  Peer peer = listening();
  Segment s = peer.syn(kAck);
  s.ack = Seq(42);
  EXPECT_EQ(peer.arrives(s).reply, Peer::expected_rst(Seq(42)));
  EXPECT_EQ(peer.tcb.state, State::Listen);
}

TEST(Rfc9293_3_10_7_2_Third, Listen_Syn_SynAckAndSynReceived) {
  Peer peer = listening();
  Emission syn_ack;
  syn_ack.seq = Seq(1000);
  syn_ack.ack = Seq(5001);
  syn_ack.flags = TcpFlags(kSyn | kAck);
  syn_ack.window = 20'000;
  syn_ack.mss = 1000;
  EXPECT_EQ(peer.arrives(peer.syn()), Actions{.reply = syn_ack});
  EXPECT_EQ(peer.tcb.state, State::SynReceived);
  EXPECT_EQ(peer.tcb.snd.una, Seq(1000));
  EXPECT_EQ(peer.tcb.snd.nxt, Seq(1001));
  EXPECT_EQ(peer.tcb.rcv.nxt, Seq(5001));
  EXPECT_EQ(peer.tcb.irs, Seq(5000));
}

TEST(Rfc9293_3_10_7_2_Third, Listen_SynWithTextAndFin_OnlyTheSynIsTaken) {
  Peer peer = listening();
  Segment s = peer.syn(kFin);
  s.text = 100;
  EXPECT_EQ(peer.arrives(s).reply.ack, Seq(5001));
  EXPECT_EQ(peer.tcb.state, State::SynReceived);
}

TEST(Rfc9293_3_10_7_2_Fourth, Listen_NoControl_Dropped) {
  Peer peer = listening();
  EXPECT_EQ(peer.arrives(peer.segment(0, 10)), Actions{.drop = Drop::ListenUnexpected});
  EXPECT_EQ(peer.arrives(peer.segment(kFin)), Actions{.drop = Drop::ListenUnexpected});
}

}  // namespace
}  // namespace estab::tcp
