// The user's calls: RFC 9293 §3.10.1 to §3.10.5.
#pragma once

#include "tcp/actions.h"
#include "tcp/isn.h"
#include "tcp/tcb.h"

namespace estab::tcp {

// OPEN, passive: a TCB that waits in LISTEN for the SYN that it is about to be given.
Tcb open_passive(const InitialNumbers& numbers, const Parameters& parameters) noexcept;

// OPEN, active: a TCB in SYN-SENT, with a SYN for next_segment() to send.
Tcb open_active(const InitialNumbers& numbers, const Parameters& parameters) noexcept;

// SEND: `bytes` were added to the end of the send queue. False, and nothing is changed, where the state has no more to
// send.
[[nodiscard]] bool send(Tcb& tcb, uint32_t bytes) noexcept;

// RECEIVE: the user took `bytes` of what was delivered. True: the window opened enough to tell the peer.
bool receive(Tcb& tcb, uint32_t bytes, const Context& context) noexcept;

// Turns keep-alives on or off (RFC 9293 §3.8.4, MUST-24).
void set_keepalive(Tcb& tcb, bool on, const Context& context) noexcept;

// Closes the sending half: a FIN follows the last byte. The peer may go on sending (RFC 9293 §3.6, MAY-1).
Actions shutdown_send(Tcb& tcb, const Context& context) noexcept;

// CLOSE: both halves. `unread` says that delivered text was never taken: the peer is then told by a RST (RFC 9293
// §3.6.1).
Actions close(Tcb& tcb, bool unread, const Context& context) noexcept;

// ABORT: a RST to the peer, in the states where it is due, and CLOSED.
Actions abort(Tcb& tcb) noexcept;

}  // namespace estab::tcp
