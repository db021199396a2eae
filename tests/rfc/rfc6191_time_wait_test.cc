// RFC 6191 §2, RFC 1122 §4.2.2.13 (MAY-2): a SYN that arrives in TIME-WAIT.
#include <gtest/gtest.h>

#include "support/tcp_peer.h"

namespace estab::tcp {
namespace {

// In TIME-WAIT, after a connection with or without timestamps.
Peer time_wait(bool timestamps) {
  Parameters p = plain_parameters();
  p.timestamps = true;
  Peer peer(p);
  peer.syn_options.has_timestamps = timestamps;
  peer.time_wait();
  return peer;
}

// A new SYN, from `seq` beyond RCV.NXT and `ts` beyond TS.Recent where it has a timestamp.
Segment new_syn(const Peer& peer, int32_t seq, bool timestamps, int32_t ts = 0) {
  Segment s;
  s.flags = TcpFlags(kSyn);
  s.seq = peer.tcb.rcv.nxt + static_cast<uint32_t>(seq);
  s.window = 1'000;
  s.options.has_timestamps = timestamps;
  if (timestamps) s.options.ts_value = peer.tcb.ts_recent + static_cast<uint32_t>(ts);
  return s;
}

void expect_reopened(Peer peer, const Segment& syn) {
  EXPECT_EQ(peer.arrives(syn), Actions{.reopen = true});
}
void expect_refused(Peer peer, const Segment& syn) {
  EXPECT_EQ(peer.arrives(syn), (Actions{.reply = peer.expected_ack(), .drop = Drop::SynInWindow}));
  EXPECT_EQ(peer.tcb.state, State::TimeWait);
}

TEST(Rfc6191_2, BothTimestamps_Newer_Reopened) {
  const Peer peer = time_wait(true);
  expect_reopened(peer, new_syn(peer, -50'000, true, 1));
}

TEST(Rfc6191_2, BothTimestamps_Older_Refused) {
  const Peer peer = time_wait(true);
  expect_refused(peer, new_syn(peer, 50'000, true, -1));
}

TEST(Rfc6191_2, BothTimestamps_Equal_SequenceNumberDecides) {
  const Peer peer = time_wait(true);
  expect_reopened(peer, new_syn(peer, 1, true, 0));
  expect_refused(peer, new_syn(peer, 0, true, 0));
}

TEST(Rfc6191_2, TimestampsOnlyNow_Reopened) {
  const Peer peer = time_wait(false);
  expect_reopened(peer, new_syn(peer, -50'000, true, 5));
}

TEST(Rfc6191_2, TimestampsOnlyBefore_SequenceNumberDecides) {
  const Peer peer = time_wait(true);
  expect_reopened(peer, new_syn(peer, 1, false));
  expect_refused(peer, new_syn(peer, -1, false));
}

TEST(Rfc1122_4_2_2_13, NoTimestamps_LargerSequenceNumber_Reopened) {
  const Peer peer = time_wait(false);
  expect_reopened(peer, new_syn(peer, 1, false));
  expect_refused(peer, new_syn(peer, 0, false));
}

TEST(Rfc6191_2, SynWithAckOrRst_NeverReopens) {
  for (const int more : {kAck, kRst}) {
    Peer peer = time_wait(true);
    Segment s = new_syn(peer, 5, true, 5);
    s.flags = TcpFlags(kSyn | more);
    s.ack = peer.tcb.snd.nxt;
    EXPECT_FALSE(peer.arrives(s).reopen);
    EXPECT_EQ(peer.tcb.state, State::TimeWait);
  }
}

}  // namespace
}  // namespace estab::tcp
