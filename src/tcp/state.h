// The states of a connection and the ways in which one ends (RFC 9293 §3.3.2).
#pragma once

#include <cstdint>

namespace estab::tcp {

enum class State : uint8_t {
  Closed,
  Listen,
  SynSent,
  SynReceived,
  Established,
  FinWait1,
  FinWait2,
  CloseWait,
  Closing,
  LastAck,
  TimeWait,
};
inline constexpr int kStates = 11;

// "SYN-SENT" and so on, as the RFC prints them.
const char* state_name(State state);

// Why a connection ended; None is an orderly close.
enum class Error : uint8_t {
  None,
  Refused,         // a RST answered our SYN
  Reset,           // the peer sent a RST
  TimedOut,        // retransmissions went unanswered (RFC 9293 §3.8.3, R2)
  Aborted,         // the local user called ABORT
  DataAfterClose,  // text arrived after the local CLOSE and was answered with a RST (RFC 9293 §3.6.1)
  Unreachable,     // as TimedOut, and ICMP said why; or ICMP refused our SYN (RFC 9293 §3.9.2.2)
  Stalled,         // the peer kept its window closed for longer than the limit
};

// True in ESTABLISHED and all states after it (RFC 9293 §3.5: "synchronized").
constexpr bool is_synchronized(State state) {
  return state >= State::Established;
}

}  // namespace estab::tcp
