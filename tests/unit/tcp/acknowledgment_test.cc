// What an acceptable ACK changes: the send window's rules and what is reported as acknowledged.
#include "tcp/acknowledgment.h"

#include <gtest/gtest.h>

#include "support/tcp_peer.h"

namespace estab::tcp {
namespace {

TEST(Acknowledgment, PartOfASegment_ThatManyBytes) {
  Peer peer;
  peer.established();
  peer.sends(500);
  EXPECT_EQ(peer.arrives(peer.ack_of(Seq(1101))).acked, 100u);
  EXPECT_EQ(peer.tcb.snd.una, Seq(1101));
}

TEST(Acknowledgment, OfTheFin_CountsNoByte) {
  Peer peer;
  peer.established();
  ASSERT_TRUE(send(peer.tcb, 500));
  peer.shuts_down();
  peer.drain();
  EXPECT_EQ(peer.arrives(peer.ack()).acked, 500u);
}

TEST(Acknowledgment, OfTheSyn_CountsNoByte) {
  Peer peer;
  peer.syn_sent();
  ASSERT_TRUE(send(peer.tcb, 500));
  EXPECT_EQ(peer.arrives(peer.syn(kAck)).acked, 0u);
}

TEST(Rfc9293_3_10_7_4_Window, NewerAck_TakesItsWindow) {
  Peer peer;
  peer.established();
  peer.window = 777;
  peer.arrives(peer.ack());
  EXPECT_EQ(peer.tcb.snd.wnd, 777u);
}

TEST(Rfc9293_3_10_7_4_Window, OlderSegment_KeepsTheWindow) {  // SND.WL1 > SEG.SEQ
  Peer peer;
  peer.established();
  Segment old = peer.ack();
  peer.arrives(peer.text(100));
  peer.arrives(peer.text(100));
  old.seq = Seq(5001);
  old.text = 201;  // reaches into the window, so that it is acceptable
  old.window = 1;
  peer.arrives(old);
  EXPECT_EQ(peer.tcb.snd.wnd, 10'000u);
}

TEST(Rfc9293_3_10_7_4_Window, OlderAckOnANewerSegment_KeepsTheWindow) {  // only where SND.UNA =< SEG.ACK
  Peer peer;
  peer.established();
  peer.sends(2'000);
  Segment overtaken = peer.text(10);
  overtaken.seq = Seq(5011);
  overtaken.ack = Seq(1001);
  overtaken.window = 60'000;
  peer.arrives(peer.ack_of(Seq(3001)));
  peer.arrives(overtaken);
  EXPECT_EQ(peer.tcb.snd.wnd, 10'000u);
}

TEST(Rfc9293_3_10_7_4_Window, SameSegmentOlderAck_KeepsTheWindow) {  // SND.WL2 > SEG.ACK
  Peer peer;
  peer.established();
  peer.sends(200);
  const Segment old = peer.ack_of(Seq(1101));
  peer.arrives(peer.ack_of(Seq(1201)));
  Segment late = old;
  late.window = 5;
  peer.arrives(late);
  EXPECT_EQ(peer.tcb.snd.wnd, 10'000u);
}

TEST(Rfc5681_2_DuplicateAck, WithTextOrNewWindowOrNothingOutstanding_IsNone) {
  Peer peer;
  peer.established();
  for (int i = 0; i < 4; ++i) peer.arrives(peer.ack());  // nothing outstanding
  EXPECT_EQ(peer.tcb.congestion.duplicate_acks, 0);
  peer.sends(3'000);
  for (int i = 0; i < 4; ++i) {  // text
    Segment s = peer.text(10);
    s.ack = Seq(1001);
    peer.arrives(s);
    peer.drain();
  }
  for (int i = 0; i < 4; ++i) {  // another window each
    --peer.window;
    peer.arrives(peer.ack_of(Seq(1001)));
  }
  EXPECT_EQ(peer.tcb.congestion.duplicate_acks, 0);
  peer.arrives(peer.ack_of(Seq(1001)));
  EXPECT_EQ(peer.tcb.congestion.duplicate_acks, 1);
}

}  // namespace
}  // namespace estab::tcp
