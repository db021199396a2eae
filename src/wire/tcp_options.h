// TCP options (RFC 9293 §3.2, RFC 7323, RFC 2018): bytes to values and back.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/byte_order.h"
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

constexpr uint8_t option_kind(TcpOptionKind kind) {
  return static_cast<uint8_t>(kind);
}

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

// Bytes of all but SACK's blocks.
constexpr size_t tcp_options_size_without_sack(const TcpOptions& options) {
  size_t size = 0;
  if (options.has_mss) size += 4;
  if (options.has_timestamps) {
    size += 12;  // SACK-permitted takes the place of its two NOPs
  } else if (options.sack_permitted) {
    size += 4;
  }
  if (options.has_window_scale) size += 4;
  return size;
}

constexpr size_t sack_blocks_that_fit(const TcpOptions& options) {
  const size_t room = (kMaxTcpOptionsSize - 4 - tcp_options_size_without_sack(options)) / 8;
  return std::min<size_t>(options.sack_count, room);  // 3 beside timestamps: RFC 2018 §3
}

// Bytes that write_tcp_options will write: a multiple of four, at most 40.
constexpr size_t tcp_options_size(const TcpOptions& options) {
  const size_t blocks = sack_blocks_that_fit(options);
  return tcp_options_size_without_sack(options) + (blocks > 0 ? 4 + 8 * blocks : 0);
}

// Writes the options, padded with NOPs in front so that four-byte fields are aligned. Returns the size written, and
// adds its words, in host order, to `sum` for the checksum. Blocks of SACK that do not fit are left out, oldest first
// (RFC 2018 §3).
[[gnu::always_inline]] inline size_t write_tcp_options(uint8_t* to, const TcpOptions& options, uint64_t& sum) {
  uint8_t* p = to;
  const auto put = [&](uint32_t word) {
    store_be(p, word);
    sum += word;
    p += 4;
  };
  // A word that begins with one option, or with padding for the ones that follow.
  const auto begin = [](TcpOptionKind k, uint32_t length) {
    return static_cast<uint32_t>(option_kind(k)) << 24 | length << 16;
  };
  const auto follow = [](TcpOptionKind k, uint32_t length) {
    return static_cast<uint32_t>(option_kind(k)) << 8 | length;
  };
  constexpr uint32_t kNops = option_kind(TcpOptionKind::Nop) << 8 | option_kind(TcpOptionKind::Nop);
  if (options.has_mss) put(begin(TcpOptionKind::Mss, 4) | options.mss);
  // SACK-permitted shares its word with the timestamp's padding.
  const uint32_t sack_permitted =
      options.sack_permitted ? begin(TcpOptionKind::SackPermitted, 2) : static_cast<uint32_t>(kNops) << 16;
  if (options.has_timestamps) {
    put(sack_permitted | follow(TcpOptionKind::Timestamps, 10));
    put(options.ts_value);
    put(options.ts_echo);
  } else if (options.sack_permitted) {
    put(sack_permitted | kNops);
  }
  if (options.has_window_scale) {
    put(begin(TcpOptionKind::Nop, option_kind(TcpOptionKind::WindowScale)) | 3u << 8 | options.window_scale);
  }
  if (options.sack_count == 0) return static_cast<size_t>(p - to);
  if (const size_t blocks = sack_blocks_that_fit(options); blocks > 0) {
    put(kNops << 16 | follow(TcpOptionKind::Sack, static_cast<uint32_t>(2 + 8 * blocks)));
    for (size_t i = 0; i < blocks; ++i) {
      put(options.sack[i].begin.value());
      put(options.sack[i].end.value());
    }
  }
  return static_cast<size_t>(p - to);
}
inline size_t write_tcp_options(uint8_t* to, const TcpOptions& options) {
  uint64_t sum = 0;
  return write_tcp_options(to, options, sum);
}

}  // namespace estab::wire
