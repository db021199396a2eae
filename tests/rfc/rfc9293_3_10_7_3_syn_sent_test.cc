// RFC 9293 §3.10.7.3: SEGMENT ARRIVES in SYN-SENT.
#include <gtest/gtest.h>

#include "support/tcp_peer.h"

namespace estab::tcp {
namespace {

Peer syn_sent() {
  Peer peer;
  peer.syn_sent();
  return peer;
}
Segment with_ack(Segment s, uint32_t ack) {
  s.ack = Seq(ack);
  return s;
}

TEST(Rfc9293_3_10_1, Open_Active_Syn) {
  Peer peer;
  Emission syn;
  syn.seq = Seq(1000);
  syn.flags = TcpFlags(kSyn);
  syn.window = 20'000;
  syn.mss = 1000;
  syn.has_window_scale = true;
  EXPECT_EQ(peer.syn_sent(), syn);
  EXPECT_EQ(peer.tcb.state, State::SynSent);
  EXPECT_EQ(peer.tcb.poll_at(), peer.now + Duration::seconds(1));
}

TEST(Rfc9293_3_10_7_3_First, SynSent_AckNotOfOurSyn_Rst) {
  for (const uint32_t ack : {1000u, 999u, 1002u, 0u}) {
    Peer peer = syn_sent();
    const Actions expected{.reply = Peer::expected_rst(Seq(ack)), .drop = Drop::UnacceptableAck};
    EXPECT_EQ(peer.arrives(with_ack(peer.syn(kAck), ack)), expected) << ack;
    EXPECT_EQ(peer.tcb.state, State::SynSent);
  }
}

TEST(Rfc9293_3_10_7_3_First, SynSent_RstWithAckNotOfOurSyn_Dropped) {
  Peer peer = syn_sent();
  EXPECT_EQ(peer.arrives(with_ack(peer.segment(kRst | kAck), 1002)), Actions{.drop = Drop::UnacceptableAck});
  EXPECT_EQ(peer.tcb.state, State::SynSent);
}

TEST(Rfc9293_3_10_7_3_First, SynSent_IssJustUnderTheWrap_AckOfZeroIsOurs) {
  Peer peer;
  peer.iss = Seq(0xffffffff);
  peer.syn_sent();
  peer.arrives(with_ack(peer.syn(kAck), 0));
  EXPECT_EQ(peer.tcb.state, State::Established);
}

TEST(Rfc9293_3_10_7_3_Second, SynSent_RstWithItsAck_Refused) {
  Peer peer = syn_sent();
  EXPECT_EQ(peer.arrives(peer.segment(kRst | kAck)), (Actions{.error = Error::Refused, .closed = true}));
  EXPECT_EQ(peer.tcb.state, State::Closed);
}

TEST(Rfc9293_3_10_7_3_Second, SynSent_RstWithoutAck_Dropped) {
  Peer peer = syn_sent();
  EXPECT_EQ(peer.arrives(peer.rst()), Actions{.drop = Drop::SynSentUnexpected});
  EXPECT_EQ(peer.tcb.state, State::SynSent);
}

TEST(Rfc9293_3_10_7_3_Fourth, SynSent_SynAck_EstablishedAndAck) {
  Peer peer = syn_sent();
  peer.arrives(peer.syn(kAck));
  EXPECT_EQ(peer.last, (Actions{.reply = peer.expected_ack(), .established = true}));
  EXPECT_EQ(peer.last.reply.seq, Seq(1001));
  EXPECT_EQ(peer.last.reply.ack, Seq(5001));
  EXPECT_EQ(peer.tcb.state, State::Established);
  EXPECT_TRUE(peer.tcb.poll_at().is_never());
  EXPECT_EQ(peer.next(), Emission{});
}

TEST(Rfc9293_3_10_7_3_Fourth, SynSent_SynAckWithText_TextIsTaken) {
  Peer peer = syn_sent();
  Segment s = peer.syn(kAck);
  s.text = 100;
  peer.arrives(s);
  EXPECT_EQ(peer.last.text, Text::Deliver);
  EXPECT_EQ(peer.last.text_offset, 0u);
  EXPECT_EQ(peer.last.text_length, 100u);
  EXPECT_EQ(peer.next().ack, Seq(5101));
}

TEST(Rfc9293_3_10_7_3_Fourth, SynSent_SynAckWithTextBeyondTheWindow_OnlyTheWindowIsTaken) {
  Parameters p = plain_parameters();
  p.receive_buffer = 500;
  Peer peer(p);
  peer.syn_sent();
  Segment s = peer.syn(kAck | kFin);
  s.text = 900;
  EXPECT_EQ(peer.arrives(s).text_length, 500u);
  EXPECT_EQ(peer.tcb.receive_window(), 0u);
  EXPECT_EQ(peer.tcb.state, State::Established) << "the FIN lies beyond the window";
}

TEST(Rfc9293_3_10_7_3_Fourth, SynSent_SynAckWithFin_CloseWait) {
  Peer peer = syn_sent();
  peer.arrives(peer.syn(kAck | kFin));
  EXPECT_TRUE(peer.last.established);
  EXPECT_TRUE(peer.last.peer_closed);
  EXPECT_EQ(peer.tcb.state, State::CloseWait);
  EXPECT_EQ(peer.next().ack, Seq(5002));
}

TEST(Rfc9293_3_10_7_3_Fourth, SynSent_Syn_SynReceivedAndSynAck) {
  Peer peer = syn_sent();
  peer.arrives(peer.syn());
  EXPECT_EQ(peer.last.reply.flags, TcpFlags(kSyn | kAck));
  EXPECT_EQ(peer.last.reply.seq, Seq(1000));
  EXPECT_EQ(peer.last.reply.ack, Seq(5001));
  EXPECT_EQ(peer.tcb.state, State::SynReceived);
  EXPECT_EQ(peer.tcb.snd.wnd, 10'000u);
}

TEST(Rfc9293_3_10_7_3_Fifth, SynSent_NeitherSynNorRst_Dropped) {
  Peer peer = syn_sent();
  EXPECT_EQ(peer.arrives(peer.ack()), Actions{.drop = Drop::SynSentUnexpected});
  EXPECT_EQ(peer.arrives(peer.segment(kFin, 10)), Actions{.drop = Drop::SynSentUnexpected});
  EXPECT_EQ(peer.tcb.state, State::SynSent);
}

TEST(HalfOpenProbe, SynSent_SynAck_RstAndClosed) {
  Peer peer = syn_sent();
  peer.tcb.probe_only = true;  // an option of the user, not a state
  const Actions expected{.reply = Peer::expected_rst(Seq(1001)), .established = true, .closed = true};
  EXPECT_EQ(peer.arrives(peer.syn(kAck)), expected);
}

}  // namespace
}  // namespace estab::tcp
