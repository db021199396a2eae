// The hosts beyond a fuzzed stack's wire: they follow what it sends, look whether it is well formed, and make frames
// that fit to it.
#pragma once

#include <deque>
#include <vector>

#include "buf/mbuf_pool.h"
#include "fuzz/input.h"
#include "wire/arp.h"
#include "wire/ethernet.h"
#include "wire/icmp.h"
#include "wire/ipv4.h"
#include "wire/tcp_header.h"
#include "wire/tcp_options.h"

namespace estab::fuzz {

inline constexpr wire::MacAddress kOurMac = {{0x02, 0, 0, 0, 0, 1}};  // MemoryLink's first end
inline constexpr wire::MacAddress kPeerMac = {{0x02, 0, 0, 0, 0, 2}};
inline constexpr wire::Ipv4Address kOurAddress(198, 18, 0, 1);
inline constexpr wire::Ipv4Address kPeerAddress(198, 18, 0, 2);
inline constexpr wire::Port kPort{7};

// One connection as the peer sees it.
struct Flow {
  wire::Ipv4Address address = kPeerAddress;  // the peer's
  wire::Port port;
  wire::Port our_port = kPort;
  wire::Seq next;        // what the stack expects of the peer
  wire::Seq sent;        // one past all that the stack sent
  uint32_t ts_echo = 0;  // the stack's last TSval
  bool timestamps = false;
};

class StackPeer {
 public:
  StackPeer() {
    for (uint16_t i = 0; i < 6; ++i) {
      flows_.push_back({.port = wire::Port(static_cast<uint16_t>(1'000 + i))});
    }
  }

  Flow& flow(Input& input) { return flows_[input.u8() % flows_.size()]; }

  // A frame that the stack sent.
  void sees(const rte_mbuf* mbuf) {
    joined_.clear();
    for (const rte_mbuf* s = mbuf; s != nullptr; s = s->next) {
      const uint8_t* bytes = rte_pktmbuf_mtod(s, const uint8_t*);
      joined_.insert(joined_.end(), bytes, bytes + s->data_len);
    }
    must(joined_.size() == mbuf->pkt_len, "a packet is as long as its segments");
    must(joined_.size() >= wire::kEthernetHeaderSize, "a frame has its header");
    must(wire::ethernet_source(joined_.data()) == kOurMac, "a frame is from our MAC address");
    const std::span<const uint8_t> rest = std::span(joined_).subspan(wire::kEthernetHeaderSize);
    if (wire::ethernet_type(joined_.data()) == static_cast<uint16_t>(wire::EtherType::Arp)) {
      must(wire::parse_arp(rest).has_value(), "our ARP is well formed");
      return;
    }
    must(wire::ethernet_type(joined_.data()) == static_cast<uint16_t>(wire::EtherType::Ipv4), "what we send is IPv4");
    sees_ipv4(rest);
  }

  // A segment toward `flow`; all but its place is the input's.
  std::vector<uint8_t> segment(Flow& flow, Input& input, uint32_t now_ms) {
    const uint8_t how = input.u8();
    auto flags = wire::TcpFlags(input.u8());
    wire::Seq seq = flow.next;
    wire::Seq ack = flow.sent;
    if ((how & 1) != 0) seq += static_cast<uint32_t>(static_cast<int16_t>(input.u16()));
    if ((how & 2) != 0) ack += static_cast<uint32_t>(static_cast<int8_t>(input.u8()));
    if ((how & 4) != 0) flags = wire::TcpFlags(wire::TcpFlags::kAck);
    const size_t text = (how & 8) != 0 ? input.u16() % 3'000 : 0;
    const uint16_t window = (how & 16) != 0 ? input.u16() : 10'000;
    if (flags.syn() && !flags.ack()) flow.next = seq + 1;
    wire::TcpOptions options;
    options.has_timestamps = flow.timestamps;
    if ((how & 32) != 0) choose(options, input);
    options.ts_value = now_ms;
    options.ts_echo = flow.ts_echo;
    if ((how & 64) != 0) options.ts_value += static_cast<uint32_t>(static_cast<int8_t>(input.u8()));
    return tcp(flow, seq, ack, flags, window, options, text);
  }

  // The SYN of a handshake, and its last segment.
  std::vector<uint8_t> syn(Flow& flow, Input& input, uint32_t now_ms) {
    wire::TcpOptions options;
    choose(options, input);
    options.ts_value = now_ms;
    const wire::Seq isn(input.u32());
    flow.next = isn + 1;
    return tcp(flow, isn, wire::Seq(), wire::TcpFlags(wire::TcpFlags::kSyn), input.u16(), options, 0);
  }
  std::vector<uint8_t> ack(const Flow& flow, uint32_t now_ms) {
    wire::TcpOptions options;
    options.has_timestamps = flow.timestamps;
    options.ts_value = now_ms;
    options.ts_echo = flow.ts_echo;
    return tcp(flow, flow.next, flow.sent, wire::TcpFlags(wire::TcpFlags::kAck), 10'000, options, 0);
  }

  std::vector<uint8_t> arp(Input& input) {
    wire::Arp arp;
    const uint8_t how = input.u8();
    arp.operation = (how & 1) != 0 ? wire::ArpOperation::Request : wire::ArpOperation::Reply;
    arp.sender_mac = kPeerMac;
    arp.sender = wire::Ipv4Address(kPeerAddress.value() + input.below(8));
    arp.target = (how & 2) != 0 ? kOurAddress : wire::Ipv4Address(kOurAddress.value() + input.below(4));
    std::vector<uint8_t> frame(wire::kEthernetHeaderSize + wire::kArpSize);
    wire::write_ethernet(frame.data(), (how & 4) != 0 ? wire::MacAddress::broadcast() : kOurMac, kPeerMac,
                         wire::EtherType::Arp);
    wire::write_arp(frame.data() + wire::kEthernetHeaderSize, arp);
    return frame;
  }

  // Any protocol under a right IPv4 header; ICMP gets its checksum.
  std::vector<uint8_t> datagram(Input& input, uint8_t protocol) {
    const auto payload = input.take(input.u8());
    std::vector<uint8_t> frame = headers(kPeerAddress, protocol, payload.size());
    frame.insert(frame.end(), payload.begin(), payload.end());
    if (protocol == wire::kProtocolIcmp && payload.size() >= wire::kIcmpHeaderSize) {
      uint8_t* icmp = frame.data() + kTransportAt;
      store_be<uint16_t>(icmp + 2, 0);
      wire::ChecksumSum sum;
      sum.add({icmp, payload.size()});
      store_be(icmp + 2, sum.checksum());
    }
    return frame;
  }

  // An ICMP error about a segment of the flow, or about one that was never sent.
  std::vector<uint8_t> icmp_error(const Flow& flow, Input& input) {
    std::array<uint8_t, wire::kIcmpHeaderSize + wire::kIpv4HeaderSize + 8> message{};
    message[0] = std::array<uint8_t, 4>{3, 4, 11, 12}[input.below(4)];
    message[1] = static_cast<uint8_t>(input.below(16));
    uint8_t* quoted = message.data() + wire::kIcmpHeaderSize;
    wire::write_ipv4(quoted, kOurAddress, flow.address, wire::kProtocolTcp, 40);
    store_be(quoted + 20, flow.our_port.value());
    store_be(quoted + 22, flow.port.value());
    store_be(quoted + 24, (flow.sent - input.u8()).value());
    wire::ChecksumSum sum;
    sum.add(message);
    store_be(message.data() + 2, sum.checksum());
    std::vector<uint8_t> frame = headers(kPeerAddress, wire::kProtocolIcmp, message.size());
    frame.insert(frame.end(), message.begin(), message.end());
    return frame;
  }

 private:
  static constexpr size_t kTransportAt = wire::kEthernetHeaderSize + wire::kIpv4HeaderSize;
  static constexpr size_t kMostFlows = 32;

  static std::vector<uint8_t> headers(wire::Ipv4Address source, uint8_t protocol, size_t payload) {
    std::vector<uint8_t> frame(kTransportAt);
    wire::write_ethernet(frame.data(), kOurMac, kPeerMac, wire::EtherType::Ipv4);
    wire::write_ipv4(frame.data() + wire::kEthernetHeaderSize, source, kOurAddress, protocol,
                     static_cast<uint16_t>(wire::kIpv4HeaderSize + payload));
    return frame;
  }

  static void choose(wire::TcpOptions& options, Input& input) {
    const uint8_t which = input.u8();
    options.has_timestamps = (which & 1) != 0;
    options.sack_permitted = (which & 2) != 0;
    options.has_mss = (which & 4) != 0;
    options.mss = static_cast<uint16_t>(which * 8);
    options.has_window_scale = (which & 8) != 0;
    options.window_scale = which >> 4;
    options.sack_count = (which & 6) == 6 ? 1 : 0;
  }

  static std::vector<uint8_t> tcp(const Flow& flow, wire::Seq seq, wire::Seq ack, wire::TcpFlags flags, uint16_t window,
                                  const wire::TcpOptions& options, size_t text) {
    const size_t options_size = wire::tcp_options_size(options);
    const size_t length = wire::kTcpHeaderSize + options_size + text;
    std::vector<uint8_t> frame = headers(flow.address, wire::kProtocolTcp, length);
    frame.resize(kTransportAt + length);
    uint8_t* p = frame.data() + kTransportAt;
    wire::write_tcp(p, flow.port, flow.our_port, seq, ack, flags, window, options_size);
    wire::write_tcp_options(p + wire::kTcpHeaderSize, options);
    wire::ChecksumSum sum;
    sum.add_pseudo_header(flow.address, kOurAddress, wire::kProtocolTcp, static_cast<uint16_t>(length));
    sum.add({p, length});
    store_be(p + 16, sum.checksum());
    return frame;
  }

  void sees_ipv4(std::span<const uint8_t> bytes) {
    const wire::Ipv4 ip = wire::parse_ipv4(bytes, bytes.size());
    must(ip.fault == wire::Ipv4Fault::None && !ip.fragment, "our IPv4 header is right");
    must(ip.total_length == bytes.size(), "a frame of ours ends with its datagram");
    must(ip.source == kOurAddress, "a datagram is from our address");
    const std::span<const uint8_t> payload = bytes.subspan(ip.header_length);
    wire::ChecksumSum sum;
    if (ip.protocol == wire::kProtocolTcp) {
      sum.add_pseudo_header(ip.source, ip.destination, wire::kProtocolTcp, static_cast<uint16_t>(payload.size()));
    }
    sum.add(payload);
    must(sum.folded() == 0xffff, "our checksum is right");
    if (ip.protocol == wire::kProtocolTcp) sees_tcp(ip, payload);
  }

  void sees_tcp(const wire::Ipv4& ip, std::span<const uint8_t> bytes) {
    must(ip.total_length <= 1'500, "a segment of ours fits the MTU");
    const wire::TcpHeader header = wire::parse_tcp(bytes);
    must(header.fault == wire::TcpFault::None, "our TCP header is right");
    wire::TcpOptions options;
    must(wire::parse_tcp_options(bytes.subspan(wire::kTcpHeaderSize, header.header_length - wire::kTcpHeaderSize),
                                 options),
         "our options are well formed");
    if (header.flags.rst()) return;
    Flow* flow = nullptr;
    for (Flow& f : flows_) {
      if (f.address == ip.destination && f.port == header.destination && f.our_port == header.source) flow = &f;
    }
    if (flow == nullptr) {  // one that the stack opens
      if (flows_.size() == kMostFlows) return;
      flows_.push_back({.address = ip.destination, .port = header.destination, .our_port = header.source});
      flow = &flows_.back();
    }
    const auto length = static_cast<uint32_t>(bytes.size() - header.header_length) + (header.flags.syn() ? 1 : 0) +
                        (header.flags.fin() ? 1 : 0);
    const wire::Seq end = header.seq + length;
    flow->sent = header.flags.syn() ? end : later(flow->sent, end);
    if (header.flags.ack()) flow->next = header.ack;
    flow->timestamps = options.has_timestamps;
    flow->ts_echo = options.ts_value;
  }

  std::deque<Flow> flows_;  // references to flows stay good while others come
  std::vector<uint8_t> joined_;
};

}  // namespace estab::fuzz
