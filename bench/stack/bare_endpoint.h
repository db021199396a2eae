// The bound: the packets that a stack would answer, with no TCP. Addresses are swapped, sequence numbers and checksums
// rewritten, a keyed hash computed and a minimal table probed, in prefetched passes over the burst. Every packet is
// sent back.
#pragma once

#include <array>
#include <cstring>
#include <span>
#include <string>

#include "base/siphash.h"
#include "bench/stack/bare_table.h"
#include "bench/stack/stack_endpoint.h"

namespace estab::bench {

class BareEndpoint {
 public:
  static constexpr bool kSpeaksTcp = false;

  explicit BareEndpoint(const EndpointOptions& options)
      : stateless_(options.stateless), table_(options.max_connections) {
    static int count = 0;
    auto made = buf::MbufPool::create("bare" + std::to_string(count++), 8191);
    if (!made) throw std::runtime_error(made.error());
    pool_ = std::move(*made);
    template_length_ = static_cast<uint16_t>(write_frame(template_.data(), {}));
  }
  ~BareEndpoint() { clear_answers(); }

  rte_mbuf* allocate() { return pool_.allocate().release(); }
  void tick(Duration) {}
  void expire() {}

  [[gnu::noinline]] void receive(buf::MbufBurst& burst) {
    std::array<Parsed, buf::MbufBurst::kSize> parsed;
    const uint16_t count = burst.size();
    for (uint16_t i = 0; i < count; ++i) {
      parsed[i] = parse(rte_pktmbuf_mtod(burst.data()[i], const uint8_t*));
      table_.prefetch(parsed[i].hash);
    }
    for (uint16_t i = 0; i < count; ++i) {
      const uint32_t index = table_.candidate(parsed[i].hash);
      if (index != BareTable::kNone) table_.prefetch_record(index);
    }
    for (uint16_t i = 0; i < count; ++i) {
      rte_mbuf* mbuf = burst.take(i).release();
      answer(rte_pktmbuf_mtod(mbuf, uint8_t*), parsed[i]);
      sent_[sent_count_++] = mbuf;
    }
    burst.set_size(0);
  }

  // A SYN for each, from a template.
  [[gnu::noinline]] void connect(uint32_t count) {
    std::array<uint64_t, 64> hashes;
    std::array<wire::Tuple, 64> tuples;
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t n = opened_++;
      tuples[i] = {wire::Ipv4Address(StackEndpoint::kAddress.value() + n / 64000 % 512), StackEndpoint::kPeer,
                   wire::Port(static_cast<uint16_t>(1024 + n % 64000)), StackEndpoint::kPort};
      hashes[i] = hash_of(tuples[i]);
      table_.prefetch(hashes[i]);
    }
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t index = table_.insert(hashes[i]);
      if (index == BareTable::kNone) {
        ++failures_;
        continue;
      }
      table_.record(index).tuple = tuples[i];
      table_.record(index).seq = static_cast<uint32_t>(hashes[i]);
      send_from_template(tuples[i], static_cast<uint32_t>(hashes[i]), 0, wire::TcpFlags::kSyn);
    }
  }

  std::span<rte_mbuf* const> answers() const { return {sent_.data(), sent_count_}; }
  void clear_answers() {
    if (sent_count_ > 0) rte_pktmbuf_free_bulk(sent_.data(), sent_count_);
    sent_count_ = 0;
  }
  uint64_t finished() const { return finished_; }
  std::string complaint() const { return failures_ == 0 ? "" : "failures=" + std::to_string(failures_); }

 private:
  struct Parsed {
    wire::Tuple tuple;
    uint64_t hash = 0;
  };

  uint64_t hash_of(const wire::Tuple& t) const { return siphash_twelve<1, 3>(key_, t.addresses(), t.ports()); }
  Parsed parse(const uint8_t* p) const {
    Parsed parsed;
    parsed.tuple = {wire::Ipv4Address(load_be<uint32_t>(p + 30)), wire::Ipv4Address(load_be<uint32_t>(p + 26)),
                    wire::Port(load_be<uint16_t>(p + 36)), wire::Port(load_be<uint16_t>(p + 34))};
    parsed.hash = hash_of(parsed.tuple);
    return parsed;
  }

  void answer(uint8_t* p, const Parsed& parsed) {
    const uint32_t seq = load_be<uint32_t>(p + kTcpAt + 4);
    const uint8_t flags = p[kTcpAt + 13];
    if (stateless_) {
      rewrite(p, static_cast<uint32_t>(parsed.hash), seq + 1, wire::TcpFlags::kSyn | wire::TcpFlags::kAck);
      return;
    }
    if (flags == wire::TcpFlags::kSyn) {
      const uint32_t index = table_.insert(parsed.hash);
      if (index == BareTable::kNone) {
        ++failures_;
        return;
      }
      BareRecord& record = table_.record(index);
      record.tuple = parsed.tuple;
      record.seq = static_cast<uint32_t>(parsed.hash);
      rewrite(p, record.seq++, seq + 1, wire::TcpFlags::kSyn | wire::TcpFlags::kAck);
      return;
    }
    const uint32_t index = table_.find(parsed.hash, parsed.tuple);
    if (index == BareTable::kNone) {
      ++failures_;
      return;
    }
    BareRecord& record = table_.record(index);
    if ((flags & wire::TcpFlags::kSyn) != 0) {  // a client's turn: the ACK in place, the FIN beside it
      rewrite(p, ++record.seq, seq + 1, wire::TcpFlags::kAck);
      send_from_template(parsed.tuple, record.seq++, seq + 1, wire::TcpFlags::kFin | wire::TcpFlags::kAck);
    } else if ((flags & wire::TcpFlags::kFin) != 0) {
      const bool last =
          load_be<uint32_t>(p + kTcpAt + 8) == record.seq && parsed.tuple.remote_port == StackEndpoint::kPort;
      rewrite(p, record.seq++, seq + 1, wire::TcpFlags::kFin | wire::TcpFlags::kAck);
      if (last) finish(parsed);
    } else {
      const bool last = record.seq - static_cast<uint32_t>(parsed.hash) == 2;
      rewrite(p, record.seq, seq, wire::TcpFlags::kAck);
      if (last) finish(parsed);
    }
  }
  void finish(const Parsed& parsed) { table_.erase(parsed.hash, parsed.tuple) ? ++finished_ : ++failures_; }

  // Swaps the addresses and updates the checksum by what changed (RFC 1624 §3).
  static void rewrite(uint8_t* p, uint32_t seq, uint32_t ack, int flags) {
    uint8_t mac[6];
    std::memcpy(mac, p, 6);
    std::memcpy(p, p + 6, 6);
    std::memcpy(p + 6, mac, 6);
    swap<uint32_t>(p + 26, p + 30);
    uint8_t* tcp = p + kTcpAt;
    swap<uint16_t>(tcp, tcp + 2);
    const uint16_t old_control = load<uint16_t>(tcp + 12);
    const auto control = static_cast<uint16_t>((old_control & 0xff) | flags << 8);  // in the machine's order
    const uint32_t be_seq = byte_swap(seq);
    const uint32_t be_ack = byte_swap(ack);
    uint64_t sum = static_cast<uint16_t>(~load<uint16_t>(tcp + 16));
    sum +=
        uint64_t{~load<uint32_t>(tcp + 4)} + uint64_t{~load<uint32_t>(tcp + 8)} + static_cast<uint16_t>(~old_control);
    sum += uint64_t{be_seq} + be_ack + control;
    store(tcp + 4, be_seq);
    store(tcp + 8, be_ack);
    store(tcp + 12, control);
    store(tcp + 16, static_cast<uint16_t>(~folded(sum)));
  }
  void send_from_template(const wire::Tuple& t, uint32_t seq, uint32_t ack, int flags) {
    rte_mbuf* mbuf = rte_pktmbuf_alloc(pool_.get());
    if (mbuf == nullptr) {
      ++failures_;
      return;
    }
    uint8_t* p = rte_pktmbuf_mtod(mbuf, uint8_t*);
    std::memcpy(p, template_.data(), 64);
    mbuf->data_len = template_length_;
    mbuf->pkt_len = template_length_;
    // Every word of the template that is filled in was zero, so the sums only grow.
    store_be(p + 26, t.local.value());
    store_be(p + 30, t.remote.value());
    add_to_checksum(p + 24, uint64_t{load<uint32_t>(p + 26)} + load<uint32_t>(p + 30));
    uint8_t* tcp = p + kTcpAt;
    store_be(tcp, t.local_port.value());
    store_be(tcp + 2, t.remote_port.value());
    store_be(tcp + 4, seq);
    store_be(tcp + 8, ack);
    tcp[13] = static_cast<uint8_t>(flags);
    add_to_checksum(tcp + 16, uint64_t{load<uint32_t>(p + 26)} + load<uint32_t>(p + 30) + load<uint32_t>(tcp) +
                                  load<uint32_t>(tcp + 4) + load<uint32_t>(tcp + 8) + (uint64_t{tcp[13]} << 8));
    sent_[sent_count_++] = mbuf;
  }
  static void add_to_checksum(uint8_t* at, uint64_t words) {
    store(at, static_cast<uint16_t>(~folded(words + static_cast<uint16_t>(~load<uint16_t>(at)))));
  }
  static uint16_t folded(uint64_t sum) {
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<uint16_t>(sum + (sum >> 16));
  }

  template <typename T>
  static T load(const uint8_t* p) {
    T value;
    std::memcpy(&value, p, sizeof(T));
    return value;
  }
  template <typename T>
  static void store(uint8_t* p, T value) {
    std::memcpy(p, &value, sizeof(T));
  }
  template <typename T>
  static void swap(uint8_t* a, uint8_t* b) {
    const T first = load<T>(a);
    const T second = load<T>(b);
    std::memcpy(a, &second, sizeof(T));
    std::memcpy(b, &first, sizeof(T));
  }

  SipKey key_{3, 4};
  bool stateless_;
  buf::MbufPool pool_;
  BareTable table_;
  std::array<rte_mbuf*, size_t{2} * buf::MbufBurst::kSize> sent_;
  uint32_t sent_count_ = 0;
  std::array<uint8_t, 128> template_{};
  uint16_t template_length_ = 0;
  uint32_t opened_ = 0;
  uint64_t finished_ = 0;
  uint64_t failures_ = 0;
};

}  // namespace estab::bench
