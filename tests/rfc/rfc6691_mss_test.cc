// RFC 6691, RFC 9293 §3.7.1: the segment size.
#include <gtest/gtest.h>

#include "support/tcp_peer.h"

namespace estab::tcp {
namespace {

uint16_t negotiated(const Parameters& ours, const wire::TcpOptions& theirs) {
  Peer peer(ours);
  peer.syn_options = theirs;
  peer.established();
  return peer.tcb.snd.mss;
}
Parameters ours(uint16_t mss, bool timestamps = false) {
  Parameters p = plain_parameters();
  p.mss = mss;
  p.timestamps = timestamps;
  return p;
}

TEST(Rfc9293_3_7_1_Must15, NoMssOption_536) {
  EXPECT_EQ(negotiated(ours(1'460), {}), 536);
}

TEST(Rfc9293_3_7_1_Must16, SmallerOfBoth) {
  EXPECT_EQ(negotiated(ours(1'460), {.has_mss = true, .mss = 1'200}), 1'200);
  EXPECT_EQ(negotiated(ours(1'000), {.has_mss = true, .mss = 8'960}), 1'000);
}

TEST(Rfc6691_2, Timestamps_ComeOutOfTheSegment) {
  const wire::TcpOptions theirs{.has_mss = true, .has_timestamps = true, .mss = 1'460, .ts_value = 70'000};
  EXPECT_EQ(negotiated(ours(1'460, true), theirs), 1'448);
}

TEST(Rfc6691_2, OurMssOption_DoesNotCountOptions) {
  Peer peer(ours(1'460, true));
  EXPECT_EQ(peer.syn_sent().mss, 1'460);
}

TEST(Rfc9293_3_7_1, AbsurdlySmallOffer_Raised) {
  EXPECT_EQ(negotiated(ours(1'460), {.has_mss = true, .mss = 0}), kMinPeerMss);
  EXPECT_EQ(negotiated(ours(1'460, true), {.has_mss = true, .has_timestamps = true, .mss = 1, .ts_value = 70'000}),
            kMinPeerMss - 12);
}

}  // namespace
}  // namespace estab::tcp
