// What a fuzz target needs: its input read piece by piece, and a complaint that libFuzzer sees.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

namespace estab::fuzz {

// The input from front to back; what is missing at its end reads as zeros.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(data, size) {}

  bool empty() const { return rest_.empty(); }
  std::span<const uint8_t> take(size_t n) {
    const std::span<const uint8_t> taken = rest_.first(n < rest_.size() ? n : rest_.size());
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  std::span<const uint8_t> take_all() { return take(rest_.size()); }

  uint8_t u8() { return number<uint8_t>(); }
  uint16_t u16() { return number<uint16_t>(); }
  uint32_t u32() { return number<uint32_t>(); }
  bool flag() { return (u8() & 1) != 0; }
  // Below `bound`, which is at most 256.
  uint32_t below(uint32_t bound) { return u8() % bound; }

 private:
  template <typename T>
  T number() {
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof(T); ++i) {
      const auto byte = take(1);
      value = value << 8 | (byte.empty() ? 0 : byte[0]);
    }
    return static_cast<T>(value);
  }

  std::span<const uint8_t> rest_;
};

// `sentence` ought to hold.
inline void must(bool holds, const char* sentence) {
  if (holds) [[likely]]
    return;
  std::fprintf(stderr, "not true: %s\n", sentence);
  std::abort();
}

}  // namespace estab::fuzz
