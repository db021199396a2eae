#include "wire/tcp_options.h"

#include <algorithm>

#include "base/byte_order.h"

namespace estab::wire {
namespace {

constexpr uint8_t kind(TcpOptionKind k) {
  return static_cast<uint8_t>(k);
}

// One option whose length byte was checked against the list. False: its length is wrong for its kind.
bool parse_one(const uint8_t* p, uint8_t length, TcpOptions& out) {
  switch (p[0]) {
    case kind(TcpOptionKind::Mss):
      if (length != 4) return false;
      out.has_mss = true;
      out.mss = load_be<uint16_t>(p + 2);
      return true;
    case kind(TcpOptionKind::WindowScale):
      if (length != 3) return false;
      out.has_window_scale = true;
      out.window_scale = std::min(p[2], kMaxWindowScale);
      return true;
    case kind(TcpOptionKind::SackPermitted):
      if (length != 2) return false;
      out.sack_permitted = true;
      return true;
    case kind(TcpOptionKind::Sack): {
      if (length < 10 || (length - 2) % 8 != 0) return false;
      out.sack_count = static_cast<uint8_t>(std::min<size_t>((length - 2u) / 8u, kMaxSackBlocks));
      for (size_t i = 0; i < out.sack_count; ++i) {
        out.sack[i] = {Seq(load_be<uint32_t>(p + 2 + 8 * i)), Seq(load_be<uint32_t>(p + 6 + 8 * i))};
      }
      return true;
    }
    case kind(TcpOptionKind::Timestamps):
      if (length != 10) return false;
      out.has_timestamps = true;
      out.ts_value = load_be<uint32_t>(p + 2);
      out.ts_echo = load_be<uint32_t>(p + 6);
      return true;
    default:
      return true;
  }
}

size_t size_without_sack(const TcpOptions& options) {
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

size_t sack_blocks_that_fit(const TcpOptions& options) {
  const size_t room = (kMaxTcpOptionsSize - 4 - size_without_sack(options)) / 8;  // 3 beside timestamps: RFC 2018 §3
  return std::min<size_t>(options.sack_count, room);
}

}  // namespace

bool parse_tcp_options(std::span<const uint8_t> list, TcpOptions& out) {
  const uint8_t* p = list.data();
  const uint8_t* const end = p + list.size();
  // What nearly every segment of a connection with timestamps carries (RFC 7323 appendix A).
  if (list.size() == 12 && load_be<uint32_t>(p) == 0x0101080a) {
    out.has_timestamps = true;
    out.ts_value = load_be<uint32_t>(p + 4);
    out.ts_echo = load_be<uint32_t>(p + 8);
    return true;
  }
  while (p < end) {
    if (*p == kind(TcpOptionKind::End)) return true;
    if (*p == kind(TcpOptionKind::Nop)) {
      ++p;
      continue;
    }
    if (end - p < 2 || p[1] < 2 || p[1] > end - p) return false;
    if (!parse_one(p, p[1], out)) return false;
    p += p[1];
  }
  return true;
}

size_t tcp_options_size(const TcpOptions& options) {
  size_t size = size_without_sack(options);
  if (const size_t blocks = sack_blocks_that_fit(options); blocks > 0) size += 4 + 8 * blocks;
  return size;
}

size_t write_tcp_options(uint8_t* to, const TcpOptions& options, uint64_t& sum) {
  uint8_t* p = to;
  const auto put = [&](uint32_t word) {
    store_be(p, word);
    sum += word;
    p += 4;
  };
  // A word that begins with one option, or with padding for the ones that follow.
  const auto begin = [](TcpOptionKind k, uint32_t length) {
    return static_cast<uint32_t>(kind(k)) << 24 | length << 16;
  };
  const auto follow = [](TcpOptionKind k, uint32_t length) { return static_cast<uint32_t>(kind(k)) << 8 | length; };
  constexpr uint32_t kNops = kind(TcpOptionKind::Nop) << 8 | kind(TcpOptionKind::Nop);
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
    put(begin(TcpOptionKind::Nop, kind(TcpOptionKind::WindowScale)) | 3u << 8 | options.window_scale);
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

}  // namespace estab::wire
