// next_segment(): what goes out, how it is cut, and which timer it starts.
#include "tcp/output.h"

#include <gtest/gtest.h>

#include "support/tcp_peer.h"

namespace estab::tcp {
namespace {

TEST(Output, NothingToSend_Empty) {
  Peer peer;
  peer.established();
  EXPECT_EQ(peer.next(), Emission{});
  EXPECT_TRUE(peer.tcb.poll_at().is_never());
}

TEST(Output, ShortText_OneSegmentWithPushAndTimer) {
  Peer peer;
  peer.established();
  const auto sent = peer.sends(300);
  ASSERT_EQ(sent.size(), 1u);
  Emission expected = peer.expected_ack();
  expected.seq = Seq(1001);
  expected.text = 300;
  expected.flags = TcpFlags(kAck | kPsh);
  EXPECT_EQ(sent[0], expected);
  EXPECT_EQ(peer.tcb.retransmit_at, peer.now + peer.tcb.rtt.rto());
}

TEST(Output, LongText_CutIntoSegmentsPushOnTheLast) {
  Peer peer;
  peer.established();
  const auto sent = peer.sends(2'500);
  ASSERT_EQ(sent.size(), 3u);
  for (uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(sent[i].seq, Seq(1001 + 1000 * i));
    EXPECT_EQ(sent[i].text_offset, 1000 * i);
    EXPECT_EQ(sent[i].text, i < 2 ? 1000u : 500u);
    EXPECT_EQ(sent[i].flags.psh(), i == 2);
  }
}

TEST(Output, AckOwed_RidesOnText) {
  Peer peer;
  peer.established();
  peer.arrives(peer.text(10));
  const auto sent = peer.sends(300);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].ack, Seq(5011));
}

TEST(Output, AckOwedAndNothingElse_BareAck) {
  Peer peer;
  peer.established();
  peer.arrives(peer.text(10));
  EXPECT_EQ(peer.next(), peer.expected_ack());
  EXPECT_EQ(peer.next(), Emission{});
}

TEST(Rfc9293_3_8_6, TextBeyondTheWindow_Waits) {
  Peer peer;
  peer.window = 3'000;
  peer.established();
  EXPECT_EQ(peer.sends(5'000).size(), 3u);
  peer.arrives(peer.ack_of(Seq(2001)));
  const auto sent = peer.drain();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].seq, Seq(4001));
  EXPECT_EQ(sent[0].text_offset, 2'000u) << "from the new SND.UNA";
}

TEST(Rfc5681_3_1, TextBeyondCwnd_Waits) {
  Peer peer;
  peer.window = 60'000;
  peer.parameters.initial_window = 4;
  peer.established();
  EXPECT_EQ(peer.sends(8'000).size(), 4u);
  peer.arrives(peer.ack_of(Seq(2001)));
  EXPECT_EQ(peer.drain().size(), 2u) << "slow start";
}

TEST(Output, CloseWithText_FinOnTheLastSegment) {
  Peer peer;
  peer.established();
  ASSERT_TRUE(send(peer.tcb, 1'500));
  peer.shuts_down();
  const auto sent = peer.drain();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_FALSE(sent[0].flags.fin());
  EXPECT_EQ(sent[1].flags, TcpFlags(kAck | kPsh | kFin));
  EXPECT_EQ(sent[1].text, 500u);
  EXPECT_TRUE(peer.tcb.fin_sent());
}

TEST(Output, CloseAfterText_BareFin) {
  Peer peer;
  peer.established();
  peer.sends(500);
  peer.shuts_down();
  const auto sent = peer.drain();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].flags, TcpFlags(kAck | kFin));
  EXPECT_EQ(sent[0].seq, Seq(1501));
  EXPECT_EQ(sent[0].text, 0u);
}

TEST(Output, WindowTooSmallForAll_FinWaitsForTheText) {
  Peer peer;
  peer.window = 1'000;
  peer.established();
  ASSERT_TRUE(send(peer.tcb, 1'500));
  peer.shuts_down();
  const auto sent = peer.drain();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_FALSE(sent[0].flags.fin());
  peer.arrives(peer.ack());
  EXPECT_TRUE(peer.next().flags.fin());
}

TEST(Output, FinLost_SentAgainAlone) {
  Peer peer;
  peer.established();
  ASSERT_TRUE(send(peer.tcb, 500));
  peer.shuts_down();
  peer.drain();
  peer.arrives(peer.ack_of(Seq(1501)));
  peer.expire();
  const auto sent = peer.drain();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].flags, TcpFlags(kAck | kFin));
  EXPECT_EQ(sent[0].seq, Seq(1501));
  EXPECT_TRUE(sent[0].retransmission);
}

TEST(Output, TextAndFinLost_SentAgainTogether) {
  Peer peer;
  peer.established();
  ASSERT_TRUE(send(peer.tcb, 500));
  peer.shuts_down();
  peer.drain();
  peer.expire();
  const auto sent = peer.drain();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].text, 500u);
  EXPECT_TRUE(sent[0].flags.fin());
}

TEST(Output, LostBeforeTheClose_FinGoesOutOnceTheTextWasAcked) {
  Peer peer;
  peer.established();
  peer.sends(500);
  peer.expire();
  peer.shuts_down();
  const auto sent = peer.drain();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_TRUE(sent[0].retransmission);
  EXPECT_FALSE(sent[0].flags.fin());
  EXPECT_TRUE(sent[1].flags.fin());
  EXPECT_EQ(sent[1].seq, Seq(1501));
}

TEST(Output, MoreThanTwoGibibytes_TextAndSmallWritesKeepGoing) {  // half the sequence space lies behind ISS
  Peer peer;
  peer.parameters.mss = 60'000;
  peer.parameters.window_scale = 7;
  peer.syn_options.mss = 60'000;
  peer.syn_options.has_window_scale = true;
  peer.syn_options.window_scale = 7;
  peer.established();
  uint64_t total = 0;
  while (total < (uint64_t{5} << 30)) {
    const uint32_t bytes = 600'000;
    ASSERT_TRUE(send(peer.tcb, bytes));
    uint64_t acked = 0;
    for (int i = 0; i < 30 && acked < bytes; ++i) {
      peer.drain();
      acked += peer.arrives(peer.ack()).acked;
    }
    ASSERT_EQ(acked, bytes) << "after " << total;
    total += bytes;
    ASSERT_EQ(peer.tcb.send_queue(), 0u);
  }
  peer.sends(60'000 * 3);
  peer.arrives(peer.ack());
  const auto sent = peer.sends(10);
  ASSERT_EQ(sent.size(), 1u) << "Nagle must not see a small segment of long ago";
}

TEST(Output, NagleAfterTwoGibibytesOfFullSegments_DoesNotHoldASmallOne) {
  Peer peer;
  peer.parameters.mss = 60'000;
  peer.parameters.window_scale = 7;
  peer.syn_options = {.has_mss = true, .has_window_scale = true, .window_scale = 7, .mss = 60'000};
  peer.established();
  for (uint64_t total = 0; total < (uint64_t{5} << 29); total += 60'000) {
    ASSERT_EQ(peer.sends(60'000).size(), 1u);
    peer.arrives(peer.ack());
  }
  EXPECT_EQ(peer.sends(10).size(), 1u);
}

TEST(Output, ReceivedMoreThanTwoGibibytes_StillDelivered) {
  Parameters p = plain_parameters();
  p.receive_buffer = 65'000;
  Peer peer(p);
  peer.established();
  peer.drain();
  for (uint64_t total = 0; total < (uint64_t{5} << 29); total += 30'000) {
    ASSERT_EQ(peer.arrives(peer.text(30'000)).text_length, 30'000u) << "after " << total;
    receive(peer.tcb, 30'000, peer.context());
    peer.drain();
    ASSERT_GE(peer.tcb.receive_window(), 30'000u);
  }
}

}  // namespace
}  // namespace estab::tcp
