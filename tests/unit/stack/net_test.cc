// ARP, ICMP echo and what is dropped before TCP, in real frames.
#include <cstring>

#include "support/two_stacks.h"
#include "wire/arp.h"
#include "wire/ethernet.h"
#include "wire/icmp.h"

namespace estab::test {
namespace {

class Net : public TwoStacks {
 public:
  Recorder theirs{server};

  // Puts a frame on the wire to the server.
  void give(std::span<const uint8_t> frame) { server_link->arriving().push_back(pool().copy(frame)); }
  uint64_t dropped(net::Drop why) const { return server->counters().net_drops[static_cast<size_t>(why)]; }

  std::vector<uint8_t> arp_request(wire::Ipv4Address target) {
    std::vector<uint8_t> frame(60);
    const wire::MacAddress peer{{2, 9, 9, 9, 9, 9}};
    wire::write_ethernet(frame.data(), wire::MacAddress::broadcast(), peer, wire::EtherType::Arp);
    wire::write_arp(frame.data() + 14, {.operation = wire::ArpOperation::Request,
                                        .sender_mac = peer,
                                        .sender = wire::Ipv4Address(198, 18, 0, 99),
                                        .target = target});
    return frame;
  }

  std::vector<uint8_t> echo_request(size_t payload) {
    std::vector<uint8_t> frame(14 + 20 + 8 + payload);
    uint8_t* p = frame.data();
    wire::write_ethernet(p, server_link->mac(), {{2, 9, 9, 9, 9, 9}}, wire::EtherType::Ipv4);
    wire::write_ipv4(p + 14, wire::Ipv4Address(198, 18, 0, 99), server_address(), wire::kProtocolIcmp,
                     static_cast<uint16_t>(28 + payload));
    p[34] = 8;
    for (size_t i = 0; i < payload; ++i) p[42 + i] = static_cast<uint8_t>(i);
    wire::ChecksumSum sum;
    sum.add({p + 34, 8 + payload});
    store_be(p + 36, sum.checksum());
    return frame;
  }
};

TEST_F(Net, ArpRequestForUs_IsAnsweredInPlace) {
  start();
  give(arp_request(server_address()));
  turn();
  ASSERT_EQ(client_link->arriving().size(), 1u);
  const auto reply = client_link->arriving()[0].first_segment();
  EXPECT_EQ(wire::ethernet_destination(reply.data()), (wire::MacAddress{{2, 9, 9, 9, 9, 9}}));
  const auto arp = wire::parse_arp(reply.subspan(14));
  ASSERT_TRUE(arp);
  EXPECT_EQ(arp->operation, wire::ArpOperation::Reply);
  EXPECT_EQ(arp->sender, server_address());
  EXPECT_EQ(arp->sender_mac, server_link->mac());
  EXPECT_EQ(server->counters().mbufs_allocated, 0u);
  client_link->arriving().clear();
}

TEST_F(Net, ArpRequestForOthers_IsNot) {
  start();
  give(arp_request(wire::Ipv4Address(198, 18, 0, 55)));
  turn();
  EXPECT_TRUE(client_link->idle());
}

TEST_F(Net, EchoRequest_ComesBackWithItsPayload) {
  start();
  give(echo_request(56));
  turn();
  ASSERT_EQ(client_link->arriving().size(), 1u);
  const auto reply = client_link->arriving()[0].first_segment();
  ASSERT_EQ(reply.size(), 14u + 20 + 8 + 56);
  EXPECT_EQ(reply[34], 0);
  wire::ChecksumSum sum;
  sum.add(reply.subspan(34));
  EXPECT_EQ(sum.folded(), 0xffff);
  EXPECT_EQ(reply[42 + 55], 55);
  client_link->arriving().clear();
}

TEST_F(Net, BadFrames_AreDroppedEachForItsReason) {
  start();
  const auto with = [&](auto change) {
    auto frame = echo_request(10);
    change(frame);
    give(frame);
    turn();
  };
  with([](auto& f) { f[36] ^= 1; });
  EXPECT_EQ(dropped(net::Drop::IcmpMalformed), 1u);
  with([](auto& f) { f[24] ^= 1; });
  EXPECT_EQ(dropped(net::Drop::Ipv4Checksum), 1u);
  with([](auto& f) { f[5] ^= 1; });
  EXPECT_EQ(dropped(net::Drop::OtherMac), 1u);
  with([](auto& f) { f[12] = 0x86, f[13] = 0xdd; });
  EXPECT_EQ(dropped(net::Drop::UnknownEtherType), 1u);
  with([](auto& f) { f.resize(10); });
  EXPECT_EQ(dropped(net::Drop::TruncatedFrame), 1u);
  EXPECT_TRUE(client_link->idle());
}

TEST_F(Net, NobodyAnswersArp_HeldPacketsAreDroppedAndCounted) {
  start();
  Recorder ours{client};
  stack::ConnectionId id;
  ASSERT_EQ(client->connect(wire::Ipv4Address(198, 18, 0, 77), kPort, ours, {}, id), stack::ConnectFailure::None);
  advance(Duration::seconds(5), Duration::milliseconds(100));
  EXPECT_GT(client->counters().drops[static_cast<size_t>(stack::Drop::Unreachable)], 0u);
}

TEST_F(Net, OffLinkWithoutGateway_HasNoRoute) {
  start();
  Recorder ours{client};
  stack::ConnectionId id;
  EXPECT_EQ(client->connect(wire::Ipv4Address(192, 0, 2, 1), kPort, ours, {}, id), stack::ConnectFailure::NoRoute);
}

}  // namespace
}  // namespace estab::test
