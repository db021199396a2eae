// Plays the server of an endpoint that connects: the SYN-ACK, and the FIN-ACK that answers its FIN.
#pragma once

#include <array>
#include <vector>

#include "bench/stack/server_peer.h"
#include "wire/arp.h"

namespace estab::bench {

enum ClientStep : uint32_t { kConnect, kSynAck, kFinAck, kExpire, kClientSteps };
using ClientMeters = std::array<Meter, kClientSteps>;

template <typename Endpoint>
class ClientPeer {
 public:
  // `live` connections and, behind them, about as many in TIME-WAIT.
  explicit ClientPeer(uint32_t live)
      : cohort_((live / 2 + kBurst - 1) / kBurst * kBurst),
        flows_(size_t{3} * cohort_),
        endpoint_({.max_connections = 4 * cohort_,
                   .client = true,
                   // A round ends 32 connections.
                   .time_wait = kRound * (live / kBurst) + Duration::milliseconds(1)}) {
    introduce();
    ClientMeters warming;
    while (sweep_ < 6) round(warming);
  }

  // A burst of each step: 32 connections opened, established, closed; and TIME-WAITs of 32 end, many at a time.
  void round(ClientMeters& meters) {
    endpoint_.tick(kRound);
    meters[kExpire].start();
    endpoint_.expire();
    meters[kExpire].stop();
    for (uint32_t cohort = 0; cohort < 3; ++cohort) {
      const uint32_t step = (sweep_ + 3 - cohort) % 3;
      if (sweep_ < cohort) continue;
      step == kConnect ? connect(cohort, meters[step]) : answer(cohort, step, meters[step]);
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
  static constexpr Duration kRound = Duration::microseconds(15);  // of virtual time: two million connections a second

  struct Flow {
    wire::Tuple peer;  // the server's view
    wire::Seq client;  // the next number of the client's
  };

  // An ARP request from the server: the client learns where it is.
  void introduce() {
    rte_mbuf* mbuf = endpoint_.allocate();
    uint8_t* p = rte_pktmbuf_mtod(mbuf, uint8_t*);
    wire::write_ethernet(p, wire::MacAddress::broadcast(), kPeerMac, wire::EtherType::Arp);
    wire::write_arp(p + wire::kEthernetHeaderSize, {.operation = wire::ArpOperation::Request,
                                                    .sender_mac = kPeerMac,
                                                    .sender = StackEndpoint::kPeer,
                                                    .target = StackEndpoint::kAddress});
    mbuf->data_len = wire::kEthernetHeaderSize + wire::kArpSize;
    mbuf->pkt_len = mbuf->data_len;
    buf::MbufBurst packets;
    packets.push(buf::Mbuf(mbuf));
    if constexpr (Endpoint::kSpeaksTcp) endpoint_.receive(packets);
    endpoint_.clear_answers();
  }

  void connect(uint32_t cohort, Meter& meter) {
    meter.start();
    endpoint_.connect(kBurst);
    meter.stop();
    const auto answers = endpoint_.answers();
    if (answers.size() != kBurst) {
      ++wrong_;
    } else {
      const Shuffle shuffle(cohort_, sweep_ * 4 + cohort);
      for (uint32_t i = 0; i < kBurst; ++i) {
        const Answer syn = read_answer(answers[i]);
        if (!syn.tcp.flags.syn() || syn.tcp.flags.ack() || !checksum_right(answers[i])) ++wrong_;
        flows_[cohort * cohort_ + shuffle(at_ + i)] = {
            {syn.tuple.remote, syn.tuple.local, syn.tuple.remote_port, syn.tuple.local_port}, syn.tcp.seq + 1};
      }
    }
    endpoint_.clear_answers();
  }

  void answer(uint32_t cohort, uint32_t step, Meter& meter) {
    const Shuffle shuffle(cohort_, sweep_ * 4 + cohort);
    buf::MbufBurst packets;
    for (uint32_t i = 0; i < kBurst; ++i) {
      Flow& flow = flows_[cohort * cohort_ + shuffle(at_ + i)];
      const wire::Seq iss(flow.client.value() ^ 0x5a5a5a5a);
      rte_mbuf* mbuf = endpoint_.allocate();
      PeerSegment segment{flow.peer, iss, flow.client, wire::TcpFlags::kSyn | wire::TcpFlags::kAck, {}};
      if (step == kSynAck) {
        segment.options.has_mss = true;
        segment.options.mss = 1460;
      } else {
        segment.seq = iss + 1;
        segment.ack = flow.client + 1;
        segment.flags = wire::TcpFlags::kFin | wire::TcpFlags::kAck;
      }
      write_packet(mbuf, segment);
      packets.push(buf::Mbuf(mbuf));
    }
    meter.start();
    endpoint_.receive(packets);
    meter.stop();
    const auto answers = endpoint_.answers();
    if (answers.size() != (step == kSynAck ? 2 * kBurst : kBurst)) ++wrong_;
    for (const rte_mbuf* mbuf : answers) {
      if (!checksum_right(mbuf)) ++wrong_;
    }
    endpoint_.clear_answers();
  }

  uint32_t cohort_;
  std::vector<Flow> flows_;
  Endpoint endpoint_;
  uint32_t sweep_ = 0;
  uint32_t at_ = 0;
  uint64_t wrong_ = 0;
};

}  // namespace estab::bench
