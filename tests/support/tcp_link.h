// Two TCBs against each other under a virtual clock, each with the least shell that works: byte queues as strings, a
// reassembly queue, and a link that loses, duplicates and delays as the test says. Every event is followed by a check
// of the invariants.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/random.h"
#include "support/tcp_print.h"
#include "tcp/output.h"
#include "tcp/reassembly.h"
#include "tcp/segment_arrives.h"
#include "tcp/timeouts.h"
#include "tcp/user_calls.h"

namespace estab::tcp {

struct Packet {
  int to = 0;
  Segment segment;
  std::string text;
};

// What the link does with a packet.
struct Fate {
  bool lost = false;
  int copies = 1;
  Duration delay;  // on top of the link's own
};

struct Host {
  Parameters parameters;
  Tcb tcb;
  Reassembly held;
  std::map<uint32_t, std::string> held_text;  // by sequence number
  std::string send_queue;                     // from SND.UNA on
  std::string received;
  uint32_t unread = 0;
  bool reads = true;          // takes text as it comes
  bool closes_after = false;  // closes when the peer does
  bool established = false, peer_closed = false, closed = false, time_wait = false;
  Error error = Error::None;
  int sent = 0;
  int retransmitted = 0;
};

class Link {
 public:
  Instant now = Instant::from_ns(5'000'000'000);
  Host host[2];
  Duration delay = Duration::milliseconds(10);
  std::function<Fate(const Packet&)> fate = [](const Packet&) { return Fate{}; };
  int delivered = 0;

  explicit Link(const Parameters& p = {}) : Link(p, p) {}
  Link(const Parameters& a, const Parameters& b) {
    host[0].parameters = a;
    host[1].parameters = b;
  }

  // Host 0 connects to host 1.
  void open(InitialNumbers a = {Seq(1000), 0}, InitialNumbers b = {Seq(9000), 0});
  void open_simultaneously(InitialNumbers a = {Seq(1000), 0}, InitialNumbers b = {Seq(9000), 0});
  void send_text(int from, const std::string& text);
  void shutdown(int from);
  void close_fully(int from);
  void read_all(int at);

  // Plays events until `done` or until the clock has moved by `limit`. True when done.
  bool run_until(const std::function<bool()>& done, Duration limit = Duration::seconds(600));
  void run_for(Duration span) {
    run_until([] { return false; }, span);
  }
  // Nothing is under way and no timer is armed but TIME-WAIT's.
  bool quiet() const {
    return in_flight_.empty() && host[0].tcb.retransmit_at.is_never() && host[1].tcb.retransmit_at.is_never();
  }
  size_t packets_in_flight() const { return in_flight_.size(); }

 private:
  Context context(int at) const { return {now, host[at].parameters}; }
  void transmit(int from, const Emission& emission);
  void apply(int at, const Actions& actions, const Packet* packet);
  void hold(int at, const Actions& actions, const Packet& packet);
  void note(int at, const Actions& actions);
  void flush(int at);
  void deliver(int at, const std::string& text);
  void check(int at) const;
  bool step(Instant limit);

  std::multimap<Instant, Packet> in_flight_;
};

// Impairment from a seed: the same seed, the same run.
inline std::function<Fate(const Packet&)> impaired(uint64_t seed, double loss, double duplicate, double reorder) {
  return [random = Random(seed), loss, duplicate, reorder](const Packet&) mutable {
    Fate fate;
    fate.lost = random.chance(loss);
    if (random.chance(duplicate)) fate.copies = 2;
    if (random.chance(reorder)) fate.delay = Duration::milliseconds(1 + random.below(30));
    return fate;
  };
}

// Text in which every position can be told from its neighbours.
inline std::string pattern(size_t size, uint64_t seed = 1) {
  Random random(seed);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random.next() >> 56);
  return text;
}

}  // namespace estab::tcp
