// One stack, and a remote host that the test plays by hand in real frames: for what the core cannot show, because it
// lies in the shell (checksums, addresses, IPv4 options, ICMP, bursts).
#pragma once

#include <vector>

#include "support/two_stacks.h"
#include "wire/arp.h"
#include "wire/ethernet.h"
#include "wire/icmp.h"
#include "wire/ipv4.h"
#include "wire/tcp_header.h"
#include "wire/tcp_options.h"

namespace estab::test {

using Bytes = std::vector<uint8_t>;

inline constexpr int kFin = wire::TcpFlags::kFin, kSyn = wire::TcpFlags::kSyn, kRst = wire::TcpFlags::kRst,
                     kAck = wire::TcpFlags::kAck;
inline constexpr wire::Ipv4Address kLocal(198, 18, 0, 2);
inline constexpr wire::Ipv4Address kRemote(198, 18, 0, 9);
inline constexpr wire::MacAddress kRemoteMac{{2, 9, 9, 9, 9, 9}};
inline constexpr wire::Port kServed{7};
inline constexpr wire::Port kTheirs{40'000};

// The sum of RFC 1071 with nothing clever, over the pseudo-header and the segment: 0xffff when the checksum in it is
// right.
inline uint16_t naive_tcp_sum(wire::Ipv4Address from, wire::Ipv4Address to, const Bytes& segment) {
  uint64_t sum = wire::kProtocolTcp + segment.size();
  for (const uint32_t a : {from.value(), to.value()}) sum += (a >> 16) + (a & 0xffff);
  for (size_t i = 0; i < segment.size(); ++i) sum += i % 2 == 0 ? uint64_t{segment[i]} << 8 : segment[i];
  while (sum >> 16 != 0) sum = (sum >> 16) + (sum & 0xffff);
  return static_cast<uint16_t>(sum);
}

// A segment of the remote host, before it is a frame.
struct Sending {
  wire::Ipv4Address source = kRemote;
  wire::Ipv4Address destination = kLocal;
  wire::Port source_port = kTheirs;
  wire::Port destination_port = kServed;
  wire::Seq seq{5000};
  wire::Seq ack{0};
  int flags = 0;
  uint16_t window = 60'000;
  std::string text;
  Bytes options;     // a multiple of four bytes
  Bytes ip_options;  // likewise
};

// What the stack put on the wire.
struct Seen {
  Bytes datagram;
  wire::Ipv4 ip;
  wire::TcpHeader tcp;
  wire::TcpOptions options;
  Bytes segment;
  size_t text = 0;  // bytes

  bool is(int flags) const { return (tcp.flags.bits() & ~wire::TcpFlags::kPsh) == flags; }
};

class OneStack : public ::testing::Test {
 public:
  Recorder user{stack};

  void SetUp() override { need_eal(); }
  void TearDown() override {
    owner_.reset();
    link_.reset();
    wire_.reset();
    if (pool_ == nullptr) return;
    EXPECT_EQ(pool_->in_use(), 0u) << "mbufs leaked";
  }

  // The stack without timestamps and SACK, so that a test's segments show only what the test is about.
  static stack::StackConfig plain_config() {
    stack::StackConfig config;
    config.interface.address = kLocal;
    config.tcp.timestamps = false;
    config.tcp.sack = false;
    config.max_connections = 64;
    config.secrets = {{1, 2}, {3, 4}, {5, 6}, {7, 8}};
    return config;
  }
  void start(stack::StackConfig config = plain_config()) {
    static int count = 0;
    auto made = buf::MbufPool::create("one" + std::to_string(count++), 2048);
    ASSERT_TRUE(made) << made.error();
    pool_ = std::make_unique<buf::MbufPool>(std::move(*made));
    auto pair = device::MemoryLink::create_pair();
    wire_ = std::move(pair.first);
    link_ = std::move(pair.second);
    config.interface.mac = link_->mac();
    owner_ = std::make_unique<stack::Stack>(config, *link_, *pool_, now);
    stack = owner_.get();
    introduce();
  }

  Bytes frame(const Sending& s) const {
    const size_t header = 14 + 20 + s.ip_options.size();
    const size_t tcp_length = 20 + s.options.size() + s.text.size();
    Bytes f(header + tcp_length);
    wire::write_ethernet(f.data(), link_->mac(), kRemoteMac, wire::EtherType::Ipv4);
    uint8_t* ip = f.data() + 14;
    wire::write_ipv4(ip, s.source, s.destination, wire::kProtocolTcp,
                     static_cast<uint16_t>(20 + s.ip_options.size() + tcp_length));
    std::copy(s.ip_options.begin(), s.ip_options.end(), ip + 20);
    ip[0] = static_cast<uint8_t>(0x45 + s.ip_options.size() / 4);
    store_be<uint16_t>(ip + 10, 0);
    wire::ChecksumSum sum;
    sum.add({ip, 20 + s.ip_options.size()});
    store_be(ip + 10, sum.checksum());
    uint8_t* tcp = f.data() + header;
    wire::write_tcp(tcp, s.source_port, s.destination_port, s.seq, s.ack, wire::TcpFlags(s.flags), s.window,
                    s.options.size());
    std::copy(s.options.begin(), s.options.end(), tcp + 20);
    std::copy(s.text.begin(), s.text.end(), tcp + 20 + s.options.size());
    const uint16_t folded = naive_tcp_sum(s.source, s.destination, Bytes(tcp, tcp + tcp_length));
    store_be(tcp + 16, static_cast<uint16_t>(~folded));
    return f;
  }

  void put(const Bytes& f) { link_->arriving().push_back(pool_->copy(f)); }
  // One burst of all that was put on the wire, and the TCP that comes back.
  std::vector<Seen> turn() {
    buf::MbufBurst burst;
    link_->receive(burst);
    if (burst.size() > 0) stack->receive(burst, now);
    stack->advance(now);
    stack->flush();
    std::vector<Seen> out;
    for (auto& arriving = wire_->arriving(); !arriving.empty(); arriving.pop_front()) look(arriving.front(), out);
    return out;
  }
  std::vector<Seen> give_frame(const Bytes& f) {
    put(f);
    return turn();
  }
  std::vector<Seen> give(const Sending& s) { return give_frame(frame(s)); }
  std::vector<Seen> advance(Duration span) {
    now = now + span;
    return turn();
  }
  size_t states(tcp::State state) const { return stack->counters().by_state[static_cast<size_t>(state)]; }
  uint64_t dropped(net::Drop why) const { return stack->counters().net_drops[static_cast<size_t>(why)]; }

  // A connection that the remote host opened: what it would send next.
  Sending established(Sending s = {}) {
    s.flags = kSyn;
    const auto syn_ack = give(s);
    EXPECT_EQ(syn_ack.size(), 1u);
    if (syn_ack.empty()) return s;
    s.flags = kAck;
    s.seq = s.seq + 1;
    s.ack = syn_ack[0].tcp.seq + 1;
    give(s);
    EXPECT_EQ(states(tcp::State::Established), 1u);
    return s;
  }
  // A connection that the stack opened: its SYN.
  Seen connect(stack::ConnectionId& id, const stack::ConnectOptions& options = {}) {
    EXPECT_EQ(stack->connect(kRemote, kServed, user, options, id), stack::ConnectFailure::None);
    const auto sent = turn();
    EXPECT_EQ(sent.size(), 1u);
    return sent.empty() ? Seen{} : sent[0];
  }
  void send_text(stack::ConnectionId id, const std::string& text) {
    buf::Mbuf packet = pool_->copy({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
    ASSERT_TRUE(stack->send(id, packet));
  }

  Instant now = Instant::from_ns(3'600'000'000'000);
  stack::Stack* stack = nullptr;
  int arp_requests = 0;  // seen on the wire

 private:
  // The remote host asks for our address, and so tells its own.
  void introduce() {
    Bytes f(60);
    wire::write_ethernet(f.data(), wire::MacAddress::broadcast(), kRemoteMac, wire::EtherType::Arp);
    wire::write_arp(f.data() + 14, {.operation = wire::ArpOperation::Request,
                                    .sender_mac = kRemoteMac,
                                    .sender = kRemote,
                                    .target = stack->config().interface.address});
    give_frame(f);
  }
  void look(const buf::Mbuf& packet, std::vector<Seen>& out) {
    Bytes bytes;
    for (const rte_mbuf* s = packet.get(); s != nullptr; s = s->next) {
      const auto* p = rte_pktmbuf_mtod(s, const uint8_t*);
      bytes.insert(bytes.end(), p, p + s->data_len);
    }
    if (wire::ethernet_type(bytes.data()) == static_cast<uint16_t>(wire::EtherType::Arp)) {
      const auto arp = wire::parse_arp(std::span(bytes).subspan(14));
      if (arp && arp->operation == wire::ArpOperation::Request) ++arp_requests;
      return;
    }
    Seen seen;
    seen.datagram.assign(bytes.begin() + 14, bytes.end());
    seen.ip = wire::parse_ipv4(seen.datagram, seen.datagram.size());
    ASSERT_EQ(seen.ip.fault, wire::Ipv4Fault::None);
    if (seen.ip.protocol != wire::kProtocolTcp) return;
    seen.segment.assign(seen.datagram.begin() + seen.ip.header_length, seen.datagram.end());
    seen.tcp = wire::parse_tcp(seen.segment);
    ASSERT_EQ(seen.tcp.fault, wire::TcpFault::None);
    const std::span<const uint8_t> header(seen.segment.data(), seen.tcp.header_length);
    ASSERT_TRUE(wire::parse_tcp_options(header.subspan(wire::kTcpHeaderSize), seen.options));
    seen.text = seen.segment.size() - seen.tcp.header_length;
    out.push_back(std::move(seen));
  }

  std::unique_ptr<buf::MbufPool> pool_;
  std::unique_ptr<device::MemoryLink> wire_, link_;
  std::unique_ptr<stack::Stack> owner_;
};

}  // namespace estab::test
