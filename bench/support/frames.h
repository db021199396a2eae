// Frames as a peer sends them.
#pragma once

#include <rte_mbuf.h>

#include "wire/checksum.h"
#include "wire/ethernet.h"
#include "wire/ipv4.h"
#include "wire/tcp_header.h"
#include "wire/tcp_options.h"

namespace estab::bench {

inline constexpr wire::MacAddress kPeerMac{{0x02, 0, 0, 0, 0, 0x01}};
inline constexpr wire::MacAddress kOurMac{{0x02, 0, 0, 0, 0, 0x02}};
inline constexpr size_t kTcpAt = wire::kEthernetHeaderSize + wire::kIpv4HeaderSize;

struct PeerSegment {
  wire::Tuple tuple;  // as the peer sees it: `local` is the peer
  wire::Seq seq;
  wire::Seq ack;
  int flags = 0;
  wire::TcpOptions options;
};

inline size_t write_frame(uint8_t* p, const PeerSegment& segment) {
  const wire::Tuple& t = segment.tuple;
  const size_t options = wire::tcp_options_size(segment.options);
  const auto tcp_length = static_cast<uint16_t>(wire::kTcpHeaderSize + options);
  wire::write_ethernet(p, kOurMac, kPeerMac, wire::EtherType::Ipv4);
  wire::write_ipv4(p + wire::kEthernetHeaderSize, t.local, t.remote, wire::kProtocolTcp,
                   static_cast<uint16_t>(wire::kIpv4HeaderSize + tcp_length));
  wire::write_tcp(p + kTcpAt, t.local_port, t.remote_port, segment.seq, segment.ack, wire::TcpFlags(segment.flags),
                  65535, options);
  wire::write_tcp_options(p + kTcpAt + wire::kTcpHeaderSize, segment.options);
  wire::ChecksumSum sum;
  sum.add_pseudo_header(t.local, t.remote, wire::kProtocolTcp, tcp_length);
  sum.add({p + kTcpAt, tcp_length});
  store_be(p + kTcpAt + 16, sum.checksum());
  return kTcpAt + tcp_length;
}

inline void write_packet(rte_mbuf* mbuf, const PeerSegment& segment) {
  const size_t length = write_frame(rte_pktmbuf_mtod(mbuf, uint8_t*), segment);
  mbuf->data_len = static_cast<uint16_t>(length);
  mbuf->pkt_len = static_cast<uint32_t>(length);
}

// What was answered: the header, and its sender and receiver as the answerer sees them.
struct Answer {
  wire::Tuple tuple;
  wire::TcpHeader tcp;
  wire::TcpOptions options;
};

inline Answer read_answer(const rte_mbuf* mbuf) {
  const uint8_t* p = rte_pktmbuf_mtod(mbuf, const uint8_t*);
  Answer answer;
  answer.tcp = wire::parse_tcp({p + kTcpAt, mbuf->data_len - kTcpAt});
  answer.tuple = {wire::Ipv4Address(load_be<uint32_t>(p + 26)), wire::Ipv4Address(load_be<uint32_t>(p + 30)),
                  answer.tcp.source, answer.tcp.destination};
  static_cast<void>(wire::parse_tcp_options(
      {p + kTcpAt + wire::kTcpHeaderSize, answer.tcp.header_length - wire::kTcpHeaderSize}, answer.options));
  return answer;
}

// True when both checksums of an answer are.
inline bool checksum_right(const rte_mbuf* mbuf) {
  const uint8_t* p = rte_pktmbuf_mtod(mbuf, const uint8_t*);
  wire::ChecksumSum ip;
  ip.add({p + wire::kEthernetHeaderSize, wire::kIpv4HeaderSize});
  const Answer answer = read_answer(mbuf);
  wire::ChecksumSum tcp;
  tcp.add_pseudo_header(answer.tuple.local, answer.tuple.remote, wire::kProtocolTcp,
                        static_cast<uint16_t>(mbuf->data_len - kTcpAt));
  tcp.add({p + kTcpAt, mbuf->data_len - kTcpAt});
  return ip.folded() == 0xffff && tcp.folded() == 0xffff;
}

}  // namespace estab::bench
