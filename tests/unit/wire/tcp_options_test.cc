#include "wire/tcp_options.h"

#include <gtest/gtest.h>

#include <vector>

namespace estab::wire {
namespace {

using Bytes = std::vector<uint8_t>;

TcpOptions parsed(const Bytes& list) {
  TcpOptions out;
  EXPECT_TRUE(parse_tcp_options(list, out));
  return out;
}
bool malformed(const Bytes& list) {
  TcpOptions out;
  return !parse_tcp_options(list, out);
}

TEST(TcpOptions, EmptyList_NoOptions) {
  EXPECT_EQ(parsed({}), TcpOptions{});
}

TEST(TcpOptions, Mss_Read) {
  EXPECT_EQ(parsed({2, 4, 0x05, 0xb4}), (TcpOptions{.has_mss = true, .mss = 1460}));
}

TEST(TcpOptions, WindowScale_Read) {
  EXPECT_EQ(parsed({3, 3, 7}), (TcpOptions{.has_window_scale = true, .window_scale = 7}));
}

TEST(Rfc7323_2_3_WindowScale, Over14_Taken_As14) {
  EXPECT_EQ(parsed({3, 3, 15}).window_scale, 14);
  EXPECT_EQ(parsed({3, 3, 255}).window_scale, 14);
}

TEST(TcpOptions, SackPermitted_Read) {
  EXPECT_EQ(parsed({4, 2}), TcpOptions{.sack_permitted = true});
}

TEST(TcpOptions, Timestamps_Read) {
  const TcpOptions expected{.has_timestamps = true, .ts_value = 0x01020304, .ts_echo = 0xfffefdfc};
  EXPECT_EQ(parsed({8, 10, 1, 2, 3, 4, 0xff, 0xfe, 0xfd, 0xfc}), expected);
  EXPECT_EQ(parsed({1, 1, 8, 10, 1, 2, 3, 4, 0xff, 0xfe, 0xfd, 0xfc}), expected) << "the short cut";
}

TEST(TcpOptions, SackOneBlock_Read) {
  TcpOptions expected;
  expected.sack_count = 1;
  expected.sack[0] = {Seq(1), Seq(0x80000000)};
  EXPECT_EQ(parsed({5, 10, 0, 0, 0, 1, 0x80, 0, 0, 0}), expected);
}

TEST(TcpOptions, SackFourBlocks_Read) {
  Bytes list{5, 34};
  for (uint8_t i = 0; i < 8; ++i) list.insert(list.end(), {0, 0, 0, i});
  const TcpOptions out = parsed(list);
  EXPECT_EQ(out.sack_count, 4);
  EXPECT_EQ(out.sack[3], (SackBlock{Seq(6), Seq(7)}));
}

TEST(Rfc9293_3_2_Options, EndOfList_StopsReading) {
  EXPECT_EQ(parsed({0, 2, 4, 5, 0xb4}), TcpOptions{});
  EXPECT_EQ(parsed({4, 2, 0, 99}), TcpOptions{.sack_permitted = true});
}

TEST(Rfc9293_3_2_Options, Nops_AnyNumberAnywhere_Skipped) {
  EXPECT_EQ(parsed({1, 1, 1, 4, 2, 1, 3, 3, 2, 1}),
            (TcpOptions{.has_window_scale = true, .sack_permitted = true, .window_scale = 2}));
}

TEST(Rfc9293_3_2_Options, NoAlignment_Accepted) {  // "a TCP must be able to receive options on any byte boundary"
  EXPECT_TRUE(parsed({1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}).has_timestamps);
}

TEST(Rfc9293_3_2_Must6, UnknownOption_SkippedByItsLength) {
  EXPECT_EQ(parsed({254, 6, 2, 4, 9, 9, 2, 4, 0x05, 0xb4}), (TcpOptions{.has_mss = true, .mss = 1460}));
  EXPECT_EQ(parsed({34, 2, 4, 2}), TcpOptions{.sack_permitted = true});
}

TEST(Rfc9293_3_2_Must7, IllegalLength_Malformed) {
  EXPECT_TRUE(malformed({2})) << "no length";
  EXPECT_TRUE(malformed({1, 1, 254}));
  EXPECT_TRUE(malformed({254, 0})) << "would never end";
  EXPECT_TRUE(malformed({254, 1}));
  EXPECT_TRUE(malformed({254, 3})) << "past the list";
  EXPECT_TRUE(malformed({2, 4, 5})) << "past the list";
}

TEST(Rfc9293_3_2_Must7, KnownOptionOfWrongLength_Malformed) {
  EXPECT_TRUE(malformed({2, 3, 5}));
  EXPECT_TRUE(malformed({2, 5, 5, 0, 0}));
  EXPECT_TRUE(malformed({3, 2}));
  EXPECT_TRUE(malformed({3, 4, 1, 1}));
  EXPECT_TRUE(malformed({4, 3, 0}));
  EXPECT_TRUE(malformed({8, 9, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_TRUE(malformed({8, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_TRUE(malformed({5, 2})) << "SACK without a block";
  EXPECT_TRUE(malformed({5, 9, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_TRUE(malformed({5, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})) << "one and a quarter";
}

TEST(TcpOptions, EveryShortList_NeverReadsPastIt) {  // under AddressSanitizer this is the point
  for (int kind = 0; kind < 256; ++kind) {
    for (int length = 0; length < 42; ++length) {
      for (size_t size = 1; size <= 4; ++size) {
        Bytes list(size, 1);
        list[0] = static_cast<uint8_t>(kind);
        if (size > 1) list[1] = static_cast<uint8_t>(length);
        TcpOptions out;
        (void)parse_tcp_options(list, out);
      }
    }
  }
}

TEST(TcpOptions, EveryCombination_RoundTripsPaddedAndWithinForty) {
  for (int bits = 0; bits < 16; ++bits) {
    for (uint8_t blocks = 0; blocks <= 4; ++blocks) {
      TcpOptions in;
      if (bits & 1) in.has_mss = true, in.mss = 1460;
      if (bits & 2) in.has_window_scale = true, in.window_scale = 9;
      if (bits & 4) in.sack_permitted = true;
      if (bits & 8) in.has_timestamps = true, in.ts_value = 0xdeadbeef, in.ts_echo = 0x80000000;
      in.sack_count = blocks;
      for (uint32_t i = 0; i < blocks; ++i) in.sack[i] = {Seq(0xfffffff0 + i), Seq(10 + i)};
      Bytes written(64, 0xee);
      const size_t size = write_tcp_options(written.data(), in);
      ASSERT_EQ(size, tcp_options_size(in));
      ASSERT_LE(size, kMaxTcpOptionsSize) << "options " << bits << " blocks " << int{blocks};
      ASSERT_EQ(size % 4, 0u);
      ASSERT_EQ(written[size], 0xee) << "wrote too much";
      written.resize(size);
      const TcpOptions out = parsed(written);
      in.sack_count = out.sack_count;
      for (size_t i = in.sack_count; i < kMaxSackBlocks; ++i) in.sack[i] = {};
      EXPECT_EQ(out, in) << "options " << bits << " blocks " << int{blocks};
    }
  }
}

TEST(Rfc2018_3_Sack, BesideTimestamps_ThreeBlocks) {
  TcpOptions in{.has_timestamps = true, .sack_count = 4};
  EXPECT_EQ(tcp_options_size(in), 40u);
}

TEST(Rfc2018_3_Sack, Alone_FourBlocks) {
  EXPECT_EQ(tcp_options_size(TcpOptions{.sack_count = 4}), 36u);
}

TEST(Rfc7323_AppendixA, Timestamps_TwoNopsInFront) {
  uint8_t written[40];
  ASSERT_EQ(write_tcp_options(written, TcpOptions{.has_timestamps = true, .ts_value = 1, .ts_echo = 2}), 12u);
  EXPECT_EQ(Bytes(written, written + 12), (Bytes{1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}));
}

}  // namespace
}  // namespace estab::wire
