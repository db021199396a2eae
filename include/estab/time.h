// Time as values. Nothing on the packet path asks for the time; it is told.
#pragma once

#include <compare>
#include <cstdint>

namespace estab {

// A span of time in nanoseconds; may be negative.
class Duration {
 public:
  constexpr Duration() = default;
  static constexpr Duration nanoseconds(int64_t n) { return Duration(n); }
  static constexpr Duration microseconds(int64_t n) { return Duration(n * 1'000); }
  static constexpr Duration milliseconds(int64_t n) { return Duration(n * 1'000'000); }
  static constexpr Duration seconds(int64_t n) { return Duration(n * 1'000'000'000); }

  constexpr int64_t ns() const { return ns_; }
  constexpr int64_t us() const { return ns_ / 1'000; }
  constexpr int64_t ms() const { return ns_ / 1'000'000; }
  constexpr double to_seconds() const { return static_cast<double>(ns_) / 1e9; }

  constexpr auto operator<=>(const Duration&) const = default;
  constexpr Duration operator+(Duration other) const { return Duration(ns_ + other.ns_); }
  constexpr Duration operator-(Duration other) const { return Duration(ns_ - other.ns_); }
  constexpr Duration operator*(int64_t factor) const { return Duration(ns_ * factor); }
  constexpr Duration operator/(int64_t divisor) const { return Duration(ns_ / divisor); }

 private:
  explicit constexpr Duration(int64_t ns) : ns_(ns) {}
  int64_t ns_ = 0;
};

// A point on the worker's clock, in nanoseconds since an arbitrary start. `never()` is later than every other.
class Instant {
 public:
  constexpr Instant() = default;
  static constexpr Instant from_ns(uint64_t ns) { return Instant(ns); }
  static constexpr Instant never() { return Instant(UINT64_MAX); }

  constexpr uint64_t ns() const { return ns_; }
  constexpr uint64_t us() const { return ns_ / 1'000; }
  constexpr uint64_t ms() const { return ns_ / 1'000'000; }
  // The first millisecond that is not before this.
  constexpr uint64_t ms_up() const { return (ns_ + 999'999) / 1'000'000; }
  constexpr bool is_never() const { return ns_ == UINT64_MAX; }

  constexpr auto operator<=>(const Instant&) const = default;
  constexpr Instant operator+(Duration span) const { return Instant(ns_ + static_cast<uint64_t>(span.ns())); }
  constexpr Instant operator-(Duration span) const { return Instant(ns_ - static_cast<uint64_t>(span.ns())); }
  constexpr Duration operator-(Instant other) const {
    return Duration::nanoseconds(static_cast<int64_t>(ns_ - other.ns_));
  }

 private:
  explicit constexpr Instant(uint64_t ns) : ns_(ns) {}
  uint64_t ns_ = 0;
};

}  // namespace estab
