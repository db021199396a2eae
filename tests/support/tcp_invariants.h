// What holds of every TCB once what it had to send was sent.
#pragma once

#include "tcp/tcb.h"

namespace estab::tcp {

inline bool sends_text(State state) {
  return state == State::Established || state == State::CloseWait || state == State::FinWait1 ||
         state == State::Closing || state == State::LastAck;
}

// The sentence that is not true of a TCB; null when all are.
inline const char* broken_invariant(const Tcb& t) {
  if (t.state == State::Closed || t.state == State::Listen) return nullptr;
  const auto& snd = t.snd;
  if (!(snd.una <= snd.nxt)) return "SND.UNA <= SND.NXT";
  if (!(snd.nxt <= snd.end + (t.fin_queued ? 1 : 0))) return "SND.NXT is at most the end of what was queued";
  if (!(snd.una <= snd.rtx || snd.rtx == snd.rtx_end)) return "what is retransmitted is not acknowledged";
  if (!(snd.rtx <= snd.rtx_end && snd.rtx_end <= snd.nxt)) return "what is retransmitted was sent";
  if (t.rtt.rto() <= Duration()) return "RTO > 0";
  if (t.syn_pending) return "a SYN that is due is sent";
  if (!is_synchronized(t.state)) return t.retransmit_at.is_never() ? "a handshake has a timer" : nullptr;
  if (snd.mss == 0) return "SND.MSS > 0";
  if (t.congestion.cwnd < snd.mss) return "cwnd is a segment at least";
  if (!(t.rcv.nxt <= t.rcv.edge)) return "RCV.NXT is in the window";
  if (t.ack_pending) return "an ACK that is owed is sent";
  const bool waits = snd.una != snd.nxt || snd.nxt < snd.end || (t.fin_queued && !t.fin_sent());
  if (sends_text(t.state) && waits == t.retransmit_at.is_never())
    return "the retransmission timer runs while something is outstanding, and only then";
  if (!sends_text(t.state) && !t.retransmit_at.is_never()) return "no timer runs where all of ours is acknowledged";
  if (t.state == State::TimeWait && t.wait_at.is_never()) return "TIME-WAIT ends";
  return nullptr;
}

}  // namespace estab::tcp
