// Plays the clients of an endpoint that serves: SYN, ACK, FIN and the last ACK of many connections, each step of a
// connection as far from the last as there are connections live, so that nothing of it is still in a cache when they
// are many.
#pragma once

#include <array>
#include <vector>

#include "bench/stack/stack_endpoint.h"
#include "bench/support/meter.h"
#include "bench/support/shuffle.h"

namespace estab::bench {

inline constexpr uint32_t kBurst = 32;
enum ServerStep : uint32_t { kSyn, kAck, kFin, kLastAck, kServerSteps };
using ServerMeters = std::array<Meter, kServerSteps>;

template <typename Endpoint>
class ServerPeer {
 public:
  // Four cohorts, each at another step; the one that is between connections is not counted as live.
  ServerPeer(uint32_t live, bool options)
      : cohort_((live / 3 + kBurst - 1) / kBurst * kBurst),
        options_(options),
        flows_(size_t{4} * cohort_),
        endpoint_({.max_connections = 4 * cohort_}) {
    ServerMeters warming;
    while (sweep_ < 5) round(warming);
  }

  // A burst of each kind: 32 connections' worth of packets.
  void round(ServerMeters& meters) {
    for (uint32_t cohort = 0; cohort < 4; ++cohort) {
      const uint32_t step = (sweep_ + 4 - cohort) % 4;
      if (sweep_ < cohort) continue;  // its first SYN is still to come
      burst(cohort, step, meters[step]);
    }
    at_ += kBurst;
    if (at_ == cohort_) {
      at_ = 0;
      ++sweep_;
    }
  }

  std::string complaint() const {
    std::string text = endpoint_.complaint();
    if (wrong_ != 0) text += "wrong answers=" + std::to_string(wrong_);
    return text;
  }
  uint64_t finished() const { return endpoint_.finished(); }

 private:
  struct Flow {
    wire::Seq server;  // the next number that the server's sequence space expects to be acknowledged
    uint32_t ts_value = 0;
  };

  static wire::Tuple tuple_of(uint32_t flow) {
    return {wire::Ipv4Address(StackEndpoint::kPeer.value() + flow / 50000), StackEndpoint::kAddress,
            wire::Port(static_cast<uint16_t>(1024 + flow % 50000)), StackEndpoint::kPort};
  }
  static wire::Seq iss_of(uint32_t flow) { return wire::Seq(flow * 2654435761u); }

  void burst(uint32_t cohort, uint32_t step, Meter& meter) {
    const Shuffle shuffle(cohort_, sweep_ * 4 + cohort);
    std::array<uint32_t, kBurst> flows;
    buf::MbufBurst packets;
    for (uint32_t i = 0; i < kBurst; ++i) {
      flows[i] = cohort * cohort_ + shuffle(at_ + i);
      rte_mbuf* mbuf = endpoint_.allocate();
      write_packet(mbuf, segment(flows[i], step));
      packets.push(buf::Mbuf(mbuf));
    }
    endpoint_.tick(Duration::microseconds(4));
    meter.start();
    endpoint_.receive(packets);
    meter.stop();
    if (step == kSyn || step == kFin) take_answers(flows, step);
    endpoint_.clear_answers();
  }

  PeerSegment segment(uint32_t flow, uint32_t step) const {
    static constexpr std::array<int, kServerSteps> kFlags{
        wire::TcpFlags::kSyn, wire::TcpFlags::kAck, wire::TcpFlags::kFin | wire::TcpFlags::kAck, wire::TcpFlags::kAck};
    static constexpr std::array<uint32_t, kServerSteps> kOffset{0, 1, 1, 2};
    PeerSegment segment{tuple_of(flow), iss_of(flow) + kOffset[step], wire::Seq(0), kFlags[step], {}};
    if (step != kSyn) segment.ack = flows_[flow].server;
    wire::TcpOptions& options = segment.options;
    options.has_mss = step == kSyn;
    options.mss = 1460;
    if (options_) {
      options.has_timestamps = true;
      options.ts_value = 1;
      options.ts_echo = flows_[flow].ts_value;
      options.has_window_scale = options.sack_permitted = step == kSyn;
      options.window_scale = 7;
    }
    return segment;
  }

  void take_answers(const std::array<uint32_t, kBurst>& flows, uint32_t step) {
    const auto answers = endpoint_.answers();
    if (answers.size() != kBurst) {
      ++wrong_;
      return;
    }
    for (uint32_t i = 0; i < kBurst; ++i) {
      const Answer answer = read_answer(answers[i]);
      const wire::Tuple expected = tuple_of(flows[i]);
      const bool right =
          answer.tuple.remote == expected.local && answer.tuple.remote_port == expected.local_port &&
          answer.tcp.ack == iss_of(flows[i]) + (step == kSyn ? 1 : 2) && (step == kSyn) == answer.tcp.flags.syn() &&
          (step == kFin) == answer.tcp.flags.fin() && answer.tcp.flags.ack() &&
          (answer.options.has_timestamps == options_ || !Endpoint::kSpeaksTcp) && checksum_right(answers[i]);
      if (!right) ++wrong_;
      flows_[flows[i]] = {answer.tcp.seq + 1, answer.options.ts_value};
    }
  }

  uint32_t cohort_;
  bool options_;
  std::vector<Flow> flows_;
  Endpoint endpoint_;
  uint32_t sweep_ = 0;
  uint32_t at_ = 0;
  uint64_t wrong_ = 0;
};

// Sends SYNs that are answered and forgotten.
template <typename Endpoint>
class SynPeer {
 public:
  SynPeer() : endpoint_({.max_connections = 1024, .stateless = true}) {}

  void round(Meter& meter) {
    buf::MbufBurst packets;
    for (uint32_t i = 0; i < kBurst; ++i) {
      rte_mbuf* mbuf = endpoint_.allocate();
      PeerSegment syn{{wire::Ipv4Address(StackEndpoint::kPeer.value() + flow_ / 50000 % 4096), StackEndpoint::kAddress,
                       wire::Port(static_cast<uint16_t>(1024 + flow_ % 50000)), StackEndpoint::kPort},
                      wire::Seq(flow_ * 2654435761u),
                      wire::Seq(0),
                      wire::TcpFlags::kSyn,
                      {}};
      syn.options.has_mss = true;
      syn.options.mss = 1460;
      ++flow_;
      write_packet(mbuf, syn);
      packets.push(buf::Mbuf(mbuf));
    }
    meter.start();
    endpoint_.receive(packets);
    meter.stop();
    const auto answers = endpoint_.answers();
    if (answers.size() != kBurst) ++wrong_;
    for (const rte_mbuf* mbuf : answers) {
      const Answer answer = read_answer(mbuf);
      if (!answer.tcp.flags.syn() || !answer.tcp.flags.ack() || !checksum_right(mbuf)) ++wrong_;
    }
    endpoint_.clear_answers();
  }
  std::string complaint() const {
    return endpoint_.complaint() + (wrong_ == 0 ? "" : "wrong answers=" + std::to_string(wrong_));
  }

 private:
  Endpoint endpoint_;
  uint32_t flow_ = 0;
  uint64_t wrong_ = 0;
};

}  // namespace estab::bench
