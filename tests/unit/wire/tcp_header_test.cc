#include "wire/tcp_header.h"

#include <gtest/gtest.h>

#include <array>

namespace estab::wire {
namespace {

std::array<uint8_t, 60> header(size_t options = 0) {
  std::array<uint8_t, 60> h{};
  write_tcp(h.data(), Port(80), Port(50'000), Seq(0xfffffffe), Seq(0x80000001),
            TcpFlags(TcpFlags::kSyn | TcpFlags::kAck), 0xabcd, options);
  return h;
}

TEST(Rfc9293_3_1_Header, Written_ParsesBack) {
  const TcpHeader tcp = parse_tcp(header());
  EXPECT_EQ(tcp.fault, TcpFault::None);
  EXPECT_EQ(tcp.source, Port(80));
  EXPECT_EQ(tcp.destination, Port(50'000));
  EXPECT_EQ(tcp.seq, Seq(0xfffffffe));
  EXPECT_EQ(tcp.ack, Seq(0x80000001));
  EXPECT_EQ(tcp.flags, TcpFlags(TcpFlags::kSyn | TcpFlags::kAck));
  EXPECT_EQ(tcp.window, 0xabcd);
  EXPECT_EQ(tcp.urgent, 0);
  EXPECT_EQ(tcp.header_length, 20);
}

TEST(Rfc9293_3_1_Header, Options_CountInTheDataOffset) {
  for (size_t options = 0; options <= 40; options += 4) {
    EXPECT_EQ(parse_tcp(header(options)).header_length, 20 + options);
  }
}

TEST(Rfc9293_3_1_Header, Under20Bytes_Truncated) {
  const auto h = header();
  EXPECT_EQ(parse_tcp(std::span(h).first(19)).fault, TcpFault::Truncated);
  EXPECT_EQ(parse_tcp({}).fault, TcpFault::Truncated);
}

TEST(Rfc9293_3_1_Header, DataOffsetUnder5_BadDataOffset) {
  for (int offset = 0; offset < 5; ++offset) {
    auto h = header();
    h[12] = static_cast<uint8_t>(offset << 4);
    EXPECT_EQ(parse_tcp(h).fault, TcpFault::BadDataOffset) << offset;
  }
}

TEST(Rfc9293_3_1_Header, DataOffsetPastTheSegment_BadDataOffset) {
  const auto h = header(4);
  EXPECT_EQ(parse_tcp(std::span(h).first(23)).fault, TcpFault::BadDataOffset);
  EXPECT_EQ(parse_tcp(std::span(h).first(24)).fault, TcpFault::None);
}

TEST(Rfc9293_3_1_Header, ReservedBits_Ignored) {  // "must be ignored in received segments"
  auto h = header();
  h[12] |= 0x0f;
  EXPECT_EQ(parse_tcp(h).fault, TcpFault::None);
  EXPECT_EQ(parse_tcp(h).header_length, 20);
}

TEST(Rfc9293_3_1_Header, EachControlBit_IsItsOwn) {
  for (int bit = 0; bit < 8; ++bit) {
    const TcpFlags flags(1 << bit);
    EXPECT_EQ(flags.fin(), bit == 0);
    EXPECT_EQ(flags.syn(), bit == 1);
    EXPECT_EQ(flags.rst(), bit == 2);
    EXPECT_EQ(flags.psh(), bit == 3);
    EXPECT_EQ(flags.ack(), bit == 4);
    EXPECT_EQ(flags.urg(), bit == 5);
  }
}

}  // namespace
}  // namespace estab::wire
