// TCP options (RFC 9293 §3.2, RFC 7323, RFC 2018): bytes to values and back.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "wire/seq.h"

namespace estab::wire {

inline constexpr size_t kMaxTcpOptionsSize = 40;
inline constexpr uint8_t kMaxWindowScale = 14;  // RFC 7323 §2.3
inline constexpr size_t kMaxSackBlocks = 4;

enum class TcpOptionKind : uint8_t {
  End = 0,
  Nop = 1,
  Mss = 2,
  WindowScale = 3,
  SackPermitted = 4,
  Sack = 5,
  Timestamps = 8,
};

struct SackBlock {
  Seq begin;
  Seq end;
  bool operator==(const SackBlock&) const = default;
};

struct TcpOptions {
  bool has_mss = false;
  bool has_window_scale = false;
  bool has_timestamps = false;
  bool sack_permitted = false;
  uint8_t sack_count = 0;
  uint8_t window_scale = 0;
  uint16_t mss = 0;
  uint32_t ts_value = 0;  // TSval, RFC 7323 §3.2
  uint32_t ts_echo = 0;   // TSecr
  std::array<SackBlock, kMaxSackBlocks> sack{};

  bool operator==(const TcpOptions&) const = default;
};

// Reads an option list. Unknown options are skipped by their length (MUST-6). False when a length is illegal (MUST-7)
// or a known option has the wrong one; `out` then holds nothing to rely on.
[[nodiscard]] bool parse_tcp_options(std::span<const uint8_t> list, TcpOptions& out);

// Bytes that write_tcp_options will write: a multiple of four, at most 40.
size_t tcp_options_size(const TcpOptions& options);

// Writes the options, padded with NOPs in front so that four-byte fields are aligned. Returns the size written, and
// adds its words, in host order, to `sum` for the checksum. Blocks of SACK that do not fit are left out, oldest first
// (RFC 2018 §3).
size_t write_tcp_options(uint8_t* to, const TcpOptions& options, uint64_t& sum);
inline size_t write_tcp_options(uint8_t* to, const TcpOptions& options) {
  uint64_t sum = 0;
  return write_tcp_options(to, options, sum);
}

}  // namespace estab::wire
