// Passive opens up to ESTABLISHED: half-open records while there is room, SYN cookies when there is none (RFC 4987).
#include "tcp/half_open.h"
#include "stack/stack.h"
#include "tcp/cookie.h"
#include "tcp/output.h"
#include "tcp/segment_arrives.h"
#include "tcp/timeouts.h"
#include "wire/ethernet.h"

namespace estab::stack {

void Stack::syn_arrives(buf::Mbuf& packet, const Parsed& parsed, Listener& listener, wire::Seq previous) {
  if (low_on_mbufs_) {
    ++counters_.drops[static_cast<size_t>(Drop::LowOnMbufs)];
    return;
  }
  const bool full = listener.half_open >= listener.backlog;
  if (config_.syn_cookies == SynCookies::Always || (full && config_.syn_cookies == SynCookies::Auto)) {
    answer_with_cookie(packet, parsed);
    return;
  }
  if (full) {
    ++counters_.drops[static_cast<size_t>(Drop::BacklogFull)];
    return;
  }
  const uint32_t index = half_opens_.allocate();
  if (index == flow::kNoRecord || !insert_flow(parsed.hash, index | kHalfOpenBit)) {
    ++counters_.drops[static_cast<size_t>(index == flow::kNoRecord ? Drop::NoRecord : Drop::TableFull)];
    if (index != flow::kNoRecord) half_opens_.release(index);
    return;
  }
  tcp::InitialNumbers numbers = tcp::initial_numbers(config_.secrets.isn, parsed.tuple, now_);
  // A new incarnation starts beyond the sequence numbers of the old (RFC 1122 §4.2.2.13).
  if (previous != wire::Seq(0) && numbers.isn <= previous) numbers.isn = previous + 64000;
  HalfOpenRecord& half = half_opens_[index];
  half.in_use = true;
  half.tuple = parsed.tuple;
  half.next_hop = wire::ethernet_source(packet.data());
  half.handshake = tcp::answer_syn(numbers, parsed.segment, context());
  ++listener.half_open;
  ++counters_.by_state[static_cast<size_t>(tcp::State::SynReceived)];
  wheel_.ensure(index | kHalfOpenBit, (now_ + config_.tcp.initial_rto).ms_up());
  reply_to(packet, parsed, tcp::syn_ack(half.handshake, context()));
}

void Stack::answer_with_cookie(buf::Mbuf& packet, const Parsed& parsed) {
  const tcp::Segment& syn = parsed.segment;
  const uint16_t offered = syn.options.has_mss ? syn.options.mss : tcp::kDefaultMss;
  const wire::Seq cookie =
      tcp::make_cookie(config_.secrets.cookie, parsed.tuple, syn.seq, std::min(offered, config_.tcp.mss), cookie_now());
  uint32_t ts_offset = 0;
  if (syn.options.has_timestamps) ts_offset = tcp::initial_numbers(config_.secrets.isn, parsed.tuple, now_).ts_offset;
  const tcp::Emission reply = tcp::answer_with_cookie(cookie, ts_offset, syn, context());
  ++counters_.cookies_sent;
  cookies_until_ = now_ + Duration::seconds(120);
  reply_to(packet, parsed, reply);
}

// An ACK to a listening port without a connection: the third of a handshake whose SYN was answered with a cookie?
// Then the MSS that it carries.
std::optional<uint16_t> Stack::mss_of_cookie(const Parsed& parsed) {
  const tcp::Segment& ack = parsed.segment;
  const bool given_out = now_ <= cookies_until_ || config_.shared_cookie_clock;
  if (!given_out || !ack.flags.ack() || ack.flags.syn() || ack.flags.rst()) return std::nullopt;
  const auto mss = tcp::check_cookie(config_.secrets.cookie, parsed.tuple, ack.seq - 1, ack.ack - 1, cookie_now());
  if (!mss) ++counters_.cookies_refused;
  return mss;
}

// The connection as if it had been there all along. Null where there is no room: the client will say it again.
Record* Stack::connection_from_cookie(const Parsed& parsed, Listener& listener, uint16_t mss) {
  if (low_on_mbufs_) {
    ++counters_.drops[static_cast<size_t>(Drop::LowOnMbufs)];
    return nullptr;
  }
  Record* record = allocate(parsed.tuple, parsed.hash);
  if (record == nullptr) return nullptr;
  const tcp::Segment& ack = parsed.segment;
  tcp::Segment syn;
  syn.seq = ack.seq - 1;
  syn.flags = wire::TcpFlags(wire::TcpFlags::kSyn);
  if (ack.options.has_timestamps) syn.options = tcp::options_from_timestamp(ack.options.ts_echo);
  syn.options.ts_value = ack.options.ts_value;
  syn.options.has_mss = true;
  syn.options.mss = mss;
  // Our timestamps go on after the one that is echoed, whoever sent it.
  const uint32_t ts_offset = tcp::timestamp_after(ack.options.ts_echo) - static_cast<uint32_t>(now_.ms());
  tcp::HalfOpen handshake = tcp::answer_syn({ack.ack - 1, ts_offset}, syn, context());
  handshake.timing = false;  // nobody knows when the SYN-ACK went out
  tcp::expand(handshake, context(), record->tcb);
  record->handler = listener.handler;
  ++counters_.cookies_accepted;
  ++counters_.by_state[static_cast<size_t>(record->tcb.state)];
  return record;
}

// There is one state machine: what does not complete the handshake in the usual way is tried on a copy of the TCB that
// the record stands for, and where that is established, done.
void Stack::segment_in_half_open(uint32_t index, buf::Mbuf& packet, const Parsed& parsed) {
  HalfOpenRecord& half = half_opens_[index];
  if (!tcp::completes(half.handshake, parsed.segment)) {
    tcp::Tcb tcb;
    tcp::expand(half.handshake, context(), tcb);
    tcp::Actions actions = tcp::segment_arrives(tcb, parsed.segment, context());
    if (!actions.established) {
      count_drop(actions, parsed.segment);
      if (tcb.state != tcp::State::SynReceived) {
        release_half_open(index);
        return;
      }
      half.handshake = tcp::half_open(tcb);
      if (actions.reply) reply_to(packet, parsed, actions.reply);
      return;
    }
  }
  const tcp::HalfOpen handshake = half.handshake;
  Record* record = promote(index, parsed);
  if (record == nullptr) {  // it stays half-open; the peer sends again
    ++counters_.drops[static_cast<size_t>(Drop::NoRecord)];
    return;
  }
  if (record->handler == nullptr) [[unlikely]] {  // nobody listens any more
    tcp::expand(handshake, context(), record->tcb);
    abort(id_of(*record));
  } else if (tcp::completes_plainly(handshake, parsed.segment)) [[likely]] {
    tcp::establish(handshake, parsed.segment, context(), record->tcb);
    count_state(tcp::State::SynReceived, tcp::State::Established);
    record->next_hop = wire::ethernet_source(packet.data());
    established(*record);
    settle(*record, packet);
  } else {
    tcp::expand(handshake, context(), record->tcb);
    segment_arrives(*record, packet, parsed);
  }
}

// A record of its own for the connection, whose TCB is still to be filled in. Null when there is none left.
Record* Stack::promote(uint32_t index, const Parsed& parsed) {
  const uint32_t full = records_.allocate();
  if (full == flow::kNoRecord) return nullptr;
  const HalfOpenRecord& half = half_opens_[index];
  Record& record = reset_record(full, parsed.tuple, parsed.hash);
  Listener& listener = listeners_.at(parsed.tuple.local_port);
  record.handler = listener.handler;
  record.next_hop = half.next_hop;
  table_.replace(parsed.hash, index | kHalfOpenBit, full);
  free_half_open(index, listener);
  return &record;
}

void Stack::expire_half_open(uint32_t index) {
  HalfOpenRecord& half = half_opens_[index];
  if (!half.in_use) return;
  if (const auto left = static_cast<int32_t>(half.handshake.retransmit_at_ms - static_cast<uint32_t>(now_.ms()));
      left > 0) {
    wheel_.ensure(index | kHalfOpenBit, now_.ms() + static_cast<uint32_t>(left));
    return;
  }
  tcp::Tcb tcb;
  tcp::expand(half.handshake, context(), tcb);
  const tcp::Actions actions = tcp::timeout(tcb, context());
  if (actions.closed) {
    release_half_open(index);
    return;
  }
  if (actions.output) {
    const tcp::Emission syn_ack = tcp::next_segment(tcb, context());
    buf::Mbuf none;
    transmitter_.send({half.tuple, half.next_hop}, syn_ack, none);
  }
  half.handshake = tcp::half_open(tcb);
  wheel_.ensure(index | kHalfOpenBit, tcb.retransmit_at.ms_up());
}

void Stack::free_half_open(uint32_t index, Listener& listener) {
  --listener.half_open;
  half_opens_[index].in_use = false;
  half_opens_.release(index);
}

void Stack::release_half_open(uint32_t index) {
  table_.erase(hash_of(half_opens_[index].tuple), index | kHalfOpenBit);
  --counters_.by_state[static_cast<size_t>(tcp::State::SynReceived)];
  free_half_open(index, listeners_.at(half_opens_[index].tuple.local_port));
}

}  // namespace estab::stack
