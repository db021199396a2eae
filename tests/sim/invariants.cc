#include "sim/invariants.h"

#include <fmt/format.h>

#include <numeric>

#include "support/tcp_invariants.h"

namespace estab::sim {
namespace {

using tcp::State;
using tcp::Tcb;

// The shell's side: the wheel knows of the deadline.
const char* broken(const stack::Record& record) {
  if (record.dirty) return "what is to be settled is settled";
  const Instant deadline = record.tcb.poll_at();
  if (deadline.is_never()) return nullptr;
  if (!record.timer.scheduled()) return "a deadline is on the wheel";
  const auto tick = static_cast<uint32_t>((deadline.ns() + 999'999) / 1'000'000);
  return static_cast<int32_t>(record.timer.tick - tick) <= 0 ? nullptr : "the wheel looks no later than the deadline";
}

// What one end believes of the other. Both are known here; what is under way lies between.
const char* broken(const Tcb& sender, const Tcb& receiver) {
  if (!is_synchronized(sender.state) || !is_synchronized(receiver.state)) return nullptr;
  if (!(sender.snd.una <= receiver.rcv.nxt)) return "what is acknowledged was received";
  if (!(receiver.rcv.nxt <= sender.snd.nxt)) return "what was received was sent";
  // A window probe's byte and a FIN may go beyond the window.
  if (!(sender.snd.nxt <= receiver.rcv.edge + 2)) return "nothing is sent beyond the window";
  return nullptr;
}

const char* went_back(End& end, const Tcb& t) {
  if (!is_synchronized(t.state)) return nullptr;
  const char* what = nullptr;
  if (end.seen) {
    if (t.snd.una < end.una) what = "SND.UNA never goes back";
    if (t.rcv.nxt < end.rcv_nxt) what = "RCV.NXT never goes back";
    if (t.rcv.edge < end.rcv_edge) what = "the window never shrinks";
  }
  end.seen = true;
  end.una = t.snd.una;
  end.rcv_nxt = t.rcv.nxt;
  end.rcv_edge = t.rcv.edge;
  return what;
}

// The state knows what the user did and was told.
const char* broken(const End& end, State state) {
  const bool peer_may_send = state == State::Established || state == State::FinWait1 || state == State::FinWait2;
  if (end.peer_closed && peer_may_send) return "a peer that has closed sends no more";
  if (end.shut && (state == State::Established || state == State::CloseWait)) return "who has closed sends no more";
  return nullptr;
}

void check_end(World& world, End& end, const stack::Record& record) {
  const char* what = tcp::broken_invariant(record.tcb);
  if (what == nullptr) what = broken(end, record.tcb.state);
  if (what == nullptr) what = broken(record);
  if (what == nullptr) what = went_back(end, record.tcb);
  if (what != nullptr) {
    world.fail(fmt::format("connection {}, end {}, in {}: not true that {}", end.connection, end.side,
                           tcp::state_name(record.tcb.state), what));
  }
}

void check_books(World& world, size_t side) {
  const stack::Stack& stack = *world.stack[side];
  const auto& by_state = stack.counters().by_state;
  const uint64_t sum = std::accumulate(by_state.begin(), by_state.end(), uint64_t{0});
  if (sum != stack.connections()) {
    world.fail(fmt::format("end {} counts {} connections by state, and has {}", side, sum, stack.connections()));
  }
  if (const auto& link = world.link[side]->counters(); link.oversized > 0)
    world.fail(fmt::format("end {}: a frame beyond the MTU", side));
}

}  // namespace

void check_invariants(World& world) {
  for (auto& ends : world.ends) {
    std::array<const stack::Record*, 2> record{};
    for (size_t side = 0; side < 2; ++side) {
      record[side] = world.record_of(ends[side]);
      if (record[side] != nullptr) check_end(world, ends[side], *record[side]);
    }
    if (record[0] == nullptr || record[1] == nullptr) continue;
    for (size_t from = 0; from < 2; ++from) {
      if (const char* what = broken(record[from]->tcb, record[1 - from]->tcb)) {
        const Tcb& sender = record[from]->tcb;
        const Tcb& receiver = record[1 - from]->tcb;
        world.fail(
            fmt::format("connection {} (port {}), from end {} in {} to {}: not true that {} (SND.UNA {}, NXT {}, WND "
                        "{}; RCV.NXT {}, edge {})",
                        ends[0].connection, record[0]->tuple.local_port.value(), from, tcp::state_name(sender.state),
                        tcp::state_name(receiver.state), what, sender.snd.una.value(), sender.snd.nxt.value(),
                        sender.snd.wnd, receiver.rcv.nxt.value(), receiver.rcv.edge.value()));
      }
    }
  }
  for (size_t side = 0; side < 2; ++side) check_books(world, side);
}

// What the wheel still holds is of records that are free: it comes up, nothing happens, and it is gone.
void let_timers_pass(World& world, size_t side) {
  stack::Stack& stack = *world.stack[side];
  const uint64_t sent = stack.counters().tx_packets;
  for (int i = 0; i < 10'000; ++i) {
    // The ARP cache looks once a second.
    const Instant next = stack.next_deadline();
    if (next >= world.now + Duration::milliseconds(999)) return;
    world.now = std::max(world.now, next);
    stack.advance(world.now);
    stack.flush();
    if (stack.counters().tx_packets != sent) return world.fail(fmt::format("end {}: a timer did something", side));
  }
  world.fail(fmt::format("end {}: a timer is left", side));
}

void check_nothing_left(World& world) {
  for (size_t side = 0; side < 2; ++side) {
    let_timers_pass(world, side);
    const stack::Stack& stack = *world.stack[side];
    if (stack.connections() != 0) world.fail(fmt::format("end {}: {} connections are left", side, stack.connections()));
    const uint32_t mbufs = memory().pool[side].in_use();
    if (mbufs != 0) world.fail(fmt::format("end {}: {} mbufs are left", side, mbufs));
  }
}

}  // namespace estab::sim
