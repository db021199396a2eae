// Passive opens up to ESTABLISHED: half-open records while there is room, SYN cookies when there is none (RFC 4987).
#include "stack/stack.h"
#include "tcp/cookie.h"
#include "tcp/output.h"
#include "tcp/segment_arrives.h"
#include "tcp/timeouts.h"
#include "tcp/user_calls.h"
#include "wire/ethernet.h"

namespace estab::stack {

void Stack::syn_arrives(buf::Mbuf packet, const Parsed& parsed, Listener& listener, wire::Seq previous) {
  if (low_on_mbufs_) {
    ++counters_.drops[static_cast<size_t>(Drop::LowOnMbufs)];
    return;
  }
  const bool full = listener.half_open >= listener.backlog;
  if (config_.syn_cookies == SynCookies::Always || (full && config_.syn_cookies == SynCookies::Auto)) {
    answer_with_cookie(std::move(packet), parsed);
    return;
  }
  if (full) {
    ++counters_.drops[static_cast<size_t>(Drop::BacklogFull)];
    return;
  }
  const uint32_t index = half_opens_.allocate();
  if (index == flow::kNoRecord || !table_.insert(parsed.hash, index | kHalfOpenBit)) {
    ++counters_.drops[static_cast<size_t>(index == flow::kNoRecord ? Drop::NoRecord : Drop::TableFull)];
    if (index != flow::kNoRecord) half_opens_.release(index);
    return;
  }
  tcp::InitialNumbers numbers = tcp::initial_numbers(config_.secrets.isn, parsed.tuple, now_);
  // A new incarnation starts beyond the sequence numbers of the old (RFC 1122 §4.2.2.13).
  if (previous != wire::Seq(0) && numbers.isn <= previous) numbers.isn = previous + 64000;
  tcp::Tcb tcb = tcp::open_passive(numbers, config_.tcp);
  const tcp::Actions actions = tcp::segment_arrives(tcb, parsed.segment, context());
  HalfOpenRecord& half = half_opens_[index];
  timer::renew(half);
  half.in_use = true;
  half.tuple = parsed.tuple;
  half.next_hop = wire::ethernet_source(packet.data());
  half.take(tcb);
  ++listener.half_open;
  ++counters_.by_state[static_cast<size_t>(tcp::State::SynReceived)];
  wheel_.ensure(index | kHalfOpenBit, tcb.retransmit_at.ms_up());
  reply_to(std::move(packet), parsed, actions.reply);
}

void Stack::answer_with_cookie(buf::Mbuf packet, const Parsed& parsed) {
  const tcp::Segment& syn = parsed.segment;
  const uint16_t offered = syn.options.has_mss ? syn.options.mss : tcp::kDefaultMss;
  tcp::InitialNumbers numbers;
  if (syn.options.has_timestamps) numbers = tcp::initial_numbers(config_.secrets.isn, parsed.tuple, now_);
  numbers.isn =
      tcp::make_cookie(config_.secrets.cookie, parsed.tuple, syn.seq, std::min(offered, config_.tcp.mss), cookie_now());
  tcp::Tcb tcb = tcp::open_passive(numbers, config_.tcp);
  tcp::Actions actions = tcp::segment_arrives(tcb, syn, context());
  if (actions.reply.has_timestamps) {
    actions.reply.ts_value = tcp::timestamp_with_options(actions.reply.ts_value, syn.options);
  } else {  // nowhere to remember them
    actions.reply.has_window_scale = false;
    actions.reply.sack_permitted = false;
  }
  ++counters_.cookies_sent;
  cookies_until_ = now_ + Duration::seconds(120);
  reply_to(std::move(packet), parsed, actions.reply);
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
  record->tcb = tcp::open_passive({ack.ack - 1, ts_offset}, config_.tcp);
  tcp::segment_arrives(record->tcb, syn, context());
  record->tcb.rtt_timing = false;  // nobody knows when the SYN-ACK went out
  record->handler = listener.handler;
  ++counters_.cookies_accepted;
  ++counters_.by_state[static_cast<size_t>(record->tcb.state)];
  return record;
}

void Stack::segment_in_half_open(uint32_t index, buf::Mbuf packet, const Parsed& parsed) {
  HalfOpenRecord& half = half_opens_[index];
  tcp::Tcb tcb = half.expand(context());
  tcp::Actions actions = tcp::segment_arrives(tcb, parsed.segment, context());
  count_drop(actions, parsed.segment);
  if (tcb.state == tcp::State::SynReceived) {
    half.take(tcb);
    if (actions.reply) reply_to(std::move(packet), parsed, actions.reply);
    return;
  }
  if (actions.closed && !actions.established) {
    release_half_open(index);
    return;
  }
  const Listener& listener = listeners_.at(half.tuple.local_port);
  const uint32_t full = records_.allocate();
  if (full == flow::kNoRecord) {  // the record stays half-open; the peer sends again
    ++counters_.drops[static_cast<size_t>(Drop::NoRecord)];
    return;
  }
  Record& record = reset_record(full, half.tuple, parsed.hash);
  record.tcb = tcb;
  record.handler = listener.handler;
  record.next_hop = wire::ethernet_source(packet.data());
  table_.replace(parsed.hash, index | kHalfOpenBit, full);
  free_half_open(index);
  count_state(tcp::State::SynReceived, tcb.state);
  if (record.handler == nullptr) {  // nobody listens any more
    abort(id_of(record));
    return;
  }
  apply(record, actions, packet, &parsed);
  if (!record.dirty) settle(record, std::move(packet));
}

void Stack::expire_half_open(uint32_t index) {
  HalfOpenRecord& half = half_opens_[index];
  if (!half.in_use) return;
  if (const auto left = static_cast<int32_t>(half.retransmit_at_ms - static_cast<uint32_t>(now_.ms())); left > 0) {
    wheel_.ensure(index | kHalfOpenBit, now_.ms() + static_cast<uint32_t>(left));
    return;
  }
  tcp::Tcb tcb = half.expand(context());
  const tcp::Actions actions = tcp::timeout(tcb, context());
  if (actions.closed) {
    release_half_open(index);
    return;
  }
  if (actions.output) {
    const tcp::Emission syn_ack = tcp::next_segment(tcb, context());
    const Transmitter::Route route{half.tuple, config_.interface.mac, half.next_hop};
    if (buf::Mbuf packet = transmitter_.build(route, syn_ack, nullptr, nullptr, {}))
      transmitter_.send(std::move(packet));
  }
  half.take(tcb);
  wheel_.ensure(index | kHalfOpenBit, tcb.retransmit_at.ms_up());
}

void Stack::free_half_open(uint32_t index) {
  --listeners_.at(half_opens_[index].tuple.local_port).half_open;
  half_opens_[index].in_use = false;
  half_opens_.release(index);
}

void Stack::release_half_open(uint32_t index) {
  table_.erase(hash_of(half_opens_[index].tuple), index | kHalfOpenBit);
  --counters_.by_state[static_cast<size_t>(tcp::State::SynReceived)];
  free_half_open(index);
}

}  // namespace estab::stack
