// One shared-nothing TCP endpoint: the shell around tcp's decisions. It owns the flow table, the records, the timers
// and the queues of its connections, and everything runs on its worker's thread.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "base/budget.h"
#include "base/lazy_array.h"
#include "buf/mbuf_pool.h"
#include "device/link.h"
#include "flow/flow_hash.h"
#include "flow/flow_table.h"
#include "flow/pool.h"
#include "flow/port_allocator.h"
#include "net/frame.h"
#include "net/neighbors.h"
#include "stack/counters.h"
#include "stack/half_open.h"
#include "stack/handler.h"
#include "stack/listeners.h"
#include "stack/record.h"
#include "stack/time_wait.h"
#include "stack/transmitter.h"
#include "tcp/actions.h"
#include "tcp/isn.h"
#include "wire/ethernet.h"

namespace estab::stack {

struct Secrets {
  SipKey isn;
  SipKey flow;
  SipKey port;
  SipKey cookie;
};

// When a SYN is answered without keeping anything of it (RFC 4987 §3.6).
enum class SynCookies : uint8_t { Auto, Always, Never };

struct StackConfig {
  net::Interface interface;
  tcp::Parameters tcp;
  Secrets secrets;
  uint32_t max_connections = 1 << 20;
  uint32_t send_buffer = 256 * 1024;          // bytes that send() takes before it refuses
  SynCookies syn_cookies = SynCookies::Auto;  // Auto: while a listener's backlog is full
  uint32_t challenge_acks = 2'000;            // a second, about (RFC 5961 §7)
  uint32_t stray_resets = 100'000;            // RSTs to segments of no connection, a second, about
  // Where others have the same cookie secret, and one may be shown a cookie that another gave out: what makes their
  // clocks agree when added to `now`.
  std::optional<Duration> shared_cookie_clock;
};

enum class ConnectFailure : uint8_t { None, InvalidAddress, NoRoute, NoPort, NoRecord };

struct ConnectOptions {
  std::optional<wire::Ipv4Address> local;  // default: the interface's addresses in turn
  bool probe_only = false;                 // answer the SYN-ACK with a RST
  uint64_t user = 0;
};

// Sees segments as they are received and sent; only for tracing. `before` and `after` are the connection's states.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_segment(bool received, const wire::Tuple& tuple, const wire::TcpHeader& header, uint32_t text,
                          tcp::State before, tcp::State after, Instant now) = 0;
};

class Stack {
 public:
  Stack(const StackConfig& config, device::Link& link, buf::MbufPool& pool, Instant now);
  ~Stack();

  // --- the worker's loop: receive, then advance, then flush
  void receive(buf::MbufBurst& burst, Instant now);  // takes all of the burst
  void advance(Instant now);                         // timers, ARP, and what user calls left to send
  void flush() { transmitter_.flush(); }
  Instant next_deadline() const;

  // --- the user's calls; `now` is that of the last receive or advance
  bool listen(wire::Port port, Handler& handler, uint32_t backlog);
  void stop_listening(wire::Port port);
  ConnectFailure connect(wire::Ipv4Address remote, wire::Port port, Handler& handler, const ConnectOptions& options,
                         ConnectionId& id);
  // Takes the packet's bytes if the send queue has room. False otherwise, and `data` is untouched; on_sendable follows.
  bool send(ConnectionId id, buf::Mbuf& data);
  uint32_t sendable(ConnectionId id);        // bytes that send() would take now
  buf::Mbuf take_received(ConnectionId id);  // all that was delivered and not yet taken; empty when nothing is there
  void set_keepalive(ConnectionId id, bool on);
  void set_nodelay(ConnectionId id, bool on);  // true: no Nagle
  void shutdown_send(ConnectionId id);
  void close(ConnectionId id);
  void abort(ConnectionId id);

  Record* find(ConnectionId id) {
    if (id.index >= records_.touched()) return nullptr;
    Record& record = records_[id.index];
    return record.generation == id.generation ? &record : nullptr;
  }
  ConnectionId id_of(const Record& record) const { return {records_.index_of(record), record.generation}; }

  // Visits the connections that are known to a handler; the visitor may make user calls.
  template <typename Visit>
  void for_each_connection(Visit&& visit) {
    for (uint32_t i = 0; i < records_.touched(); ++i) {
      const Record& record = records_[i];
      if ((record.generation & 1) != 0 && record.announced && record.handler != nullptr) visit(id_of(record));
    }
  }

  buf::MbufPool& pool() { return pool_; }
  const Counters& counters() const { return counters_; }
  uint32_t connections() const { return records_.used() + time_waits_.used() + half_opens_.used(); }
  Instant now() const { return now_; }
  const StackConfig& config() const { return config_; }
  void set_observer(Observer* observer);

 private:
  struct Parsed {
    uint64_t hash = 0;
    wire::Tuple tuple;
    uint32_t candidate = flow::kUndecided;  // a record with the tuple's signature, maybe of another
    uint16_t text_offset = 0;               // of the text in the packet
    net::Protocol protocol = net::Protocol::None;
    tcp::Segment segment;
    net::Frame frame;  // of what is not TCP
  };
  // The flow table and the timing wheel name records of three kinds; these bits say which.
  static constexpr uint32_t kTimeWaitBit = 1u << 30;
  static constexpr uint32_t kHalfOpenBit = 1u << 29;
  struct NodeOf {
    Record* records;
    TimeWaitRecord* time_waits;
    HalfOpenRecord* half_opens;
    timer::TimerNode& operator()(uint32_t index) const {
      if ((index & kTimeWaitBit) != 0) return time_waits[index & ~kTimeWaitBit].timer;
      return (index & kHalfOpenBit) != 0 ? half_opens[index & ~kHalfOpenBit].timer : records[index].timer;
    }
  };

  // parse.cc
  bool parse_common(buf::MbufView packet, Parsed& parsed);
  [[gnu::noinline, gnu::cold]] void parse_unusual(buf::MbufView packet, Parsed& parsed);
  net::Drop parse_tcp(buf::MbufView packet, Parsed& parsed);

  // input.cc
  void receive_stages(buf::MbufBurst& burst);
  void receive_observed(buf::MbufBurst& burst);  // observe.cc
  tcp::State state_of(const wire::Tuple& tuple);
  void prefetch_candidate(Parsed& parsed);
  bool still_true(const Parsed& parsed) const;
  void process(buf::Mbuf& packet, const Parsed& parsed);
  void answer_arp(buf::Mbuf& packet, const net::Frame& frame);
  void ask_arp(wire::Ipv4Address address);

  // icmp.cc
  void icmp_arrives(buf::Mbuf& packet, const net::Frame& frame);
  bool icmp_error_arrives(std::span<const uint8_t> message);
  void answer_echo(buf::Mbuf packet, const net::Frame& frame);

  // connection.cc
  // `previous` is SND.NXT of the incarnation that a TIME-WAIT gave way for; 0: there was none.
  void segment_for_nobody(buf::Mbuf& packet, const Parsed& parsed, wire::Seq previous = wire::Seq(0));
  void reply_to(buf::Mbuf& packet, const Parsed& parsed, const tcp::Emission& reply) {
    transmitter_.send({parsed.tuple, wire::ethernet_source(packet.data())}, reply, packet);
  }
  void segment_arrives(Record& record, buf::Mbuf& packet, const Parsed& parsed);
  void apply(Record& record, const tcp::Actions& actions, buf::Mbuf& packet, const Parsed* parsed);
  void established(Record& record);
  void text_acknowledged(Record& record, uint32_t bytes);
  void queue_text(Record& record, const tcp::Actions& actions, buf::Mbuf packet, const Parsed& parsed);
  void hold_text(Record& record, const tcp::Actions& actions, buf::Mbuf packet, const Parsed& parsed);
  void take_text(Record& record, buf::Mbuf text);
  void take_held(Record& record);
  void settle(Record& record, buf::Mbuf& carrier);
  void tell(Record& record);
  void finish(Record& record);
  void send_output(Record& record, buf::Mbuf& carrier);
  void expire(uint32_t index);
  void rearm(Record& record);
  void mark_dirty(Record& record);
  void settle_dirty();
  void look_at_mbufs();
  void count_state(tcp::State before, tcp::State after);
  void count_drop(tcp::Actions& actions, const tcp::Segment& segment);
  Queues& queues_of(Record& record);
  void drop_idle_queues(Record& record);
  void drop_queues(Record& record);
  void drop_reassembly(Record& record);
  Record* allocate(const wire::Tuple& tuple, uint64_t hash);
  void release(Record& record);      // forgets the connection
  void free_record(Record& record);  // only its record: the flow is known under another

  Record& reset_record(uint32_t index, const wire::Tuple& tuple, uint64_t hash);

  // half_open.cc
  void syn_arrives(buf::Mbuf& packet, const Parsed& parsed, Listener& listener, wire::Seq previous);
  void answer_with_cookie(buf::Mbuf& packet, const Parsed& parsed);
  std::optional<uint16_t> mss_of_cookie(const Parsed& parsed);
  Record* connection_from_cookie(const Parsed& parsed, Listener& listener, uint16_t mss);
  void segment_in_half_open(uint32_t index, buf::Mbuf& packet, const Parsed& parsed);
  Record* promote(uint32_t index, const Parsed& parsed);
  void expire_half_open(uint32_t index);
  void free_half_open(uint32_t index, Listener& listener);  // only the record: the flow is known under another
  void release_half_open(uint32_t index);                   // forgets the handshake

  // time_wait.cc
  void enter_time_wait(Record& record);
  void segment_in_time_wait(uint32_t index, buf::Mbuf& packet, const Parsed& parsed);
  void expire_time_wait(uint32_t index);
  void release_time_wait(uint32_t index);

  Instant cookie_now() const { return now_ + config_.shared_cookie_clock.value_or(Duration()); }
  tcp::Context context() const { return {now_, config_.tcp}; }
  uint64_t hash_of(const wire::Tuple& tuple) const { return flow_hash_(tuple); }
  // With what the record of that index, of any kind, is in the flow table.
  uint64_t hash_of(uint32_t index) const {
    if ((index & kTimeWaitBit) != 0) return time_waits_[index & ~kTimeWaitBit].hash;
    return (index & kHalfOpenBit) != 0 ? hash_of(half_opens_[index & ~kHalfOpenBit].tuple) : records_[index].hash;
  }
  bool insert_flow(uint64_t hash, uint32_t index) {
    return table_.insert(hash, index, [this](uint32_t i) { return hash_of(i); });
  }
  // Whether the record of that index, of any kind, is the tuple's. (Who is in use is in the table.)
  bool is_flow(uint32_t index, const wire::Tuple& tuple) const {
    if ((index & (kTimeWaitBit | kHalfOpenBit)) == 0) [[likely]] {
      const Record& record = records_[index];
      return record.tuple == tuple && (record.generation & 1) != 0;
    }
    if ((index & kTimeWaitBit) != 0) {
      const TimeWaitRecord& waiting = time_waits_[index & ~kTimeWaitBit];
      return waiting.tuple == tuple && waiting.in_use;
    }
    const HalfOpenRecord& half = half_opens_[index & ~kHalfOpenBit];
    return half.tuple == tuple && half.in_use;
  }
  // The index of the tuple's record, of any kind, or kNoFlow.
  uint32_t lookup(const wire::Tuple& tuple, uint64_t hash) const {
    return table_.find(hash, [&](uint32_t i) { return is_flow(i, tuple); });
  }
  uint32_t index_of(const Record& record) const { return records_.index_of(record); }
  void transmit(Record& record, const tcp::Emission& emission, buf::Mbuf& carrier);
  // Where the next hop's address is not known yet, or no longer.
  void transmit_by_arp(Record& record, const tcp::Emission& emission, buf::Mbuf& carrier);
  static Transmitter::Route route_of(const Record& record);

  std::array<Parsed, buf::MbufBurst::kSize> parsed_;  // of the burst at hand: here, so that nobody clears it for each
  StackConfig config_;
  uint64_t own_mac_;  // as the first eight bytes of a frame for us read; never equal where all frames are
  device::Link& link_;
  buf::MbufPool& pool_;
  Counters counters_;
  Transmitter transmitter_;
  flow::Pool<Record> records_;
  flow::Pool<TimeWaitRecord> time_waits_;
  flow::Pool<HalfOpenRecord> half_opens_;
  flow::FlowHash flow_hash_;
  flow::FlowTable table_;
  uint64_t known_insertions_ = 0;  // the table's when the burst's candidates were looked up
  timer::Wheel<NodeOf> wheel_;
  flow::PortAllocator ports_;
  net::Neighbors neighbors_;
  Listeners listeners_;
  std::vector<uint32_t> dirty_;
  uint32_t next_local_ = 0;
  flow::Pool<Queues> queues_;
  // Pieces of out-of-order text, of all connections. Each pins two mbufs, and nothing bounds how long a peer leaves a
  // hole: so all together get a quarter of the pool. What is refused comes again (RFC 9293 SHLD-31 lets us hold, no
  // more).
  uint32_t held_ = 0;
  uint32_t held_limit_;
  flow::Pool<tcp::Reassembly> reassemblies_;  // as many: a hole may have no more behind it than a FIN
  // New connections are refused before those that are there go without: when little of the pool is left, counted from
  // what the device had taken of it at first.
  uint32_t mbufs_at_first_;
  bool low_on_mbufs_ = false;
  uint64_t mbufs_looked_ms_ = 0;
  Budget challenge_budget_;
  Budget reset_budget_;
  Instant cookies_until_;  // a cookie that was given out may come back until then
  Instant now_;
  Observer* observer_ = nullptr;
  const Record* settling_ = nullptr;
};

}  // namespace estab::stack
