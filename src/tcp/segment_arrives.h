// SEGMENT ARRIVES: RFC 9293 §3.10.7, with the checks of RFC 5961, 6191, 1337 and 7323 where that section places them.
#pragma once

#include "tcp/actions.h"
#include "tcp/tcb.h"

namespace estab::tcp {

// Changes the TCB and says what the shell is to do. A segment for no connection arrives at a TCB in CLOSED.
Actions segment_arrives(Tcb& tcb, const Segment& segment, const Context& context) noexcept;

// After text was held (Text::Hold): `length` more bytes now continue RCV.NXT, and then a FIN where `fin` says so.
Actions assemble(Tcb& tcb, uint32_t length, bool fin, const Context& context) noexcept;

// What §3.10.7.1 answers to a segment that has no connection; nothing for a RST.
Emission reset_for(const Segment& segment) noexcept;

}  // namespace estab::tcp
