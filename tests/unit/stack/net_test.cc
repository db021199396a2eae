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

// What is read in one look, and what takes the long way because of a priority tag, get the same answer or are
// dropped for the same reason: a closed port's answers show every field.
TEST_F(Net, ShortWayAndLongWay_SayTheSame) {
  start();
  Random random(11);
  const auto outcome = [&](const std::vector<uint8_t>& frame) {
    const stack::Counters before = server->counters();
    give(frame);
    turn();
    std::vector<uint64_t> what;
    for (size_t i = 0; i < net::kDrops; ++i) what.push_back(server->counters().net_drops[i] - before.net_drops[i]);
    for (size_t i = 0; i < tcp::kDrops; ++i) what.push_back(server->counters().tcp_drops[i] - before.tcp_drops[i]);
    for (auto& sent = client_link->arriving(); !sent.empty(); sent.pop_front()) {
      const auto bytes = sent.front().first_segment();
      what.insert(what.end(), bytes.begin(), bytes.end());
    }
    return what;
  };
  int answered = 0;
  for (int i = 0; i < 20'000; ++i) {
    const size_t options = 4 * random.below(6), text = random.below(30);
    std::vector<uint8_t> frame(54 + options + text);
    for (uint8_t& byte : frame) byte = static_cast<uint8_t>(random.next());
    if (random.chance(0.7)) std::fill_n(frame.begin() + 54, options, uint8_t{1});
    uint8_t* p = frame.data();
    wire::write_ethernet(p, server_link->mac(), {{2, 9, 9, 9, 9, 9}}, wire::EtherType::Ipv4);
    wire::write_ipv4(p + 14, wire::Ipv4Address(198, 18, 0, 99), server_address(), wire::kProtocolTcp,
                     static_cast<uint16_t>(frame.size() - 14));
    wire::write_tcp(p + 34, wire::Port(4000), wire::Port(99), wire::Seq(static_cast<uint32_t>(random.next())),
                    wire::Seq(static_cast<uint32_t>(random.next())), wire::TcpFlags(static_cast<int>(random.below(64))),
                    1000, options);
    if (random.chance(0.5)) frame.resize(frame.size() + random.below(8));  // padding
    if (random.chance(0.6))
      frame[random.below(static_cast<uint32_t>(std::min<size_t>(frame.size(), 54)))] ^=
          static_cast<uint8_t>(1u << random.below(8));
    const auto sum_at = [&](size_t at, wire::ChecksumSum sum, size_t field) {
      store_be<uint16_t>(frame.data() + field, 0);
      sum.add(std::span(frame).subspan(at, field == 24 ? 20 : 20 + options + text));
      store_be(frame.data() + field, sum.checksum());
    };
    if (random.chance(0.8)) sum_at(14, {}, 24);
    wire::ChecksumSum pseudo;
    pseudo.add_pseudo_header(wire::Ipv4Address(load_be<uint32_t>(frame.data() + 26)),
                             wire::Ipv4Address(load_be<uint32_t>(frame.data() + 30)), wire::kProtocolTcp,
                             static_cast<uint16_t>(20 + options + text));
    if (random.chance(0.8)) sum_at(34, pseudo, 50);
    const auto one = outcome(frame);
    constexpr std::array<uint8_t, 4> kPriorityTag = {0x81, 0x00, 0x00, 0x00};
    frame.insert(frame.begin() + 12, kPriorityTag.begin(), kPriorityTag.end());
    const auto two = outcome(frame);
    ASSERT_EQ(one, two) << i;
    answered += one.size() > net::kDrops + tcp::kDrops ? 1 : 0;
  }
  EXPECT_GT(answered, 3'000);
}

}  // namespace
}  // namespace estab::test
