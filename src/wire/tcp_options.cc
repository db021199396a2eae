#include "wire/tcp_options.h"

#include <algorithm>

namespace estab::wire {
namespace {

// One option whose length byte was checked against the list. False: its length is wrong for its kind.
bool parse_one(const uint8_t* p, uint8_t length, TcpOptions& out) {
  switch (p[0]) {
    case option_kind(TcpOptionKind::Mss):
      if (length != 4) return false;
      out.has_mss = true;
      out.mss = load_be<uint16_t>(p + 2);
      return true;
    case option_kind(TcpOptionKind::WindowScale):
      if (length != 3) return false;
      out.has_window_scale = true;
      out.window_scale = std::min(p[2], kMaxWindowScale);
      return true;
    case option_kind(TcpOptionKind::SackPermitted):
      if (length != 2) return false;
      out.sack_permitted = true;
      return true;
    case option_kind(TcpOptionKind::Sack): {
      if (length < 10 || (length - 2) % 8 != 0) return false;
      out.sack_count = static_cast<uint8_t>(std::min<size_t>((length - 2u) / 8u, kMaxSackBlocks));
      for (size_t i = 0; i < out.sack_count; ++i) {
        out.sack[i] = {Seq(load_be<uint32_t>(p + 2 + 8 * i)), Seq(load_be<uint32_t>(p + 6 + 8 * i))};
      }
      return true;
    }
    case option_kind(TcpOptionKind::Timestamps):
      if (length != 10) return false;
      out.has_timestamps = true;
      out.ts_value = load_be<uint32_t>(p + 2);
      out.ts_echo = load_be<uint32_t>(p + 6);
      return true;
    default:
      return true;
  }
}

// The lists that nearly every segment carries: timestamps (RFC 7323 appendix A); on a SYN the MSS alone, or what the
// large stacks offer, in their order. False: something else.
bool parse_usual(const uint8_t* p, size_t size, TcpOptions& out) {
  const uint32_t first = load_be<uint32_t>(p);
  if (size == 12 && first == 0x0101080a) {
    out.has_timestamps = true;
    out.ts_value = load_be<uint32_t>(p + 4);
    out.ts_echo = load_be<uint32_t>(p + 8);
    return true;
  }
  if (first >> 16 != 0x0204) return false;
  if (size == 20 && load_be<uint32_t>(p + 4) == 0x0402080a && load_be<uint32_t>(p + 16) >> 8 == 0x010303) {
    out.sack_permitted = true;
    out.has_timestamps = true;
    out.ts_value = load_be<uint32_t>(p + 8);
    out.ts_echo = load_be<uint32_t>(p + 12);
    out.has_window_scale = true;
    out.window_scale = std::min(p[19], kMaxWindowScale);
  } else if (size != 4) {
    return false;
  }
  out.has_mss = true;
  out.mss = static_cast<uint16_t>(first);
  return true;
}

}  // namespace

bool parse_tcp_options(std::span<const uint8_t> list, TcpOptions& out) {
  const uint8_t* p = list.data();
  const uint8_t* const end = p + list.size();
  if (list.size() >= 4 && parse_usual(p, list.size(), out)) return true;
  while (p < end) {
    if (*p == option_kind(TcpOptionKind::End)) return true;
    if (*p == option_kind(TcpOptionKind::Nop)) {
      ++p;
      continue;
    }
    if (end - p < 2 || p[1] < 2 || p[1] > end - p) return false;
    if (!parse_one(p, p[1], out)) return false;
    p += p[1];
  }
  return true;
}

}  // namespace estab::wire
