// A received segment and one to send, as values: RFC 9293 §3.3.1's SEG variables.
#pragma once

#include <cstdint>

#include "wire/seq.h"
#include "wire/tcp_header.h"
#include "wire/tcp_options.h"

namespace estab::tcp {

using wire::Seq;
using wire::TcpFlags;

struct Segment {
  Seq seq;
  Seq ack;
  uint32_t text = 0;  // bytes of text
  uint16_t window = 0;
  TcpFlags flags;
  wire::TcpOptions options;

  // SEG.LEN: text, SYN and FIN.
  constexpr uint32_t length() const { return text + (flags.syn() ? 1 : 0) + (flags.fin() ? 1 : 0); }
};

// A segment that the core wants sent. The text is named by its place in the send queue, whose first byte is SND.UNA's.
struct Emission {
  Seq seq;
  Seq ack;
  uint32_t text_offset = 0;
  uint32_t text = 0;
  uint32_t ts_value = 0;
  uint32_t ts_echo = 0;
  uint16_t window = 0;
  uint16_t mss = 0;          // written when not 0
  uint8_t window_scale = 0;  // written when has_window_scale
  TcpFlags flags;
  bool has_window_scale = false;
  bool has_timestamps = false;
  bool sack_permitted = false;
  bool retransmission = false;

  constexpr explicit operator bool() const { return flags.bits() != 0; }
  constexpr bool has_options() const {
    return (static_cast<unsigned>(has_timestamps) | static_cast<unsigned>(has_window_scale) |
            static_cast<unsigned>(sack_permitted) | mss) != 0;
  }
  constexpr bool operator==(const Emission&) const = default;
};

}  // namespace estab::tcp
