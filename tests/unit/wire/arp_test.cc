#include "wire/arp.h"

#include <gtest/gtest.h>

#include <array>

namespace estab::wire {
namespace {

using Packet = std::array<uint8_t, 46>;  // with Ethernet's padding

constexpr Arp kRequest{.operation = ArpOperation::Request,
                       .sender_mac = {{2, 0, 0, 0, 0, 1}},
                       .sender = Ipv4Address(192, 0, 2, 1),
                       .target_mac = {},
                       .target = Ipv4Address(192, 0, 2, 2)};

Packet packet(const Arp& arp = kRequest) {
  Packet p{};
  write_arp(p.data(), arp);
  return p;
}

TEST(Rfc826Arp, Written_ParsesBack) {
  EXPECT_EQ(parse_arp(packet()), kRequest);
  Arp reply = kRequest;
  reply.operation = ArpOperation::Reply;
  reply.target_mac = {{2, 0, 0, 0, 0, 2}};
  EXPECT_EQ(parse_arp(packet(reply)), reply);
}

TEST(Rfc826Arp, Truncated_Nothing) {
  const Packet p = packet();
  EXPECT_FALSE(parse_arp(std::span(p).first(27)));
}

TEST(Rfc826Arp, OtherHardwareProtocolOrSizes_Nothing) {
  for (const size_t byte : {0u, 1u, 2u, 3u, 4u, 5u}) {
    Packet p = packet();
    p[byte] ^= 0x10;
    EXPECT_FALSE(parse_arp(p)) << "byte " << byte;
  }
}

TEST(Rfc826Arp, OtherOperation_Nothing) {
  for (const uint16_t operation : {uint16_t{0}, uint16_t{3}, uint16_t{0x0101}}) {
    Packet p = packet();
    store_be(p.data() + 6, operation);
    EXPECT_FALSE(parse_arp(p)) << operation;
  }
}

TEST(Ethernet, Header_WritesAndReads) {
  uint8_t frame[14];
  const MacAddress to = MacAddress::broadcast(), from{{2, 0, 0, 0, 0, 9}};
  write_ethernet(frame, to, from, EtherType::Arp);
  EXPECT_EQ(ethernet_destination(frame), to);
  EXPECT_EQ(ethernet_source(frame), from);
  EXPECT_EQ(ethernet_type(frame), 0x0806);
  EXPECT_TRUE(to.is_group());
  EXPECT_FALSE(from.is_group());
}

}  // namespace
}  // namespace estab::wire
