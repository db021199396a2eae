#include "support/tcp_link.h"

#include <gtest/gtest.h>

namespace estab::tcp {
namespace {

Segment received_as(const Emission& e) {
  Segment s;
  s.seq = e.seq;
  s.ack = e.ack;
  s.text = e.text;
  s.window = e.window;
  s.flags = e.flags;
  s.options.has_mss = e.mss != 0;
  s.options.mss = e.mss;
  s.options.has_window_scale = e.has_window_scale;
  s.options.window_scale = e.window_scale;
  s.options.sack_permitted = e.sack_permitted;
  s.options.has_timestamps = e.has_timestamps;
  s.options.ts_value = e.ts_value;
  s.options.ts_echo = e.ts_echo;
  return s;
}

}  // namespace

void Link::open(InitialNumbers a, InitialNumbers b) {
  host[1].tcb = open_passive(b, host[1].parameters);
  host[0].tcb = open_active(a, host[0].parameters);
  flush(0);
}

void Link::open_simultaneously(InitialNumbers a, InitialNumbers b) {
  host[0].tcb = open_active(a, host[0].parameters);
  host[1].tcb = open_active(b, host[1].parameters);
  flush(0);
  flush(1);
}

void Link::send_text(int from, const std::string& text) {
  Host& h = host[from];
  ASSERT_TRUE(send(h.tcb, static_cast<uint32_t>(text.size())));
  h.send_queue += text;
  flush(from);
}

void Link::shutdown(int from) {
  apply(from, shutdown_send(host[from].tcb, context(from)), nullptr);
}

void Link::close_fully(int from) {
  apply(from, close(host[from].tcb, host[from].unread > 0, context(from)), nullptr);
}

void Link::read_all(int at) {
  Host& h = host[at];
  const uint32_t n = std::exchange(h.unread, 0);
  if (receive(h.tcb, n, context(at))) flush(at);
}

void Link::transmit(int from, const Emission& e) {
  Host& h = host[from];
  ++h.sent;
  if (e.retransmission) ++h.retransmitted;
  Packet packet{1 - from, received_as(e), {}};
  if (e.text > 0) {
    ASSERT_LE(size_t{e.text_offset} + e.text, h.send_queue.size());
    ASSERT_LE(e.text, h.tcb.snd.mss);
    packet.text = h.send_queue.substr(e.text_offset, e.text);
  }
  const Fate f = fate(packet);
  if (f.lost) return;
  for (int i = 0; i < f.copies; ++i) in_flight_.emplace(now + delay + f.delay, packet);
}

void Link::flush(int at) {
  for (int i = 0;; ++i) {
    ASSERT_LT(i, 100'000) << "next_segment() never comes to an end";
    const Emission e = next_segment(host[at].tcb, context(at));
    if (!e) break;
    transmit(at, e);
  }
  check(at);
}

void Link::deliver(int at, const std::string& text) {
  Host& h = host[at];
  h.received += text;
  h.unread += static_cast<uint32_t>(text.size());
}

void Link::note(int at, const Actions& actions) {
  Host& h = host[at];
  h.send_queue.erase(0, actions.acked);
  h.established |= actions.established;
  h.peer_closed |= actions.peer_closed;
  h.time_wait |= actions.time_wait;
  if (actions.closed) {
    EXPECT_FALSE(h.closed);
    h.closed = true;
    h.error = actions.error;
  }
}

void Link::hold(int at, const Actions& actions, const Packet& packet) {
  Host& h = host[at];
  const Seq first = packet.segment.seq + (packet.segment.flags.syn() ? 1 : 0) + actions.text_offset;
  const Seq end = first + actions.text_length;
  Seq from = first;
  while (const auto gap = h.held.first_gap(from, end)) {
    if (!h.held.insert(*gap)) break;
    h.held_text[gap->begin.value()] = packet.text.substr(
        actions.text_offset + static_cast<uint32_t>(gap->begin - first), static_cast<uint32_t>(gap->end - gap->begin));
    from = gap->end;
  }
  if (actions.hold_fin) h.held.set_fin(end);
  std::string text;
  Seq next = h.tcb.rcv.nxt;
  while (const auto piece = h.held.pop(next)) {
    const auto found = h.held_text.find(piece->begin.value());
    ASSERT_NE(found, h.held_text.end());
    text += found->second;
    h.held_text.erase(found);
    next = piece->end;
  }
  const bool fin = h.held.fin_at(next);
  if (fin) h.held.clear_fin();
  h.tcb.holding = !h.held.empty();
  if (text.empty() && !fin) return;
  deliver(at, text);
  note(at, assemble(h.tcb, static_cast<uint32_t>(text.size()), fin, context(at)));
}

void Link::apply(int at, const Actions& actions, const Packet* packet) {
  Host& h = host[at];
  note(at, actions);
  if (actions.reply) transmit(at, actions.reply);
  if (actions.closed) return;
  if (packet != nullptr && actions.text == Text::Deliver) {
    deliver(at, packet->text.substr(actions.text_offset, actions.text_length));
  } else if (packet != nullptr && actions.text == Text::Hold) {
    hold(at, actions, *packet);
  }
  if (h.reads && h.unread > 0) read_all(at);
  if (h.peer_closed && h.closes_after) {
    h.closes_after = false;
    shutdown(at);
  }
  if (actions.output) flush(at);
  check(at);
}

bool Link::step(Instant limit) {
  Instant next = std::min(host[0].tcb.poll_at(), host[1].tcb.poll_at());
  if (!in_flight_.empty()) next = std::min(next, in_flight_.begin()->first);
  if (next > limit) return false;
  now = std::max(now, next);
  if (!in_flight_.empty() && in_flight_.begin()->first <= now) {
    const Packet packet = in_flight_.extract(in_flight_.begin()).mapped();
    ++delivered;
    const Actions actions = segment_arrives(host[packet.to].tcb, packet.segment, context(packet.to));
    apply(packet.to, actions, &packet);
    return true;
  }
  for (int at = 0; at < 2; ++at) {
    if (host[at].tcb.poll_at() <= now) apply(at, timeout(host[at].tcb, context(at)), nullptr);
  }
  return true;
}

bool Link::run_until(const std::function<bool()>& done, Duration limit) {
  const Instant end = now + limit;
  for (int i = 0; !done(); ++i) {
    EXPECT_LT(i, 3'000'000) << "the two never come to rest";
    if (i >= 3'000'000 || testing::Test::HasFatalFailure()) return false;
    if (!step(end)) {
      now = end;
      return done();
    }
  }
  return true;
}

void Link::check(int at) const {
  const Host& h = host[at];
  const Tcb& t = h.tcb;
  if (t.state == State::Closed || t.state == State::Listen) return;
  ASSERT_TRUE(t.snd.una <= t.snd.nxt);
  ASSERT_TRUE(t.snd.nxt <= t.snd.end + 1);
  ASSERT_TRUE(t.snd.rtx <= t.snd.rtx_end);
  ASSERT_TRUE(t.snd.rtx_end <= t.snd.nxt);
  ASSERT_EQ(t.send_queue(), h.send_queue.size());
  if (!is_synchronized(t.state)) {
    ASSERT_FALSE(t.retransmit_at.is_never());
    return;
  }
  ASSERT_TRUE(t.snd.una <= t.snd.rtx);
  ASSERT_TRUE(t.rcv.nxt <= t.rcv.edge);
  ASSERT_LE(t.receive_window(), std::max<uint32_t>(h.parameters.receive_buffer, UINT16_MAX));
  ASSERT_GE(t.congestion.cwnd, t.snd.mss);
  // A connection that waits for the peer needs a timer, one that does not must have none.
  const bool waits = t.snd.una != t.snd.nxt || t.snd.nxt < t.snd.end;
  ASSERT_EQ(waits && t.state != State::TimeWait, !t.retransmit_at.is_never()) << state_name(t.state);
}

}  // namespace estab::tcp
