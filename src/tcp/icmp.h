// What an ICMP error does to a connection: as little as RFC 9293 §3.9.2.2 and RFC 5927 allow.
#pragma once

#include "tcp/actions.h"
#include "tcp/tcb.h"

namespace estab::tcp {

enum class IcmpError : uint8_t {
  Soft,  // the way is broken, perhaps for a moment: it is only remembered (MUST-56)
  Hard,  // nobody there speaks TCP, or not on that port: it refuses a SYN, and is soft otherwise (RFC 5927 §5.2)
};

// `quoted` is the sequence number in the datagram that the error is about. One that is not in flight is somebody's
// guess (RFC 5927 §4.1) and is dropped.
Actions icmp_arrives(Tcb& tcb, Seq quoted, IcmpError error) noexcept;

}  // namespace estab::tcp
