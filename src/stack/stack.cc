#include "stack/stack.h"

#include <algorithm>

#include "tcp/output.h"
#include "tcp/user_calls.h"
#include "wire/ethernet.h"

namespace estab::stack {
namespace {

uint64_t first_bytes(const wire::MacAddress& mac) {
  std::array<uint8_t, 8> frame{};
  wire::store_mac(frame.data(), mac);
  return load_raw<uint64_t>(frame.data());
}

}  // namespace

Stack::Stack(const StackConfig& config, device::Link& link, buf::MbufPool& pool, Instant now)
    : config_(config),
      own_mac_(config.interface.promiscuous ? UINT64_MAX : first_bytes(config.interface.mac)),
      link_(link),
      pool_(pool),
      transmitter_(link, config.interface.mac, pool, counters_),
      records_(config.max_connections),
      time_waits_(config.max_connections),
      half_opens_(config.max_connections),
      flow_hash_(config.secrets.flow),
      table_(config.max_connections, uint64_t{3} * config.max_connections),  // records of three kinds
      wheel_(NodeOf{records_.data(), time_waits_.data(), half_opens_.data()}, now.ms()),
      ports_(config.secrets.port),
      queues_(config.max_connections),
      held_limit_(pool.size() / 8),
      reassemblies_(held_limit_),
      mbufs_at_first_(pool.in_use()),
      challenge_budget_(config.challenge_acks, config.secrets.port.k0),
      reset_budget_(config.stray_resets, config.secrets.port.k1),
      now_(now) {
  // A TIME-WAIT record counts milliseconds in 32 bits, and its half is 24 days.
  config_.tcp.time_wait = std::min(config_.tcp.time_wait, Duration::seconds(20 * 24 * 3600));
  dirty_.reserve(1024);
}

Stack::~Stack() {
  for (uint32_t i = 0; i < records_.touched(); ++i) {
    Record& record = records_[i];
    if ((record.generation & 1) != 0) drop_queues(record);
  }
  transmitter_.flush();
}

bool Stack::listen(wire::Port port, Handler& handler, uint32_t backlog) {
  Listener& listener = listeners_.at(port);
  if (listener.handler != nullptr) return false;
  listener.handler = &handler;
  listener.backlog = backlog;
  return true;
}

void Stack::stop_listening(wire::Port port) {
  if (Listener* listener = listeners_.find(port)) listener->handler = nullptr;
}

ConnectFailure Stack::connect(wire::Ipv4Address remote, wire::Port port, Handler& handler,
                              const ConnectOptions& options, ConnectionId& id) {
  const net::Interface& interface = config_.interface;
  // RFC 9293 MUST-46: what may not be the source of a packet cannot be talked to.
  if (interface.is_invalid_source(remote) || (options.local && !interface.is_ours(*options.local)))
    return ConnectFailure::InvalidAddress;
  const auto next_hop = interface.next_hop(remote);
  if (!next_hop) return ConnectFailure::NoRoute;
  wire::Tuple tuple{.remote = remote, .remote_port = port};
  uint64_t hash = 0;
  // The source addresses take turns; where one has no port free towards this peer, the next ones are tried.
  for (uint32_t tries = std::min(interface.addresses, 8u); tries > 0 && tuple.local_port == wire::Port(); --tries) {
    tuple.local = options.local ? *options.local : wire::Ipv4Address(interface.address.value() + next_local_);
    if (++next_local_ >= interface.addresses) next_local_ = 0;
    const auto found = ports_.allocate(tuple.local, remote, port, [&](wire::Port candidate) {
      wire::Tuple t = tuple;
      t.local_port = candidate;
      hash = hash_of(t);
      return lookup(t, hash) == flow::kNoFlow;
    });
    if (found) tuple.local_port = *found;
  }
  if (tuple.local_port == wire::Port()) return ConnectFailure::NoPort;
  Record* record = allocate(tuple, hash);
  if (record == nullptr) return ConnectFailure::NoRecord;
  record->handler = &handler;
  record->user = options.user;
  record->active = true;
  record->announced = true;
  bool ask = false;
  if (const auto* mac = neighbors_.find(*next_hop, now_, ask)) record->next_hop = *mac;
  if (ask) ask_arp(*next_hop);
  record->tcb = tcp::open_active(tcp::initial_numbers(config_.secrets.isn, tuple, now_), config_.tcp);
  record->tcb.probe_only = options.probe_only;
  ++counters_.attempted;
  ++counters_.by_state[static_cast<size_t>(record->tcb.state)];
  mark_dirty(*record);
  id = id_of(*record);
  return ConnectFailure::None;
}

uint32_t Stack::sendable(ConnectionId id) {
  Record* record = find(id);
  if (record == nullptr || record->tcb.fin_queued) return 0;
  const uint32_t queued = record->tcb.send_queue();
  if (queued >= config_.send_buffer) {
    record->wants_room = true;
    return 0;
  }
  return config_.send_buffer - queued;
}

bool Stack::send(ConnectionId id, buf::Mbuf& data) {
  Record* record = find(id);
  if (record == nullptr || !data || sendable(id) == 0) return false;
  if (data.length() == 0) {
    data.reset();
    return true;
  }
  if (!tcp::send(record->tcb, data.length())) return false;
  queues_of(*record).send.push(std::move(data));
  mark_dirty(*record);
  return true;
}

buf::Mbuf Stack::take_received(ConnectionId id) {
  Record* record = find(id);
  if (record == nullptr || !record->has_text()) return {};
  buf::Mbuf data = record->queues->receive.take_all();
  drop_idle_queues(*record);
  if (tcp::receive(record->tcb, data.length(), context()) || (record->news & kNewsClose) != 0) mark_dirty(*record);
  return data;
}

void Stack::set_keepalive(ConnectionId id, bool on) {
  Record* record = find(id);
  if (record == nullptr) return;
  tcp::set_keepalive(record->tcb, on, context());
  mark_dirty(*record);  // settling arms the timer
}

void Stack::set_nodelay(ConnectionId id, bool on) {
  Record* record = find(id);
  if (record == nullptr) return;
  record->tcb.nodelay = on;
  mark_dirty(*record);  // what Nagle held back may go
}

void Stack::shutdown_send(ConnectionId id) {
  Record* record = find(id);
  if (record == nullptr) return;
  const tcp::State before = record->tcb.state;
  const tcp::Actions actions = tcp::shutdown_send(record->tcb, context());
  count_state(before, record->tcb.state);
  if (actions.closed) {
    record->news |= kNewsClose;
    record->error = actions.error;
  }
  mark_dirty(*record);
}

void Stack::close(ConnectionId id) {
  Record* record = find(id);
  if (record == nullptr) return;
  const tcp::State before = record->tcb.state;
  const tcp::Actions actions = tcp::close(record->tcb, record->tcb.rcv.queued > 0, context());
  count_state(before, record->tcb.state);
  buf::Mbuf none;
  if (actions.reply) transmit(*record, actions.reply, none);
  if (actions.closed) {
    record->news |= kNewsClose;
    record->error = actions.error;
  }
  mark_dirty(*record);
}

void Stack::abort(ConnectionId id) {
  Record* record = find(id);
  if (record == nullptr) return;
  const tcp::State before = record->tcb.state;
  const tcp::Actions actions = tcp::abort(record->tcb);
  count_state(before, record->tcb.state);
  record->tcb.receive_closed = true;  // where all but the reading was over
  mark_dirty(*record);
  if (!actions.closed) return;
  buf::Mbuf none;
  if (actions.reply) transmit(*record, actions.reply, none);
  record->news |= kNewsClose;
  record->error = actions.error;
}

Instant Stack::next_deadline() const {
  if (!dirty_.empty()) return now_;
  const uint64_t tick = wheel_.next_tick();
  const Instant timers = tick == UINT64_MAX ? Instant::never() : Instant::from_ns(tick * 1'000'000);
  return neighbors_.size() == 0 ? timers : std::min(timers, now_ + net::Neighbors::kRetry);
}

Record* Stack::allocate(const wire::Tuple& tuple, uint64_t hash) {
  const uint32_t index = records_.allocate();
  if (index == flow::kNoRecord) {
    ++counters_.drops[static_cast<size_t>(Drop::NoRecord)];
    return nullptr;
  }
  if (!insert_flow(hash, index)) {
    records_.release(index);
    ++counters_.drops[static_cast<size_t>(Drop::TableFull)];
    return nullptr;
  }
  return &reset_record(index, tuple, hash);
}

Record& Stack::reset_record(uint32_t index, const wire::Tuple& tuple, uint64_t hash) {
  Record& record = records_[index];
  const uint32_t generation = record.generation;
  timer::renew(record);
  record.generation = generation + 1;
  record.tuple = tuple;
  record.hash = hash;
  return record;
}

void Stack::release(Record& record) {
  table_.erase(record.hash, index_of(record));
  --counters_.by_state[static_cast<size_t>(record.tcb.state)];
  free_record(record);
}

void Stack::free_record(Record& record) {
  const uint32_t index = index_of(record);
  drop_queues(record);
  ++record.generation;
  record.dirty = false;
  records_.release(index);
}

Queues& Stack::queues_of(Record& record) {
  if (record.queues == nullptr) record.queues = &queues_[queues_.allocate()];  // there is one for each record
  return *record.queues;
}

void Stack::drop_idle_queues(Record& record) {
  if (record.queues == nullptr || !record.queues->idle()) return;
  queues_.release(queues_.index_of(*std::exchange(record.queues, nullptr)));
}

void Stack::drop_queues(Record& record) {
  if (record.queues == nullptr) return;
  record.queues->send.clear();
  record.queues->receive.clear();
  drop_reassembly(record);
  drop_idle_queues(record);
}

void Stack::drop_reassembly(Record& record) {
  tcp::Reassembly* held = record.reassembly();
  if (held == nullptr) return;
  while (auto piece = held->pop_any()) {
    buf::Mbuf(static_cast<rte_mbuf*>(piece->token)).reset();
    --held_;
  }
  held->clear();
  reassemblies_.release(reassemblies_.index_of(*held));
  record.queues->reassembly = nullptr;
  record.tcb.holding = false;
}

void Stack::count_state(tcp::State before, tcp::State after) {
  if (before == after) return;
  --counters_.by_state[static_cast<size_t>(before)];
  ++counters_.by_state[static_cast<size_t>(after)];
}

}  // namespace estab::stack
