// What a connection has to send, one segment at a time.
#pragma once

#include "tcp/tcb.h"

namespace estab::tcp {

// The SYN of SYN-SENT or the SYN-ACK of SYN-RECEIVED, first or again; starts its timer.
Emission make_syn(Tcb& tcb, const Context& context) noexcept;

// The next segment that windows, Nagle and retransmission allow, or the ACK that is owed; empty when there is none. The TCB
// counts it as sent, so call until empty and send each.
Emission next_segment(Tcb& tcb, const Context& context) noexcept;

}  // namespace estab::tcp
