// What an acceptable ACK and a FIN in sequence do to a TCB: the inner parts of §3.10.7.4's fifth and eighth steps.
#pragma once

#include "tcp/actions.h"
#include "tcp/tcb.h"

namespace estab::tcp {

// Our SYN was acknowledged: measures it and takes the peer's window.
void acknowledge_syn(Tcb& tcb, const Segment& segment, const Context& context);

// An ACK within [SND.UNA - MAX.SND.WND, SND.NXT] in a synchronized state: moves SND.UNA, the window, the timers, and
// tells congestion control.
void acknowledge(Tcb& tcb, const Segment& segment, const Context& context, Actions& out);

// A FIN at RCV.NXT.
void fin_arrives(Tcb& tcb, const Context& context, Actions& out);

// All timers off but the 2 MSL one.
void enter_time_wait(Tcb& tcb, const Context& context);

}  // namespace estab::tcp
