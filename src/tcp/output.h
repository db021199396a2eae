// What a connection has to send, one segment at a time.
#pragma once

#include "tcp/tcb.h"

namespace estab::tcp {

// The SYN of SYN-SENT or the SYN-ACK of SYN-RECEIVED, first or again; starts its timer.
Emission make_syn(Tcb& tcb, const Context& context) noexcept;

// Whether next_segment() is worth asking: false when there is surely nothing to send.
inline bool may_have_output(const Tcb& tcb) noexcept {
  const SendSequence& snd = tcb.snd;
  return tcb.ack_pending || tcb.syn_pending || snd.rtx != snd.rtx_end || snd.nxt < snd.end ||
         (tcb.fin_queued && snd.nxt == snd.end);
}

// The next segment that windows, Nagle and retransmission allow, or the ACK that is owed; empty when there is none. The
// TCB counts it as sent, so call until empty and send each.
Emission next_segment(Tcb& tcb, const Context& context) noexcept;

}  // namespace estab::tcp
