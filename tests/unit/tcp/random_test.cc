// What nobody thought of: random segments into one TCB, and random users on both ends of a bad link. The invariants
// hold after every event, nothing answers for ever, and once the link is good again every connection comes to its end.
#include <gtest/gtest.h>

#include "support/tcp_invariants.h"
#include "support/tcp_link.h"
#include "support/tcp_peer.h"

namespace estab::tcp {
namespace {

void check(const Tcb& t) {
  const char* const broken = broken_invariant(t);
  ASSERT_EQ(broken, nullptr) << state_name(t.state) << ": not true that " << broken;
  if (t.state == State::Closed || t.state == State::Listen) return;
  ASSERT_LE(t.rcv.queued, 2'000'000u);
  ASSERT_GE(t.rtt.rto(), Duration::milliseconds(200));
  ASSERT_LE(t.rtt.rto(), Duration::seconds(60));
  if (!is_synchronized(t.state)) return;
  ASSERT_LE(t.snd.una - t.iss, 10'000'000);
}

// Mostly what a peer could send, sometimes what only an attacker would; few RSTs, so that connections live long.
Segment random_segment(const Peer& peer, Random& random) {
  const Tcb& t = peer.tcb;
  const uint32_t wild = random.below(20);
  Segment s = peer.segment(wild == 0 ? static_cast<int>(random.below(256)) & ~kRst : kAck);
  if (random.below(8) == 0) s.flags = TcpFlags(s.flags.bits() | kFin);
  if (random.below(60) == 0) s.flags = TcpFlags(s.flags.bits() | kSyn);
  if (random.below(500) == 0) s.flags = TcpFlags(kRst);
  if (random.below(2) == 0) s.text = random.below(1'500);
  s.seq = t.rcv.nxt + random.below(3) * 700 - random.below(3) * 700;
  s.ack = t.snd.una + random.below(static_cast<uint32_t>(t.snd.nxt - t.snd.una) + 1);
  if (wild == 1) s.seq = Seq(static_cast<uint32_t>(random.next()));
  if (wild == 2) s.ack = Seq(static_cast<uint32_t>(random.next()));
  if (wild == 3) s.seq = t.rcv.edge - random.below(3) + 1;
  s.window = random.below(4) == 0 ? uint16_t{0} : static_cast<uint16_t>(random.next());
  s.options.ts_value = peer.ts_clock + random.below(100) - 5;
  if (wild == 4) s.options.has_timestamps = !s.options.has_timestamps;
  return s;
}

void one_event(Peer& peer, Random& random) {
  switch (random.below(8)) {
    case 0:
      (void)send(peer.tcb, random.below(5'000));
      break;
    case 1:
      receive(peer.tcb, random.below(20'000), peer.context());
      break;
    case 2:
      if (random.below(20) == 0) peer.shuts_down();
      break;
    case 3:
      if (random.below(40) == 0) peer.closes();
      break;
    case 4:
      peer.advance(Duration::milliseconds(random.below(3'000)));
      break;
    default:
      segment_arrives(peer.tcb, random_segment(peer, random), peer.context());
      break;
  }
}

TEST(RandomSegments, EveryStart_InvariantsHoldAndOutputEnds) {
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Parameters p = plain_parameters();
    p.timestamps = seed % 2 == 0;
    Peer peer(p);
    peer.syn_options.has_timestamps = p.timestamps;
    peer.iss = Seq(static_cast<uint32_t>(random.next()));
    peer.irs = peer.seq = Seq(static_cast<uint32_t>(random.next()));
    peer.reach(static_cast<State>(2 + seed % 9));
    for (int i = 0; i < 300 && peer.tcb.state != State::Closed; ++i) {
      one_event(peer, random);
      ASSERT_LT(peer.drain().size(), 2'000u);
      check(peer.tcb);
      if (HasFatalFailure()) return;
    }
  }
}

struct Users {
  std::string sent[2];
  bool done[2] = {false, false};
};

void user_acts(Link& link, Users& users, int at, Random& random) {
  Host& h = link.host[at];
  if (h.closed) return;
  const State state = h.tcb.state;
  const bool may_send = !users.done[at] && (state == State::Established || state == State::CloseWait);
  switch (random.below(6)) {
    case 0:
    case 1:
      if (may_send) {
        const std::string text = pattern(1 + random.below(4'000), random.next());
        users.sent[at] += text;
        link.send_text(at, text);
      }
      break;
    case 2:
      h.reads = random.below(3) != 0;
      if (h.reads) link.read_all(at);
      break;
    case 3:
      if (may_send && random.below(12) == 0) {
        users.done[at] = true;
        link.shutdown(at);
      }
      break;
    default:
      break;
  }
}

TEST(RandomUsers, BadLinkThenGoodLink_EveryByteAndBothClosed) {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Parameters p;
    p.receive_buffer = 1'000 + random.below(30'000);
    p.window_scale = static_cast<uint8_t>(random.below(4));
    p.timestamps = random.below(2) == 0;
    p.nagle = random.below(2) == 0;
    p.data_retries = 30;  // the impairment is not to end it
    Link link(p);
    link.fate = impaired(seed, 0.1, 0.1, 0.3);
    link.open({Seq(static_cast<uint32_t>(random.next())), static_cast<uint32_t>(random.next())},
              {Seq(static_cast<uint32_t>(random.next())), static_cast<uint32_t>(random.next())});
    Users users;
    for (int i = 0; i < 150; ++i) {
      link.run_for(Duration::milliseconds(random.below(200)));
      for (int at = 0; at < 2; ++at) user_acts(link, users, at, random);
    }
    link.fate = [](const Packet&) { return Fate{}; };
    ASSERT_TRUE(link.run_until([&] { return link.host[0].established && link.host[1].established; }));
    for (int at = 0; at < 2; ++at) {
      link.host[at].reads = true;
      link.read_all(at);
      if (!users.done[at]) link.shutdown(at);
    }
    const int before = link.delivered;
    ASSERT_TRUE(link.run_until([&] { return link.host[0].closed && link.host[1].closed; }))
        << state_name(link.host[0].tcb.state) << " " << state_name(link.host[1].tcb.state);
    EXPECT_LT(link.delivered - before, 2'000);
    EXPECT_TRUE(link.host[1].received == users.sent[0]);
    EXPECT_TRUE(link.host[0].received == users.sent[1]);
    EXPECT_EQ(link.host[0].error, Error::None);
    EXPECT_EQ(link.host[1].error, Error::None);
  }
}

}  // namespace
}  // namespace estab::tcp
