#include "wire/checksum.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/random.h"

namespace estab::wire {
namespace {

// RFC 1071 §4.1 word by word, in network order.
uint16_t naive_sum(const std::vector<uint8_t>& bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); i += 2) {
    const uint32_t low = i + 1 < bytes.size() ? bytes[i + 1] : 0;
    sum += static_cast<uint32_t>(bytes[i] << 8) | low;
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<uint16_t>(sum);
}

std::vector<uint8_t> random_bytes(size_t n, uint64_t seed) {
  Random random(seed);
  std::vector<uint8_t> bytes(n);
  for (uint8_t& b : bytes) b = static_cast<uint8_t>(random.next() >> 56);
  return bytes;
}

TEST(Rfc1071Checksum, Example_OfSection3_Matches) {
  const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  ChecksumSum sum;
  sum.add(bytes);
  EXPECT_EQ(sum.folded(), 0xddf2);
  EXPECT_EQ(sum.checksum(), 0x220d);
}

TEST(Rfc1071Checksum, EveryLength_EqualsTheNaiveSum) {
  for (size_t n = 0; n < 200; ++n) {
    const auto bytes = random_bytes(n, n + 1);
    ChecksumSum sum;
    sum.add(bytes);
    EXPECT_EQ(sum.folded(), naive_sum(bytes)) << "length " << n;
  }
}

TEST(Rfc1071Checksum, AllOnes_LargestDatagram_DoesNotOverflow) {
  const std::vector<uint8_t> bytes(65'535, 0xff);
  ChecksumSum sum;
  sum.add(bytes);
  EXPECT_EQ(sum.folded(), naive_sum(bytes));
}

TEST(Rfc1071Checksum, UnalignedAddress_EqualsTheNaiveSum) {
  const auto bytes = random_bytes(101, 3);
  for (size_t offset = 0; offset < 8; ++offset) {
    ChecksumSum sum;
    sum.add(std::span(bytes).subspan(offset));
    EXPECT_EQ(sum.folded(), naive_sum({bytes.begin() + static_cast<ptrdiff_t>(offset), bytes.end()})) << offset;
  }
}

TEST(Rfc1071Checksum, TwoPieces_EveryCut_EqualTheWhole) {  // text in a chain of buffers may be cut at an odd place
  for (const size_t n : {33u, 34u}) {
    const auto bytes = random_bytes(n, n);
    for (size_t cut = 0; cut <= n; ++cut) {
      ChecksumSum sum;
      sum.add(std::span(bytes).first(cut));
      if (cut % 2 == 0) {
        sum.add(std::span(bytes).subspan(cut));
      } else {
        sum.add_odd(std::span(bytes).subspan(cut));
      }
      EXPECT_EQ(sum.folded(), naive_sum(bytes)) << "cut at " << cut << " of " << n;
    }
  }
}

TEST(Rfc1071Checksum, ManyPieces_DoNotOverflow) {
  const std::vector<uint8_t> piece(64, 0xff);
  ChecksumSum sum;
  for (int i = 0; i < 10'000; ++i) sum.add(piece);
  EXPECT_EQ(sum.folded(), 0xffff);
}

TEST(Rfc9293_3_1_PseudoHeader, Fields_EqualTheirBytes) {
  ChecksumSum sum;
  sum.add_pseudo_header(Ipv4Address(192, 0, 2, 1), Ipv4Address(198, 51, 100, 255), 6, 0x1234);
  EXPECT_EQ(sum.folded(), naive_sum({192, 0, 2, 1, 198, 51, 100, 255, 0, 6, 0x12, 0x34}));
}

TEST(Rfc1071Checksum, OwnChecksumIncluded_FoldsToAllOnes) {
  auto bytes = random_bytes(40, 9);
  bytes[10] = bytes[11] = 0;
  ChecksumSum sum;
  sum.add(bytes);
  store_be(bytes.data() + 10, sum.checksum());
  ChecksumSum again;
  again.add(bytes);
  EXPECT_EQ(again.folded(), 0xffff);
}

}  // namespace
}  // namespace estab::wire
