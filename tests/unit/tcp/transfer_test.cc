// Whole connections: two TCBs against each other over a link that loses, doubles and reorders, every byte checked and
// the invariants of both ends after every event (support/tcp_link.cc).
#include <gtest/gtest.h>

#include "support/tcp_link.h"

namespace estab::tcp {
namespace {

Parameters small_buffers() {
  Parameters p;
  p.mss = 536;
  p.receive_buffer = 4'000;
  p.window_scale = 0;
  return p;
}

// Text both ways, closed by both ends; true when both arrived whole and both TCBs are gone.
void exchange(Link& link, size_t forth, size_t back, Duration limit = Duration::seconds(3'000)) {
  const std::string a = pattern(forth, 1), b = pattern(back, 2);
  auto& host = link.host;
  ASSERT_TRUE(link.run_until([&] { return host[0].established && host[1].established; }, limit));
  link.send_text(0, a);
  link.send_text(1, b);
  link.shutdown(0);
  host[1].closes_after = true;
  const bool done = link.run_until([&] { return host[0].closed && host[1].closed; }, limit);
  ASSERT_TRUE(done) << state_name(host[0].tcb.state) << " " << state_name(host[1].tcb.state) << " at " << link.now.ms()
                    << " ms, received " << host[1].received.size() << " and " << host[0].received.size();
  EXPECT_EQ(host[0].error, Error::None);
  EXPECT_EQ(host[1].error, Error::None);
  EXPECT_TRUE(host[1].received == a) << host[1].received.size() << " of " << a.size();
  EXPECT_TRUE(host[0].received == b) << host[0].received.size() << " of " << b.size();
}

TEST(Transfer, PerfectLink_EveryByteOnceAndNothingAgain) {
  Link link;
  link.open();
  exchange(link, 1'000'000, 300'000);
  EXPECT_EQ(link.host[0].retransmitted, 0);
  EXPECT_EQ(link.host[1].retransmitted, 0);
  EXPECT_TRUE(link.host[0].time_wait);
}

TEST(Transfer, SeveralSeeds_LossDuplicationReordering_EveryByte) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    Link link;
    link.fate = impaired(seed, 0.05, 0.05, 0.2);
    link.open();
    exchange(link, 60'000, 40'000);
  }
}

TEST(Transfer, HeavyLoss_EveryByte) {
  for (uint64_t seed = 1; seed <= 15; ++seed) {
    SCOPED_TRACE(seed);
    Link link;
    link.fate = impaired(seed, 0.25, 0.1, 0.3);
    link.open();
    exchange(link, 12'000, 12'000, Duration::seconds(20'000));
  }
}

TEST(Transfer, SequenceNumbersWrap_EveryByte) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    Link link;
    link.fate = impaired(seed, 0.03, 0.03, 0.1);
    link.open({Seq(0xffffffff - 20'000), 0}, {Seq(0xffffffff), 0});
    exchange(link, 60'000, 40'000);
  }
}

TEST(Transfer, TimestampsWrap_EveryByte) {
  Link link;
  const uint32_t until_wrap = 0u - static_cast<uint32_t>(link.now.ms()) - 100;  // 100 ms from now
  link.fate = impaired(3, 0.05, 0.05, 0.2);
  link.open({Seq(1), until_wrap}, {Seq(2), until_wrap});
  exchange(link, 60'000, 40'000);
}

TEST(Transfer, NoOptions_EveryByte) {
  Parameters p;
  p.timestamps = p.sack = false;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    Link link(p);
    link.fate = impaired(seed, 0.05, 0.05, 0.2);
    link.open();
    exchange(link, 60'000, 40'000);
  }
}

TEST(Transfer, SmallBuffersBothWays_EveryByte) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Link link(small_buffers());
    link.fate = impaired(seed, 0.05, 0.05, 0.2);
    link.open();
    exchange(link, 30'000, 30'000);
  }
}

TEST(Transfer, BufferSmallerThanASegment_EveryByte) {
  Parameters p = small_buffers();
  p.receive_buffer = 300;
  for (uint64_t seed = 0; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    Link link(p);
    if (seed > 0) link.fate = impaired(seed, 0.05, 0.05, 0.2);
    link.open();
    exchange(link, 5'000, 5'000);
  }
}

TEST(Transfer, SimultaneousOpenAndLoss_EveryByte) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    Link link;
    link.fate = impaired(seed, 0.15, 0.1, 0.2);
    link.open_simultaneously();
    exchange(link, 10'000, 10'000);
  }
}

TEST(Transfer, SendBeforeEstablished_GoesOutAfterwards) {
  Link link;
  link.open();
  link.send_text(0, "hello");
  ASSERT_TRUE(link.run_until([&] { return link.host[1].received == "hello"; }));
}

TEST(Transfer, ManySmallWrites_EveryByte) {
  Link link;
  link.fate = impaired(5, 0.05, 0.05, 0.2);
  link.open();
  link.run_until([&] { return link.host[0].established && link.host[1].established; });
  const std::string text = pattern(3'000);
  for (size_t i = 0; i < text.size(); i += 30) {
    link.send_text(0, text.substr(i, 30));
    link.run_for(Duration::milliseconds(7));
  }
  ASSERT_TRUE(link.run_until([&] { return link.host[1].received.size() == text.size(); }));
  EXPECT_TRUE(link.host[1].received == text);
  ASSERT_TRUE(link.run_until([&] { return link.quiet(); }));
}

// Both applications stop reading, both windows close, both ends probe; then they read again. No storm, and nothing
// hangs.
TEST(Transfer, BothWindowsClosed_NoStormThenGoesOn) {
  Link link(small_buffers());
  link.host[0].reads = link.host[1].reads = false;
  link.open();
  link.run_until([&] { return link.host[0].established && link.host[1].established; });
  const std::string a = pattern(10'000, 1), b = pattern(10'000, 2);
  link.send_text(0, a);
  link.send_text(1, b);
  link.run_for(Duration::seconds(5));
  EXPECT_EQ(link.host[0].tcb.snd.wnd, 0u);
  EXPECT_EQ(link.host[1].tcb.snd.wnd, 0u);
  const int before = link.delivered;
  link.run_for(Duration::seconds(300));
  EXPECT_GT(link.delivered, before) << "it must go on probing";
  EXPECT_LT(link.delivered, before + 200) << "an ACK storm";
  link.host[0].reads = true;  // only one side reads: the other direction must go on by itself
  link.read_all(0);
  ASSERT_TRUE(link.run_until([&] { return link.host[0].received.size() == b.size(); }, Duration::seconds(200)));
  link.host[1].reads = true;
  link.read_all(1);
  ASSERT_TRUE(link.run_until([&] { return link.host[1].received.size() == a.size(); }, Duration::seconds(200)));
  EXPECT_TRUE(link.host[0].received == b);
  EXPECT_TRUE(link.host[1].received == a);
}

// Both ends probed, both probes were taken after the window had opened, and nobody learned it: the updates and the ACKs
// were lost. Each then speaks from one number left of what the other expects.
TEST(Transfer, BothProbesTakenAndTheirAcksLost_NoStormAndGoesOn) {
  Link link(small_buffers());
  link.host[0].reads = link.host[1].reads = false;
  link.open();
  link.run_until([&] { return link.host[0].established && link.host[1].established; });
  const std::string a = pattern(10'000, 1), b = pattern(10'000, 2);
  link.send_text(0, a);
  link.send_text(1, b);
  link.run_for(Duration::seconds(5));
  ASSERT_EQ(link.host[0].tcb.snd.wnd + link.host[1].tcb.snd.wnd, 0u);
  link.fate = [](const Packet& packet) { return Fate{.lost = packet.text.empty()}; };
  link.host[0].reads = link.host[1].reads = true;
  link.read_all(0);
  link.read_all(1);
  link.run_until([&] { return link.host[0].received.size() == 4'001 && link.host[1].received.size() == 4'001; });
  link.fate = [](const Packet&) { return Fate{}; };
  ASSERT_TRUE(link.run_until(
      [&] { return link.host[0].received.size() == b.size() && link.host[1].received.size() == a.size(); }));
  EXPECT_LT(link.delivered, 200);
}

// Both ends filled the other's window and each lost the first segment of it: their ACKs come from the window's very
// edge.
TEST(Transfer, BothWindowsFullBothHeadsLost_NoStorm) {
  Parameters p = small_buffers();
  p.receive_buffer = 5'360;
  Link link(p);
  link.open();
  link.run_until([&] { return link.host[0].established && link.host[1].established; });
  int lost[2] = {0, 0};
  link.fate = [&](const Packet& packet) { return Fate{.lost = packet.text.size() == 536 && lost[packet.to]++ == 0}; };
  const std::string a = pattern(20'000, 1), b = pattern(20'000, 2);
  link.send_text(0, a);
  link.send_text(1, b);
  ASSERT_TRUE(link.run_until(
      [&] { return link.host[0].received.size() == b.size() && link.host[1].received.size() == a.size(); }));
  EXPECT_LT(link.delivered, 300);
}

TEST(Transfer, WindowClosedWhenTextIsQueued_GoesOutWhenItOpens) {
  Link link(small_buffers());
  link.host[1].reads = false;
  link.open();
  link.run_until([&] { return link.host[0].established && link.host[1].established; });
  link.send_text(0, pattern(4'000));
  link.run_for(Duration::seconds(1));
  ASSERT_EQ(link.host[0].tcb.snd.wnd, 0u);
  ASSERT_TRUE(link.host[0].tcb.retransmit_at.is_never());
  link.send_text(0, "more");  // into a closed window, nothing in flight
  bool update_lost = false;
  link.fate = [&](const Packet& packet) { return Fate{.lost = packet.to == 0 && !std::exchange(update_lost, true)}; };
  link.read_all(1);
  ASSERT_TRUE(link.run_until([&] { return link.host[1].received.size() == 4'004; })) << "the window update was lost";
  EXPECT_EQ(link.host[1].received.substr(4'000), "more");
}

TEST(Transfer, FinIntoClosedWindow_ArrivesWhenItOpens) {
  Link link(small_buffers());
  link.host[1].reads = false;
  link.open();
  link.run_until([&] { return link.host[0].established && link.host[1].established; });
  link.send_text(0, pattern(4'000));
  link.run_for(Duration::seconds(1));
  link.shutdown(0);
  link.run_for(Duration::seconds(100));
  EXPECT_FALSE(link.host[0].closed);
  link.read_all(1);
  ASSERT_TRUE(link.run_until([&] { return link.host[1].peer_closed; }, Duration::seconds(130)));
  EXPECT_TRUE(link.run_until([&] { return link.host[0].tcb.state == State::FinWait2; }, Duration::seconds(1)));
}

TEST(Transfer, PeerVanishes_GivesUpWithTimedOut) {
  Link link;
  link.open();
  link.run_until([&] { return link.host[0].established && link.host[1].established; });
  link.fate = [](const Packet&) { return Fate{.lost = true}; };
  link.send_text(0, "anyone?");
  ASSERT_TRUE(link.run_until([&] { return link.host[0].closed; }, Duration::seconds(3'000)));
  EXPECT_EQ(link.host[0].error, Error::TimedOut);
}

TEST(Transfer, PeerVanishesWithWindowClosed_GivesUpWithTimedOut) {
  Link link(small_buffers());
  link.host[1].reads = false;
  link.open();
  link.run_until([&] { return link.host[0].established && link.host[1].established; });
  link.send_text(0, pattern(10'000));
  link.run_for(Duration::seconds(5));
  link.fate = [](const Packet&) { return Fate{.lost = true}; };
  ASSERT_TRUE(link.run_until([&] { return link.host[0].closed; }, Duration::seconds(5'000)));
  EXPECT_EQ(link.host[0].error, Error::TimedOut);
}

}  // namespace
}  // namespace estab::tcp
