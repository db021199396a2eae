// Why a connection ended, or could not begin.
#pragma once

#include <cstdint>

namespace estab {

enum class Error : uint8_t {
  None,            // closed in order by both sides
  Refused,         // a RST answered our SYN (RFC 9293 §3.10.7.3)
  Reset,           // the peer sent a RST
  TimedOut,        // retransmissions went unanswered (RFC 9293 §3.8.3)
  Aborted,         // abort() was called, or close() with received bytes that were never taken
  DataAfterClose,  // the peer sent more after close(), and was reset (RFC 9293 §3.6.1)
  Unreachable,     // as TimedOut, and ICMP said that the way is broken; or ICMP refused our SYN (RFC 9293 §3.9.2.2)
  Stalled,         // the peer kept its window closed for longer than Config::zero_window_limit
  NoRoute,         // not on the link, and there is no gateway
  NoPort,          // every source port towards that peer is in use
  NoRecord,        // max_connections are in use
  InvalidAddress,  // a remote address that no host has, or a local one that is not ours (RFC 9293 MUST-46)
};

// One lower-case word, or two joined by '_': what JSON and tables show.
const char* error_name(Error error);

}  // namespace estab
