#include "base/siphash.h"

#include <gtest/gtest.h>

#include <array>

namespace estab {
namespace {

// Appendix A of the paper: key 00 01 .. 0f, input 00 01 .. 0e.
constexpr SipKey kPaperKey{0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};

constexpr std::array<uint8_t, 64> counting() {
  std::array<uint8_t, 64> bytes{};
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i);
  return bytes;
}
constexpr auto kInput = counting();

TEST(SipHash, Paper_AppendixA_Matches) {
  EXPECT_EQ(siphash24(kPaperKey, std::span(kInput).first(15)), 0xa129ca6149be45e5ULL);
}

TEST(SipHash,
     ReferenceVectors_Lengths0To8_Match) {  // vectors_sip64 of the authors' reference code, as little-endian words
  const uint64_t expected[] = {0x726fdb47dd0e0e31ULL, 0x74f839c593dc67fdULL, 0x0d6c8009d9a94f5aULL,
                               0x85676696d7fb7e2dULL, 0xcf2794e0277187b7ULL, 0x18765564cd99a68dULL,
                               0xcbc9466e58fee3ceULL, 0xab0200f58b01d137ULL, 0x93f5f5799a932462ULL};
  for (size_t n = 0; n < std::size(expected); ++n) {
    EXPECT_EQ(siphash24(kPaperKey, std::span(kInput).first(n)), expected[n]) << "length " << n;
  }
}

TEST(SipHash, WholeWords_EqualTheByteForm) {
  const uint64_t words[2] = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
  EXPECT_EQ((siphash_twelve<2, 4>(kPaperKey, words[0], static_cast<uint32_t>(words[1]))),
            siphash24(kPaperKey, std::span(kInput).first(12)));
  EXPECT_EQ((siphash_words<2, 4>(kPaperKey, words)), siphash24(kPaperKey, std::span(kInput).first(16)));
}

TEST(SipHash, OtherKey_OtherHash) {
  const SipKey other{kPaperKey.k0 ^ 1, kPaperKey.k1};
  EXPECT_NE(siphash24(other, std::span(kInput).first(8)), siphash24(kPaperKey, std::span(kInput).first(8)));
}

static_assert(siphash24(kPaperKey, std::span(kInput).first(15)) == 0xa129ca6149be45e5ULL,
              "usable in constant expressions");

}  // namespace
}  // namespace estab
