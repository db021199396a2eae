#include "wire/ipv4.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>

namespace estab::wire {
namespace {

using Header = std::array<uint8_t, 60>;
constexpr Ipv4Address kFrom(192, 0, 2, 1), kTo(192, 0, 2, 2);

Header header(uint16_t total_length = 60) {
  Header h{};
  write_ipv4(h.data(), kFrom, kTo, kProtocolTcp, total_length);
  return h;
}

// A header changed by `edit`, its checksum made right again where `repair` says so.
Ipv4 parsed(const std::function<void(Header&)>& edit, size_t size = 60, bool repair = true, size_t frame = 60) {
  Header h = header();
  edit(h);
  if (repair) {
    const size_t length = std::min<size_t>((h[0] & 0xfu) * 4u, h.size());
    h[10] = h[11] = 0;
    ChecksumSum sum;
    sum.add(std::span(h).first(length));
    store_be(h.data() + 10, sum.checksum());
  }
  return parse_ipv4(std::span(h).first(size), frame);
}

TEST(Ipv4, WrittenHeader_ParsesBack) {
  const Header h = header(47);
  const Ipv4 ip = parse_ipv4(h, 60);
  EXPECT_EQ(ip.fault, Ipv4Fault::None);
  EXPECT_EQ(ip.source, kFrom);
  EXPECT_EQ(ip.destination, kTo);
  EXPECT_EQ(ip.header_length, 20);
  EXPECT_EQ(ip.total_length, 47);
  EXPECT_EQ(ip.protocol, kProtocolTcp);
  EXPECT_EQ(ip.ttl, 64);
  EXPECT_EQ(ip.id, 0);
  EXPECT_FALSE(ip.fragment);
}

TEST(Ipv4, ShorterThanAHeader_Truncated) {
  EXPECT_EQ(parsed([](Header&) {}, 19).fault, Ipv4Fault::Truncated);
  EXPECT_EQ(parse_ipv4({}, 0).fault, Ipv4Fault::Truncated);
}

TEST(Ipv4, Version6_BadVersion) {
  EXPECT_EQ(parsed([](Header& h) { h[0] = 0x65; }).fault, Ipv4Fault::BadVersion);
}

TEST(Ipv4, HeaderLengthUnder20_BadHeaderLength) {
  EXPECT_EQ(parsed([](Header& h) { h[0] = 0x44; }).fault, Ipv4Fault::BadHeaderLength);
}

TEST(Ipv4, HeaderLengthOverPacket_BadHeaderLength) {
  EXPECT_EQ(parsed([](Header& h) { h[0] = 0x46; }, 20).fault, Ipv4Fault::BadHeaderLength);
}

TEST(Ipv4, TotalLengthUnderHeader_BadTotalLength) {
  EXPECT_EQ(parsed([](Header& h) { store_be<uint16_t>(h.data() + 2, 19); }).fault, Ipv4Fault::BadTotalLength);
}

TEST(Ipv4, TotalLengthOverFrame_BadTotalLength) {
  EXPECT_EQ(parsed([](Header& h) { store_be<uint16_t>(h.data() + 2, 61); }).fault, Ipv4Fault::BadTotalLength);
}

TEST(Ipv4, TotalLengthInLaterBuffer_Accepted) {  // only the first part of a chain is contiguous
  EXPECT_EQ(parsed([](Header& h) { store_be<uint16_t>(h.data() + 2, 1'400); }, 60, true, 1'400).fault, Ipv4Fault::None);
}

TEST(Ipv4, OneBitFlipped_BadChecksum) {
  EXPECT_EQ(parsed([](Header& h) { h[15] ^= 1; }, 60, false).fault, Ipv4Fault::BadChecksum);
}

TEST(Ipv4, ChecksumVerifiedByDevice_NotLookedAt) {
  Header h = header();
  h[10] ^= 0xff;
  EXPECT_EQ(parse_ipv4(h, 60, false).fault, Ipv4Fault::None);
}

TEST(Ipv4, Options_CountedAndSummed) {
  const Ipv4 ip = parsed([](Header& h) {
    h[0] = 0x47;
    h[20] = 1;
  });
  EXPECT_EQ(ip.fault, Ipv4Fault::None);
  EXPECT_EQ(ip.header_length, 28);
}

TEST(Ipv4, FirstFragment_IsFragment) {
  EXPECT_TRUE(parsed([](Header& h) { store_be<uint16_t>(h.data() + 6, 0x2000); }).fragment);
}

TEST(Ipv4, LastFragment_IsFragment) {
  EXPECT_TRUE(parsed([](Header& h) { store_be<uint16_t>(h.data() + 6, 0x0001); }).fragment);
}

TEST(Ipv4, DontFragment_IsNoFragment) {
  EXPECT_FALSE(parsed([](Header& h) { store_be<uint16_t>(h.data() + 6, 0x4000); }).fragment);
}

TEST(Ipv4Address, Classes_AreRecognised) {
  EXPECT_TRUE(Ipv4Address(224, 0, 0, 1).is_multicast());
  EXPECT_TRUE(Ipv4Address(239, 255, 255, 255).is_multicast());
  EXPECT_FALSE(Ipv4Address(240, 0, 0, 1).is_multicast());
  EXPECT_TRUE(Ipv4Address(255, 255, 255, 255).is_limited_broadcast());
  EXPECT_TRUE(Ipv4Address(127, 1, 2, 3).is_loopback());
  EXPECT_TRUE(Ipv4Address().is_unspecified());
}

}  // namespace
}  // namespace estab::wire
