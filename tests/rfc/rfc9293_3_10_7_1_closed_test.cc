// RFC 9293 §3.10.7.1: SEGMENT ARRIVES in CLOSED.
#include <gtest/gtest.h>

#include "support/tcp_peer.h"

namespace estab::tcp {
namespace {

TEST(Rfc9293_3_10_7_1, Closed_Rst_Discarded) {
  Peer peer;
  EXPECT_EQ(peer.arrives(peer.segment(kRst)), Actions{.drop = Drop::NoConnection});
  EXPECT_EQ(peer.arrives(peer.segment(kRst | kAck)), Actions{.drop = Drop::NoConnection});
}

TEST(Rfc9293_3_10_7_1, Closed_NoAck_RstAckOverTheSegment) {
  Peer peer;
  Segment s = peer.syn(kFin);
  s.text = 10;
  Emission rst;
  rst.ack = Seq(5012);  // SYN, text and FIN
  rst.flags = TcpFlags(kRst | kAck);
  EXPECT_EQ(peer.arrives(s), (Actions{.reply = rst, .drop = Drop::NoConnection}));
}

TEST(Rfc9293_3_10_7_1, Closed_Ack_RstAtItsAck) {
  Peer peer;
  const Segment s = peer.ack_of(Seq(777));
  EXPECT_EQ(peer.arrives(s), (Actions{.reply = Peer::expected_rst(Seq(777)), .drop = Drop::NoConnection}));
}

TEST(Rfc9293_3_10_7_1, Closed_SynAck_RstAtItsAck) {
  Peer peer;
  Segment s = peer.syn(kAck);
  s.ack = Seq(0);  // zero is a number like any other
  EXPECT_EQ(reset_for(s), Peer::expected_rst(Seq(0)));
}

TEST(Rfc9293_3_10_7_1, Closed_SegmentEndsOverTheWrap_AckWraps) {
  Peer peer;
  Segment s = peer.segment(0, 10);
  s.seq = Seq(0xfffffffc);
  EXPECT_EQ(reset_for(s).ack, Seq(6));
}

}  // namespace
}  // namespace estab::tcp
