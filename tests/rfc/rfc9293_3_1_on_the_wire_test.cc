// RFC 9293 §3.1 and §3.7.1 in real frames: checksums, options on any segment, the MSS that we announce.
#include "device/port.h"
#include "estab/endpoint.h"
#include "rfc/one_stack.h"

namespace estab::test {
namespace {

using Rfc9293_3_1_Must2 = OneStack;
using Rfc9293_3_1_Must3 = OneStack;
using Rfc9293_3_1_Must5 = OneStack;
using Rfc9293_3_1_Must7 = OneStack;
using Rfc9293_3_2_Must65 = OneStack;
using Rfc9293_3_7_1_Must67 = OneStack;

// SYN-ACK, short and long text of even and odd length (copied and chained), FIN, RST.
TEST_F(Rfc9293_3_1_Must2, EverySegment_ChecksumIsRight) {
  auto config = plain_config();
  config.tcp.sack = config.tcp.timestamps = true;
  start(config);
  stack->listen(kServed, user, 8);
  const auto expect_right = [](const std::vector<Seen>& sent, size_t at_least) {
    EXPECT_GE(sent.size(), at_least);
    for (const Seen& s : sent) EXPECT_EQ(naive_tcp_sum(s.ip.source, s.ip.destination, s.segment), 0xffff);
  };
  Sending s{.flags = kSyn, .options = {2, 4, 5, 0xb4}};
  const auto syn_ack = give(s);
  expect_right(syn_ack, 1);
  s = {.seq = wire::Seq(5001), .ack = syn_ack[0].tcp.seq + 1, .flags = kAck};
  give(s);
  ASSERT_EQ(user.established, 1);
  for (const size_t size : {1u, 2u, 255u, 1000u, 1001u, 4'001u}) {
    std::string text(size, '\xff');
    for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7 + size);
    send_text(user.last, text);
    const auto sent = turn();
    expect_right(sent, 1);
    for (const Seen& seen : sent) s.ack = seen.tcp.seq + static_cast<uint32_t>(seen.text);
    give(s);
  }
  stack->shutdown_send(user.last);
  expect_right(turn(), 1);
  expect_right(give({.source_port = wire::Port(1), .destination_port = wire::Port(2), .flags = kSyn, .text = "odd"}),
               1);
}

TEST_F(Rfc9293_3_1_Must3, WrongChecksum_SilentlyDroppedAndCounted) {
  start();
  stack->listen(kServed, user, 8);
  const Bytes good = frame({.flags = kSyn});
  uint64_t count = 0;
  for (size_t at = 34; at < good.size(); ++at) {  // any byte of the segment
    if (at == 34 + 12) continue;                  // the data offset is its own check
    Bytes bad = good;
    bad[at] ^= 0x10;
    EXPECT_TRUE(give_frame(bad).empty()) << at;
    EXPECT_EQ(dropped(net::Drop::TcpChecksum), ++count) << at;
  }
  EXPECT_EQ(stack->connections(), 0u);
  EXPECT_EQ(give_frame(good).size(), 1u);
}

TEST_F(Rfc9293_3_1_Must3, WrongChecksumOnText_NotDelivered) {
  start();
  stack->listen(kServed, user, 8);
  Sending s = established();
  s.text = "text";
  Bytes bad = frame(s);
  bad.back() ^= 1;
  EXPECT_TRUE(give_frame(bad).empty());
  EXPECT_EQ(user.text[user.last.index], "");
  EXPECT_EQ(give(s).size(), 1u);
  EXPECT_EQ(user.text[user.last.index], "text");
}

// MUST-6 too: 254 is nobody's. MSS on a segment without SYN is no offer.
TEST_F(Rfc9293_3_1_Must5, TextAndFinWithOptions_Taken) {
  start();
  stack->listen(kServed, user, 8);
  Sending s = established({.options = {2, 4, 3, 232}});  // MSS 1000
  s.text = "text";
  s.options = {254, 4, 9, 9, 1, 1, 1, 0};
  EXPECT_EQ(give(s).size(), 1u);
  EXPECT_EQ(user.text[user.last.index], "text");
  s.seq = s.seq + 4;
  s.text.clear();
  s.options = {2, 4, 0, 100};
  give(s);
  send_text(user.last, std::string(1000, 'x'));
  const auto sent = turn();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].text, 1000u);
  s.ack = s.ack + 1000;
  s.flags = kFin | kAck;
  s.options = {1, 254, 3, 0};
  give(s);
  EXPECT_EQ(user.peer_closed, 1);
}

TEST_F(Rfc9293_3_1_Must7, IllegalOptionLength_DroppedAndCountedAndTheConnectionLives) {
  start();
  stack->listen(kServed, user, 8);
  Sending s = established();
  s.text = "text";
  uint64_t count = 0;
  for (const Bytes& list :
       {Bytes{254, 0, 0, 0}, Bytes{254, 1, 0, 0}, Bytes{1, 1, 254, 3}, Bytes{1, 1, 1, 254}, Bytes{2, 3, 5, 1}}) {
    s.options = list;
    EXPECT_TRUE(give(s).empty());
    EXPECT_EQ(dropped(net::Drop::TcpOptions), ++count);
  }
  s.options.clear();
  EXPECT_EQ(give(s).size(), 1u);
  EXPECT_EQ(user.text[user.last.index], "text");
}

TEST_F(Rfc9293_3_2_Must65, OnlyTheSynAck_CarriesAnMss) {
  start();
  stack->listen(kServed, user, 8);
  const auto syn_ack = give({.flags = kSyn});
  ASSERT_EQ(syn_ack.size(), 1u);
  EXPECT_TRUE(syn_ack[0].options.has_mss);
  Sending s{.seq = wire::Seq(5001), .ack = syn_ack[0].tcp.seq + 1, .flags = kAck};
  give(s);
  send_text(user.last, "answer");
  auto later = turn();
  s.ack = s.ack + 6;
  s.text = "text";
  for (const Seen& seen : give(s)) later.push_back(seen);
  s.seq = s.seq + 4;
  s.text.clear();
  s.flags = kFin | kAck;  // the user answers it with a FIN
  for (const Seen& seen : give(s)) later.push_back(seen);
  for (const Seen& seen : give({.source_port = wire::Port(9), .ack = wire::Seq(1), .flags = kAck}))
    later.push_back(seen);
  EXPECT_GE(later.size(), 4u);
  for (const Seen& seen : later) EXPECT_FALSE(seen.options.has_mss) << int{seen.tcp.flags.bits()};
}

// MMS_R is the MTU without the IPv4 header, as nothing is reassembled (MMS_R - 20: the MTU - 40).
TEST_F(Rfc9293_3_7_1_Must67, Endpoint_AnnouncesTheMtuOfItsDeviceLess40) {
  Config config;
  config.eal_arguments = {"--no-huge", "--no-shconf", "-m", "512"};
  config.mbufs = 1024;
  config.max_connections = 16;
  auto pair = create_ring_pair("must67", config);
  ASSERT_TRUE(pair) << pair.error();
  config.device = pair->first;
  config.address = *Cidr::parse("198.18.0.2/24");
  auto endpoint = Endpoint::create(config);
  ASSERT_TRUE(endpoint) << endpoint.error();
  Service service;
  ASSERT_TRUE((*endpoint)->listen(kServed.value(), service));
  auto pool = buf::MbufPool::create("must67", 64);
  ASSERT_TRUE(pool) << pool.error();
  auto port = device::Port::open(pair->second, *pool);
  ASSERT_TRUE(port) << port.error();
  start();  // for frame(); its link's MAC is not the endpoint's
  buf::MbufBurst burst;
  Bytes arp(60);
  wire::write_ethernet(arp.data(), wire::MacAddress::broadcast(), kRemoteMac, wire::EtherType::Arp);
  wire::write_arp(
      arp.data() + 14,
      {.operation = wire::ArpOperation::Request, .sender_mac = kRemoteMac, .sender = kRemote, .target = kLocal});
  const auto exchange = [&](const Bytes& f) {
    rte_mbuf* mbuf = pool->copy(f).release();
    EXPECT_EQ((*port)->transmit(&mbuf, 1), 1);
    (*endpoint)->poll();
    burst.clear();
    (*port)->receive(burst);
    const auto bytes = burst.size() == 1 ? burst.peek(0).first_segment() : std::span<const uint8_t>();
    return Bytes(bytes.begin(), bytes.end());
  };
  const Bytes reply = exchange(arp);
  ASSERT_GE(reply.size(), 42u);
  Bytes syn = frame({.flags = kSyn});
  std::copy(reply.begin() + 6, reply.begin() + 12, syn.begin());
  const Bytes syn_ack = exchange(syn);
  ASSERT_GE(syn_ack.size(), 58u);
  wire::TcpOptions options;
  ASSERT_TRUE(wire::parse_tcp_options(std::span(syn_ack).subspan(54), options));
  EXPECT_EQ(options.mss, (*port)->mtu() - 40);
  burst.clear();
}

}  // namespace
}  // namespace estab::test
