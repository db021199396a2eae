// How the two ends of a connection may have come to their end. TCP guarantees:
// - An orderly end says that all of one's own bytes and one's FIN arrived (checked when it is told, in users.cc), and
// with it
//   comes all that the peer sent, unless the peer failed or one gave up listening by CLOSE.
// - Everything else is an error, and each error has one of a few causes at this end, at the other, or on the way.
// It does not guarantee that both ends see the same: the last ACK or RST of a connection may be lost.
#include <fmt/format.h>

#include <algorithm>

#include "sim/invariants.h"

namespace estab::sim {
namespace {

using tcp::Error;

bool ended_in_order(const End& end) {
  return end.over && end.error == Error::None;
}

// The end is no more, or never was, and not because it was reset itself: so it answers with a RST, or has sent one.
bool may_have_reset(const World& world, const End& end) {
  if (!end.opened || !end.over) return !end.established;
  switch (end.error) {
    case Error::Aborted:
    case Error::DataAfterClose:
    case Error::TimedOut:
    case Error::Unreachable:
    case Error::Stalled:
    case Error::Refused:
      return true;
    case Error::None:  // FIN-WAIT-2 timed out, or TIME-WAIT
      return end.closed || world.peer_of(end).shut;
    case Error::Reset:  // of a connection from a SYN cookie, a late segment could have said so first
      return world.used_cookies(end.side) || world.used_cookies(1 - end.side);
  }
  return false;
}

const char* unexplained(const World& world, const ConnectionPlan& plan, const End& end, const End& peer) {
  const bool troubled = world.scenario.may_time_out;
  switch (end.error) {
    case Error::None:
      return nullptr;
    case Error::Aborted:
      if (end.shut && !end.established && end.queued > 0) return nullptr;  // closed in SYN-SENT
      return end.aborted ? nullptr : "nobody aborted it";
    case Error::DataAfterClose:
      return end.closed && peer.queued > 0 ? nullptr : "nobody closed it, or nothing was sent";
    case Error::Stalled:
      return "there is no limit";
    case Error::Unreachable:  // a forged ICMP error may say why, if it gives up
      if (world.scenario.attacks.empty()) return "nobody said so";
      return troubled ? nullptr : "nothing was so bad that it should give up";
    case Error::TimedOut:
      return troubled ? nullptr : "nothing was so bad that it should give up";
    case Error::Refused:
      return end.side == plan.opener || plan.simultaneous
                 ? (plan.port == kNobody || plan.simultaneous ? nullptr : "somebody listens there")
                 : "it did not open";
    case Error::Reset:
      return may_have_reset(world, peer) ? nullptr : "the peer did not reset it";
  }
  return "?";
}

bool orderly_user(const End& end) {
  return !end.closed && !end.aborted;
}

// The last ACKs were lost, and when the text and the FIN came again, the peer's TIME-WAIT was over: everything arrived,
// but its sender can't know.
bool time_wait_was_short(const World& world, const End& end, const End& peer) {
  return end.error == Error::Reset && ended_in_order(peer) && end.queued == peer.received &&
         peer.queued == end.delivered && world.scenario.stack[peer.side].tcp.time_wait <= Duration::seconds(10);
}

const char* wrong_pair(const World& world, const ConnectionPlan& plan, const End& a, const End& b) {
  if (ended_in_order(a) && ended_in_order(b)) {
    for (const auto& [from, to] : {std::pair(&a, &b), std::pair(&b, &a)}) {
      // Who aborts what TCP has brought to its end says that it does not want the rest.
      if (from->queued != to->received && !to->aborted) return "both ended in order, but not all bytes were received";
    }
    return nullptr;
  }
  const bool cookies = world.used_cookies(0) || world.used_cookies(1);
  const bool fair =
      !world.scenario.may_time_out && !cookies && orderly_user(a) && orderly_user(b) && plan.port != kNobody;
  // In SYN-SENT to shut down is to give up.
  const bool gave_up = (a.shut && !a.established) || (b.shut && !b.established);
  if (fair && !gave_up && !time_wait_was_short(world, a, b) && !time_wait_was_short(world, b, a)) {
    return "nothing speaks against an orderly end";
  }
  return nullptr;
}

std::string outcome(const End& end) {
  constexpr const char* kNames[] = {"in order", "Refused",        "Reset",       "TimedOut",
                                    "Aborted",  "DataAfterClose", "Unreachable", "Stalled"};
  if (!end.opened) return "not opened";
  return fmt::format(
      "{}{}{}{}{}, sent {}, received {}, told of {}", end.over ? kNames[static_cast<size_t>(end.error)] : "still there",
      end.established ? "" : ", not established", end.shut ? ", shut down" : "", end.closed ? ", closed" : "",
      end.aborted ? ", aborted" : "", end.queued, end.received, end.peer_closed ? "the peer's close" : "no close");
}

void check_connection(World& world, const std::array<End, 2>& ends) {
  const size_t planned = std::min(ends[0].connection, world.scenario.connections.size() - 1);
  ConnectionPlan plan = world.scenario.connections[planned];
  if (ends[0].connection != planned) plan = ConnectionPlan{};  // the epilogue
  const auto fail = [&](const char* what) {
    world.fail(fmt::format("connection {}: {} ({}; {})", ends[0].connection, what, outcome(ends[0]), outcome(ends[1])));
  };
  for (size_t side = 0; side < 2; ++side) {
    if (!ends[side].opened) continue;
    if (!ends[side].over) return fail("on_close did not come");
    if (const char* what = unexplained(world, plan, ends[side], ends[1 - side])) return fail(what);
  }
  if (!ends[0].opened && !ends[1].opened) return;  // no record for it
  if (const char* what = wrong_pair(world, plan, ends[0], ends[1])) fail(what);
}

}  // namespace

void check_outcomes(World& world) {
  for (const auto& ends : world.ends) check_connection(world, ends);
  uint64_t closes = 0, establishes = 0;
  for (const auto& stack : world.stack) {
    const stack::Counters& counters = stack->counters();
    closes += counters.closed;
    for (const uint64_t failed : counters.failed) closes += failed;
    establishes += counters.connected + counters.accepted;
  }
  if (closes != world.closes) world.fail(fmt::format("{} ends counted, {} told", closes, world.closes));
  if (establishes != world.establishes)
    world.fail(fmt::format("{} established counted, {} told", establishes, world.establishes));
}

}  // namespace estab::sim
