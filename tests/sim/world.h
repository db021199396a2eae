// What the parts of one run share.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "sim/run.h"

namespace estab::sim {

// A user's end of one connection: what it has done, and what came of it.
struct End {
  size_t connection = 0;
  size_t side = 0;
  UserPlan plan;
  stack::ConnectionId id;
  wire::Port port, peer_port;  // of the one that opened
  bool opened = false;         // connect() took it, or it was accepted
  bool established = false;
  bool peer_closed = false;
  bool over = false;                    // on_close came
  tcp::Error error = tcp::Error::None;  // with `over`
  uint64_t queued = 0;                  // bytes that send() took
  uint64_t received = 0;                // bytes that the user took
  uint64_t delivered = 0;               // with `over`: received, and what the user had not taken by then
  bool reading = true;
  bool shut = false;     // its sending half
  bool closed = false;   // by close()
  bool aborted = false;  // by abort(), or by close() with text unread
  int alone = 0;         // looks at which the peer had not accepted it
  // As they were after the last turn: they never go back.
  wire::Seq una, rcv_nxt, rcv_edge;
  bool seen = false;
};

struct World {
  explicit World(const Scenario& s) : scenario(s), now(s.start) {}

  const Scenario& scenario;
  Instant now;
  std::multimap<Instant, std::function<void()>> events;  // those for the same instant stay in order
  std::deque<std::array<End, 2>> ends;                   // by connection
  std::array<std::unique_ptr<device::ImpairedLink>, 2> link;
  std::array<std::unique_ptr<stack::Stack>, 2> stack;
  bool healed = false;
  size_t to_open = 0;        // connections that are still to be opened
  uint64_t progress = 0;     // moves whenever something happened for a user
  uint64_t closes = 0;       // on_close calls, and ...
  uint64_t establishes = 0;  // ... on_established calls, to compare with what the stacks counted
  uint64_t ghosts = 0;
  std::string failure;  // the first one

  void fail(const std::string& what) {
    if (failure.empty()) failure = what;
  }
  void after(Duration span, std::function<void()> what) { events.emplace(now + span, std::move(what)); }
  const End& peer_of(const End& end) const { return ends[end.connection][1 - end.side]; }
  const stack::Record* record_of(const End& end) const {
    return end.opened && !end.over ? stack[end.side]->find(end.id) : nullptr;
  }
  // Bytes that reached this end in order, whether or not its user has taken them.
  uint64_t delivered_to(const End& end) const {
    if (end.over) return end.delivered;
    const stack::Record* record = record_of(end);
    return end.received + (record == nullptr ? 0 : record->tcb.rcv.queued);
  }
  bool used_cookies(size_t side) const { return stack[side]->counters().cookies_sent > 0; }
};

}  // namespace estab::sim
