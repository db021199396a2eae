// What a connection has to send, one segment at a time.
#pragma once

#include "tcp/tcb.h"

namespace estab::tcp {

// A SYN with our options. A SYN-ACK names only those that were agreed on.
constexpr Emission syn_segment(Seq iss, bool scaling, bool timestamps, bool sack, const Parameters& ours) {
  Emission syn;
  syn.seq = iss;
  syn.flags = TcpFlags(TcpFlags::kSyn);
  syn.window = static_cast<uint16_t>(std::min<uint32_t>(ours.receive_buffer, UINT16_MAX));
  syn.mss = ours.mss;
  syn.has_window_scale = scaling;
  syn.window_scale = ours.window_scale;
  syn.has_timestamps = timestamps;
  syn.sack_permitted = sack;
  return syn;
}

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
