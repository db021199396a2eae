// Sequence numbers: 32 bits, compared modulo 2^32 (RFC 9293 §3.4). The order is not total, so there is no <=>.
#pragma once

#include <cstdint>

namespace estab::wire {

class Seq {
 public:
  constexpr Seq() = default;
  explicit constexpr Seq(uint32_t value) : value_(value) {}
  constexpr uint32_t value() const { return value_; }

  constexpr bool operator==(const Seq&) const = default;
  constexpr bool operator<(Seq other) const { return static_cast<int32_t>(value_ - other.value_) < 0; }
  constexpr bool operator<=(Seq other) const { return static_cast<int32_t>(value_ - other.value_) <= 0; }
  constexpr bool operator>(Seq other) const { return other < *this; }
  constexpr bool operator>=(Seq other) const { return other <= *this; }

  constexpr Seq operator+(uint32_t n) const { return Seq(value_ + n); }
  constexpr Seq operator-(uint32_t n) const { return Seq(value_ - n); }
  constexpr Seq& operator+=(uint32_t n) {
    value_ += n;
    return *this;
  }
  // How far `*this` is ahead of `other`; negative when behind.
  constexpr int32_t operator-(Seq other) const { return static_cast<int32_t>(value_ - other.value_); }

 private:
  uint32_t value_ = 0;
};

constexpr Seq later(Seq a, Seq b) {
  return a < b ? b : a;
}
constexpr Seq earlier(Seq a, Seq b) {
  return a < b ? a : b;
}

}  // namespace estab::wire
