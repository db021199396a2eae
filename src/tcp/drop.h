// Why a segment, or a part of it, was not processed further. Each has a counter.
#pragma once

#include <cstddef>
#include <cstdint>

namespace estab::tcp {

enum class Drop : uint8_t {
  None,
  NoConnection,       // CLOSED: answered with a RST, unless it was one
  ListenUnexpected,   // LISTEN: neither SYN nor ACK nor RST
  ListenAck,          // LISTEN: an ACK, answered with a RST
  ListenRst,          // LISTEN: a RST, ignored
  UnacceptableAck,    // SYN-SENT or SYN-RECEIVED: does not acknowledge our SYN
  SynSentUnexpected,  // SYN-SENT: neither SYN nor RST
  OutOfWindow,        // failed Table 6's test, answered with an ACK
  OldTimestamp,       // PAWS (RFC 7323 §5.3 R1)
  MissingTimestamp,   // no TSopt after it was negotiated (RFC 7323 §3.2)
  RstOutOfWindow,     // RFC 5961 §3.2, ignored
  RstNotExact,        // RFC 5961 §3.2, answered with a challenge ACK
  RstInTimeWait,      // RFC 1337, ignored
  SynInWindow,        // RFC 5961 §4.2, answered with a challenge ACK
  NoAck,              // no ACK bit
  AckOutOfRange,      // RFC 5961 §5.2, answered with an ACK
  TextAfterFin,       // text in a state that has no more to receive
  TextAfterClose,     // text after the local CLOSE, answered with a RST
  IcmpNotInFlight,    // an ICMP error about a segment that is not in flight (RFC 5927 §4.1)
  Count,
};
inline constexpr size_t kDrops = static_cast<size_t>(Drop::Count);

}  // namespace estab::tcp
