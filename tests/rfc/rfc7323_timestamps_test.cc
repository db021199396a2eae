// RFC 7323: timestamps (§3, §4.3), PAWS (§5) and the window scale (§2).
#include <gtest/gtest.h>

#include "support/tcp_peer.h"

namespace estab::tcp {
namespace {

Parameters with_timestamps() {
  Parameters p = plain_parameters();
  p.timestamps = true;
  return p;
}
Peer established(uint32_t ts_clock = 70'000) {
  Peer peer(with_timestamps());
  peer.syn_options.has_timestamps = true;
  peer.ts_clock = ts_clock;
  peer.established();
  return peer;
}
Segment at(Segment s, uint32_t ts) {
  s.options.ts_value = ts;
  return s;
}

TEST(Rfc7323_3_2, SynSent_TsoptOfferedWithZeroEcho) {
  Peer peer(with_timestamps());
  peer.ts_offset = 77;
  const Emission syn = peer.syn_sent();
  EXPECT_TRUE(syn.has_timestamps);
  EXPECT_EQ(syn.ts_value, 1'077u);  // a tick is 1 ms, the clock of the test starts at 1 s
  EXPECT_EQ(syn.ts_echo, 0u);
}

TEST(Rfc7323_3_2, BothOffer_EverySegmentCarriesIt) {
  Peer peer(with_timestamps());
  peer.syn_options.has_timestamps = true;
  peer.listen();
  const Emission syn_ack = peer.arrives(peer.syn()).reply;
  EXPECT_TRUE(syn_ack.has_timestamps);
  EXPECT_EQ(syn_ack.ts_echo, 70'000u);
  peer.seq = Seq(5001);
  peer.arrives(peer.ack());
  const auto sent = peer.sends(10);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_TRUE(sent[0].has_timestamps);
  EXPECT_EQ(sent[0].ts_echo, 70'000u);
}

TEST(Rfc7323_3_2, PeerDoesNotOffer_NeverSent) {
  Peer peer(with_timestamps());
  peer.listen();
  EXPECT_FALSE(peer.arrives(peer.syn()).reply.has_timestamps);
  peer.seq = Seq(5001);
  peer.arrives(peer.ack());
  EXPECT_FALSE(peer.sends(10).at(0).has_timestamps);
}

TEST(Rfc7323_3_2, TurnedOff_OfferNotAccepted) {
  Peer peer;
  peer.syn_options.has_timestamps = true;
  peer.listen();
  EXPECT_FALSE(peer.arrives(peer.syn()).reply.has_timestamps);
}

TEST(Rfc7323_3_2, SegmentWithout_SilentlyDropped) {
  Peer peer = established();
  Segment s = peer.text(10);
  s.options = {};
  EXPECT_EQ(peer.arrives(s), Actions{.drop = Drop::MissingTimestamp});
}

TEST(Rfc7323_3_2, RstWithout_Taken) {
  Peer peer = established();
  Segment s = peer.rst();
  s.options = {};
  EXPECT_EQ(peer.arrives(s).error, Error::Reset);
}

TEST(Rfc7323_4_3, InOrder_TsRecentFollows) {
  Peer peer = established();
  peer.arrives(at(peer.text(10), 70'005));
  EXPECT_EQ(peer.next().ts_echo, 70'005u);
}

TEST(Rfc7323_4_3, BeyondAHole_TsRecentStays) {
  Peer peer = established();
  Segment s = at(peer.text(10), 70'005);
  s.seq = Seq(5101);
  peer.arrives(s);
  EXPECT_EQ(peer.next().ts_echo, 70'000u);
}

TEST(Rfc7323_4_3, AckNotAcceptable_TsRecentStays) {  // or one forged segment would make PAWS refuse all that follows
  Peer peer = established();
  Segment forged = at(peer.text(10), 1'000'000);
  forged.ack = peer.tcb.snd.nxt + 1;
  EXPECT_EQ(peer.arrives(forged).drop, Drop::AckOutOfRange);
  EXPECT_EQ(peer.arrives(at(peer.text(10), 70'001)).text, Text::Deliver);
}

TEST(Rfc7323_4_3, SeveralBeforeOneAck_TheEarliestIsEchoed) {  // delayed ACKs: Last.ACK.sent decides
  Peer peer = established();
  peer.arrives(at(peer.text(10), 70'005));
  peer.arrives(at(peer.text(10), 70'009));
  EXPECT_EQ(peer.next().ts_echo, 70'005u);
}

TEST(Rfc7323_5_3, OlderTimestamp_AckAndDropped) {
  Peer peer = established();
  const Actions expected{.reply = peer.expected_ack(), .drop = Drop::OldTimestamp};
  EXPECT_EQ(peer.arrives(at(peer.text(10), 69'999)), expected);
  EXPECT_EQ(peer.tcb.rcv.nxt, Seq(5001));
}

TEST(Rfc7323_5_3, EqualTimestamp_Taken) {
  Peer peer = established();
  EXPECT_EQ(peer.arrives(at(peer.text(10), 70'000)).text, Text::Deliver);
}

TEST(Rfc7323_5_3, TimestampWrapped_IsNewer) {
  Peer peer = established(0xfffffffe);
  EXPECT_EQ(peer.arrives(at(peer.text(10), 3)).text, Text::Deliver);
  EXPECT_EQ(peer.arrives(at(peer.text(10), 0xffffffff)).drop, Drop::OldTimestamp);
}

TEST(Rfc7323_5_3, RstWithOldTimestamp_Taken) {  // "RST segments MUST NOT be subjected to the PAWS check"
  Peer peer = established();
  EXPECT_EQ(peer.arrives(at(peer.rst(), 1)).error, Error::Reset);
}

TEST(Rfc7323_5_5, IdleFor24Days_OldTimestampTaken) {
  Peer peer = established();
  peer.now = peer.now + Duration::seconds(25 * 24 * 3'600);
  EXPECT_EQ(peer.arrives(at(peer.text(10), 5)).text, Text::Deliver);
  EXPECT_EQ(peer.next().ts_echo, 5u);
}

TEST(Rfc7323_5_3, SynThatIsChallenged_DoesNotSetTsRecent) {
  Peer peer = established();
  Segment s = peer.segment(kSyn);
  peer.arrives(at(s, 0x70000000));
  EXPECT_EQ(peer.last.drop, Drop::SynInWindow);
  EXPECT_EQ(peer.arrives(at(peer.text(10), 70'001)).text, Text::Deliver);
}

TEST(Rfc7323_5_3, RstInTimeWait_DoesNotSetTsRecent) {
  Peer peer(with_timestamps());
  peer.syn_options.has_timestamps = true;
  peer.time_wait();
  const uint32_t before = peer.tcb.ts_recent;
  peer.arrives(at(peer.rst(), before + 0x70000000));
  EXPECT_EQ(peer.tcb.ts_recent, before);
}

// ------------------------------------------------------------------------------------------------------- window scale

Peer scaled(uint8_t ours, uint8_t theirs) {
  Parameters p = plain_parameters();
  p.window_scale = ours;
  p.receive_buffer = 1'000'000;
  Peer peer(p);
  peer.syn_options.has_window_scale = true;
  peer.syn_options.window_scale = theirs;
  return peer;
}

TEST(Rfc7323_2_2, BothOffer_BothScale) {
  Peer peer = scaled(5, 7);
  peer.listen();
  const Emission syn_ack = peer.arrives(peer.syn()).reply;
  EXPECT_TRUE(syn_ack.has_window_scale);
  EXPECT_EQ(syn_ack.window_scale, 5);
  peer.seq = Seq(5001);
  peer.window = 100;
  peer.arrives(peer.ack());
  EXPECT_EQ(peer.tcb.snd.wnd, 12'800u);
  peer.arrives(peer.text(10));
  EXPECT_EQ(peer.next().window, (1'000'000 - 10) >> 5);
}

TEST(Rfc7323_2_2, WindowOnASyn_NeverScaled) {
  Peer peer = scaled(5, 7);
  peer.listen();
  EXPECT_EQ(peer.arrives(peer.syn()).reply.window, 65'535);
  EXPECT_EQ(peer.tcb.snd.wnd, 10'000u);
}

TEST(Rfc7323_2_2, WindowOnASynAck_NeverScaled) {
  Peer peer = scaled(5, 7);
  peer.established_active();
  EXPECT_EQ(peer.tcb.snd.wnd, 10'000u);
  peer.arrives(peer.ack());
  EXPECT_EQ(peer.tcb.snd.wnd, 1'280'000u);
}

TEST(Rfc7323_2_2, PeerDoesNotOffer_NeitherScales) {
  Peer peer = scaled(5, 7);
  peer.syn_options.has_window_scale = false;
  peer.listen();
  EXPECT_FALSE(peer.arrives(peer.syn()).reply.has_window_scale);
  peer.seq = Seq(5001);
  peer.arrives(peer.ack());
  EXPECT_EQ(peer.tcb.snd.wnd, 10'000u);
  peer.arrives(peer.text(10));
  EXPECT_LE(peer.tcb.receive_window(), 65'535u);
}

TEST(Rfc7323_2_3, LargestShift_WindowUnderAGibibyte) {
  Peer peer = scaled(14, 14);
  peer.parameters.receive_buffer = 1u << 30;
  peer.window = 65'535;
  peer.established();
  EXPECT_EQ(peer.tcb.snd.wnd, 65'535u << 14);
  peer.arrives(peer.text(10));
  EXPECT_EQ(peer.next().window, 65'534) << "ten bytes were not taken yet";
}

TEST(Rfc7323_2_4, WindowRoundedDown_EdgeTheTcbHoldsDoesNotMoveLeft) {
  Peer peer = scaled(7, 7);
  peer.established();
  peer.arrives(peer.text(10));
  peer.drain();
  const Seq edge = peer.tcb.rcv.edge;
  for (int i = 0; i < 50; ++i) {
    peer.arrives(peer.text(3));
    peer.drain();
    ASSERT_TRUE(edge <= peer.tcb.rcv.edge);
  }
}

}  // namespace
}  // namespace estab::tcp
