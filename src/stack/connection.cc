// What becomes of a connection: tcp decides, this carries it out.
#include "stack/stack.h"
#include "tcp/output.h"
#include "tcp/segment_arrives.h"
#include "tcp/timeouts.h"
#include "tcp/user_calls.h"
#include "wire/ethernet.h"

namespace estab::stack {

void Stack::segment_for_nobody(buf::Mbuf& packet, const Parsed& parsed, wire::Seq previous) {
  const bool ours = config_.interface.is_ours(parsed.tuple.local);
  if (!ours || config_.interface.is_invalid_source(parsed.tuple.remote)) [[unlikely]] {
    ++counters_.net_drops[static_cast<size_t>(ours ? net::Drop::BadSource : net::Drop::OtherDestination)];
    return;
  }
  const tcp::Segment& segment = parsed.segment;
  Listener* listener = listeners_.find(parsed.tuple.local_port);
  const bool listening = listener != nullptr && listener->handler != nullptr;
  if (listening) {
    if (segment.flags.syn() && !segment.flags.ack() && !segment.flags.rst()) {
      syn_arrives(packet, parsed, *listener, previous);
      return;
    }
    if (const auto mss = mss_of_cookie(parsed)) {
      if (Record* record = connection_from_cookie(parsed, *listener, *mss)) segment_arrives(*record, packet, parsed);
      return;
    }
  }
  tcp::Tcb nobody;
  if (listening) nobody.state = tcp::State::Listen;
  const tcp::Actions actions = tcp::segment_arrives(nobody, segment, context());
  ++counters_.tcp_drops[static_cast<size_t>(actions.drop)];
  if (!actions.reply) return;
  if (reset_budget_.take(now_)) {
    reply_to(packet, parsed, actions.reply);
  } else {
    ++counters_.drops[static_cast<size_t>(Drop::ResetLimit)];
  }
}

// Answers that an attacker, or two ends that disagree, could ask for without end are given out of a budget: challenge
// ACKs (RFC 5961 §7), and those to segments that carry nothing and are out of the window.
void Stack::count_drop(tcp::Actions& actions, const tcp::Segment& segment) {
  if (actions.drop == tcp::Drop::None) return;
  ++counters_.tcp_drops[static_cast<size_t>(actions.drop)];
  const bool refused = actions.drop == tcp::Drop::OutOfWindow || actions.drop == tcp::Drop::OldTimestamp;
  const bool challenge = actions.drop == tcp::Drop::RstNotExact || actions.drop == tcp::Drop::SynInWindow ||
                         actions.drop == tcp::Drop::AckOutOfRange ||
                         (refused && (segment.text == 0 || segment.flags.syn()) && !segment.flags.fin());
  if (!challenge || !actions.reply || challenge_budget_.take(now_)) return;
  actions.reply = {};
  ++counters_.drops[static_cast<size_t>(Drop::ChallengeLimit)];
}

void Stack::segment_arrives(Record& record, buf::Mbuf& packet, const Parsed& parsed) {
  const tcp::State before = record.tcb.state;
  tcp::Actions actions = tcp::segment_arrives(record.tcb, parsed.segment, context());
  if (actions.drop != tcp::Drop::None) [[unlikely]] {
    count_drop(actions, parsed.segment);
  } else {
    // An acceptable segment says by which hop its sender is reached now.
    record.next_hop = wire::ethernet_source(packet.data());
  }
  count_state(before, record.tcb.state);
  // The old incarnation's user has text to take yet; the SYN comes again.
  if (actions.reopen) [[unlikely]]
    return;
  apply(record, actions, packet, &parsed);
  // With text the answer waits for the end of the burst, so that one ACK answers all of it (RFC 9293 MUST-59).
  if (!record.dirty) settle(record, packet);
}

void Stack::apply(Record& record, const tcp::Actions& actions, buf::Mbuf& packet, const Parsed* parsed) {
  if (actions.reply) {
    buf::Mbuf none;
    transmit(record, actions.reply, actions.text != tcp::Text::None ? none : packet);
  }
  if (actions.acked > 0) text_acknowledged(record, actions.acked);
  if (actions.established) established(record);
  if (actions.peer_closed) record.news |= kNewsFin;
  if (actions.closed || actions.time_wait) {
    record.news |= kNewsClose;
    record.error = actions.error;
  }
  if (actions.text != tcp::Text::None && parsed != nullptr) {
    if (actions.text == tcp::Text::Deliver) {
      queue_text(record, actions, std::move(packet), *parsed);
    } else {
      hold_text(record, actions, std::move(packet), *parsed);
    }
    mark_dirty(record);
  }
}

void Stack::established(Record& record) {
  record.news |= kNewsEstablished;
  ++(record.active ? counters_.connected : counters_.accepted);
  record.announced = true;
}

void Stack::text_acknowledged(Record& record, uint32_t bytes) {
  record.queues->send.pop(bytes);
  drop_idle_queues(record);
  if (record.wants_room && record.tcb.send_queue() <= config_.send_buffer / 2) {
    record.wants_room = false;
    record.news |= kNewsRoom;
  }
}

void Stack::queue_text(Record& record, const tcp::Actions& actions, buf::Mbuf packet, const Parsed& parsed) {
  packet.keep(parsed.text_offset + actions.text_offset, actions.text_length);
  queues_of(record).receive.push_compact(std::move(packet));
  record.news |= kNewsText;
}

// Keeps what nothing covers yet, and takes over all that now continues RCV.NXT.
void Stack::hold_text(Record& record, const tcp::Actions& actions, buf::Mbuf packet, const Parsed& parsed) {
  if (record.reassembly() == nullptr) {
    const uint32_t index = reassemblies_.allocate();
    if (index == flow::kNoRecord) {
      ++counters_.drops[static_cast<size_t>(Drop::HoldFull)];
      return;
    }
    queues_of(record).reassembly = &reassemblies_[index];
    record.tcb.holding = true;
  }
  tcp::Reassembly& held = *record.reassembly();
  const wire::Seq base = parsed.segment.seq + (parsed.segment.flags.syn() ? 1 : 0);
  const wire::Seq begin = base + actions.text_offset;
  const wire::Seq end = begin + actions.text_length;
  if (actions.hold_fin) held.set_fin(end);
  for (wire::Seq from = begin; from < end;) {
    from = later(from, record.tcb.rcv.nxt);  // what was held and then taken is covered too
    const auto gap = held.first_gap(from, end);
    if (!gap) break;
    from = gap->end;
    buf::Mbuf piece = pool_.reference(packet.get(), parsed.text_offset + static_cast<uint32_t>(gap->begin - base),
                                      static_cast<uint32_t>(gap->end - gap->begin));
    if (!piece) {
      ++counters_.drops[static_cast<size_t>(Drop::NoMbuf)];
      break;
    }
    if (gap->begin == record.tcb.rcv.nxt) {  // in order: never refused, however much is held
      take_text(record, std::move(piece));
      take_held(record);
    } else if (held_ < held_limit_ && held.insert({gap->begin, gap->end, piece.get()})) {
      static_cast<void>(piece.release());
      ++held_;
    } else {
      ++counters_.drops[static_cast<size_t>(Drop::HoldFull)];
      break;
    }
  }
  take_held(record);
  if (held.empty()) drop_reassembly(record);
}

// Text that continues RCV.NXT, and the FIN behind it if that is held.
void Stack::take_text(Record& record, buf::Mbuf text) {
  const uint32_t length = text ? text.length() : 0;
  Queues& queues = queues_of(record);
  const bool fin = queues.reassembly->fin_at(record.tcb.rcv.nxt + length);
  if (text) {
    queues.receive.push_compact(std::move(text));
    record.news |= kNewsText;
  }
  if (fin) queues.reassembly->clear_fin();
  const tcp::State before = record.tcb.state;
  const tcp::Actions actions = tcp::assemble(record.tcb, length, fin, context());
  count_state(before, record.tcb.state);
  buf::Mbuf none;
  apply(record, actions, none, nullptr);
}

void Stack::take_held(Record& record) {
  tcp::Reassembly& held = *record.queues->reassembly;
  while (const auto piece = held.pop(record.tcb.rcv.nxt)) {
    --held_;
    take_text(record, buf::Mbuf(static_cast<rte_mbuf*>(piece->token)));
  }
  if (held.fin_at(record.tcb.rcv.nxt)) take_text(record, {});
}

void Stack::mark_dirty(Record& record) {
  if (record.dirty || settling_ == &record) return;
  record.dirty = true;
  dirty_.push_back(index_of(record));
}

void Stack::settle_dirty() {
  for (size_t i = 0; i < dirty_.size(); ++i) {  // callbacks may add to the list
    Record& record = records_[dirty_[i]];
    if (!record.dirty) continue;
    record.dirty = false;
    buf::Mbuf none;
    settle(record, none);
  }
  dirty_.clear();
}

// Tells the handler what happened, sends what there is to send, and lets go of what has ended.
void Stack::settle(Record& record, buf::Mbuf& carrier) {
  const Record* outer = std::exchange(settling_, &record);
  if ((record.news & ~kNewsClose) != 0 && record.handler != nullptr) tell(record);
  if (record.tcb.state != tcp::State::Closed) send_output(record, carrier);
  settling_ = outer;
  // After an end in order the user may still have text to take; the end is told when it has, or when it closes.
  const bool unread = record.error == tcp::Error::None && record.has_text() && !record.tcb.receive_closed;
  if ((record.news & kNewsClose) != 0 && !unread) {
    finish(record);
  } else {
    rearm(record);
  }
}

void Stack::tell(Record& record) {
  const uint8_t news = record.news;
  record.news = news & kNewsClose;
  Handler* handler = record.handler;
  const ConnectionId id = id_of(record);
  const bool reset = (news & kNewsClose) != 0 && record.error == tcp::Error::Reset;
  if ((news & kNewsEstablished) != 0) handler->on_established(id);
  if ((news & kNewsText) != 0 && !reset) handler->on_text(id);
  if ((news & kNewsRoom) != 0 && (record.news & kNewsClose) == 0) handler->on_sendable(id);
  if ((news & kNewsFin) != 0 && !reset) handler->on_peer_close(id);
}

void Stack::send_output(Record& record, buf::Mbuf& carrier) {
  while (tcp::may_have_output(record.tcb)) {
    const tcp::Emission emission = tcp::next_segment(record.tcb, context());
    if (!emission) return;
    transmit(record, emission, carrier);
  }
}

// The connection is over for its user.
void Stack::finish(Record& record) {
  record.news = 0;
  if (record.announced) {
    if (record.error == tcp::Error::None) {
      ++counters_.closed;
    } else {
      ++counters_.failed[static_cast<size_t>(record.error)];
    }
    if (Handler* handler = std::exchange(record.handler, nullptr)) handler->on_close(id_of(record), record.error);
  }
  if (record.tcb.state == tcp::State::TimeWait) {
    enter_time_wait(record);
  } else {
    release(record);
  }
}

void Stack::rearm(Record& record) {
  const Instant deadline = record.tcb.poll_at();
  if (deadline.is_never()) return;  // an entry that is there expires once, for nothing
  wheel_.ensure(index_of(record), deadline.ms_up());
}

// An entry of the wheel came up. It may be too early, or of a record that is free: freeing one leaves its entry where
// it is, since taking it out would touch its neighbours in the list, records of strangers that are in no cache.
void Stack::expire(uint32_t index) {
  if ((index & kTimeWaitBit) != 0) return expire_time_wait(index & ~kTimeWaitBit);
  if ((index & kHalfOpenBit) != 0) return expire_half_open(index & ~kHalfOpenBit);
  Record& record = records_[index];
  if ((record.generation & 1) == 0) return;
  if (record.tcb.poll_at() > now_) {
    rearm(record);
    return;
  }
  const tcp::State before = record.tcb.state;
  const tcp::Actions actions = tcp::timeout(record.tcb, context());
  count_state(before, record.tcb.state);
  if (actions.reply && !actions.closed) ++counters_.keepalives_sent;
  // The hop may have changed its address while nothing came back.
  if (actions.retransmitted && record.tcb.retries > 2) record.next_hop = {};
  buf::Mbuf none;
  apply(record, actions, none, nullptr);
  settle(record, none);
}

void Stack::look_at_mbufs() {
  if (now_.ms() == mbufs_looked_ms_) return;
  mbufs_looked_ms_ = now_.ms();
  low_on_mbufs_ = pool_.available() < (pool_.size() - mbufs_at_first_) / 16;
}

void Stack::advance(Instant now) {
  now_ = now;
  look_at_mbufs();
  wheel_.advance(now.ms(), [this](uint32_t index) { expire(index); });
  if (neighbors_.size() > 0) {
    const size_t dropped = neighbors_.advance(now, [this](wire::Ipv4Address address) { ask_arp(address); });
    counters_.drops[static_cast<size_t>(Drop::Unreachable)] += dropped;
  }
  settle_dirty();
}

// In the carrier, where it may be rewritten; what was written in it is sent and it is empty.
void Stack::transmit(Record& record, const tcp::Emission& emission, buf::Mbuf& carrier) {
  if (record.next_hop.is_zero()) [[unlikely]]
    return transmit_by_arp(record, emission, carrier);
  transmitter_.send(route_of(record), emission, carrier);
}

Transmitter::Route Stack::route_of(const Record& record) {
  Transmitter::Route route{record.tuple, record.next_hop};
  if (record.queues != nullptr) {
    route.text = &record.queues->send;
    if (record.tcb.sack) route.held = record.queues->reassembly;
  }
  return route;
}

void Stack::transmit_by_arp(Record& record, const tcp::Emission& emission, buf::Mbuf& carrier) {
  const auto hop = config_.interface.next_hop(record.tuple.remote);
  if (!hop) {
    ++counters_.drops[static_cast<size_t>(Drop::Unreachable)];
    return;
  }
  bool ask = false;
  if (const auto* mac = neighbors_.find(*hop, now_, ask)) {
    record.next_hop = *mac;
    transmitter_.send(route_of(record), emission, carrier);
  } else if (buf::Mbuf packet = transmitter_.build(route_of(record), emission, carrier)) {
    if (!neighbors_.hold(*hop, std::move(packet), now_, ask))
      ++counters_.drops[static_cast<size_t>(Drop::NeighborsFull)];
  }
  if (ask) ask_arp(*hop);
}

}  // namespace estab::stack
