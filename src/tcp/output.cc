#include "tcp/output.h"

namespace estab::tcp {
namespace {

bool may_send_text(State state) {
  switch (state) {
    case State::Established:
    case State::CloseWait:
    case State::FinWait1:
    case State::Closing:
    case State::LastAck:
      return true;
    case State::Closed:
    case State::Listen:
    case State::SynSent:
    case State::SynReceived:
    case State::FinWait2:
    case State::TimeWait:
      return false;
  }
  return false;
}

void start_timer_if_off(Tcb& tcb, Instant now) {  // RFC 6298 §5.1
  if (tcb.retransmit_at.is_never()) tcb.retransmit_at = now + tcb.rtt.rto();
}

Emission text_segment(Tcb& tcb, const Context& context, Seq seq, uint32_t text, bool fin) {
  Emission out = make_ack(tcb, context);
  out.seq = seq;
  out.text = text;
  out.text_offset = static_cast<uint32_t>(seq - tcb.snd.una);
  int flags = TcpFlags::kAck;
  if (fin) flags |= TcpFlags::kFin;
  if (text > 0 && seq + text == tcb.snd.end) flags |= TcpFlags::kPsh;
  out.flags = TcpFlags(flags);
  start_timer_if_off(tcb, context.now);
  return out;
}

// From snd.rtx up to snd.rtx_end, as far as the windows allow. The first segment always goes: it probes a closed
// window.
Emission retransmission(Tcb& tcb, const Context& context) {
  auto& snd = tcb.snd;
  snd.rtx = later(snd.rtx, snd.una);
  if (snd.rtx >= snd.rtx_end) {
    snd.rtx = snd.rtx_end;
    return {};
  }
  const auto flight = static_cast<uint32_t>(snd.rtx - snd.una);
  const uint32_t allowed = std::max(std::min(snd.wnd, tcb.congestion.cwnd), 1u);
  if (flight >= allowed) return {};
  const Seq text_end = earlier(snd.rtx_end, snd.end);
  uint32_t text = text_end > snd.rtx ? static_cast<uint32_t>(text_end - snd.rtx) : 0;
  text = std::min({text, static_cast<uint32_t>(snd.mss), allowed - flight});
  const bool fin = tcb.fin_sent() && snd.rtx + text == snd.end && snd.rtx_end == snd.end + 1;
  Emission out = text_segment(tcb, context, snd.rtx, text, fin);
  out.retransmission = true;
  snd.rtx += text + (fin ? 1 : 0);
  tcb.rtt_timing = false;  // Karn, RFC 6298 §3
  return out;
}

// The sender's side of silly-window avoidance (RFC 9293 §3.8.6.2.1) with Nagle (§3.7.4) in Minshall's variant: hold
// back a small segment only while another small one is unacknowledged.
bool worth_sending(const Tcb& tcb, uint32_t text, uint32_t queued) {
  if (text >= tcb.snd.mss) return true;
  if (text == queued) return tcb.nodelay || tcb.fin_queued || tcb.snd.small <= tcb.snd.una;
  return text >= tcb.snd.max_wnd / 2 || tcb.override_sws;
}

Emission new_text(Tcb& tcb, const Context& context) {
  auto& snd = tcb.snd;
  if (snd.nxt > snd.end) return {};  // the FIN is out
  const auto queued = static_cast<uint32_t>(snd.end - snd.nxt);
  const Seq limit = snd.una + std::min(snd.wnd, tcb.congestion.cwnd);
  const auto usable = static_cast<uint32_t>(std::max(limit - snd.nxt, 0));
  const uint32_t text = std::min({queued, usable, static_cast<uint32_t>(snd.mss)});
  const bool fin = tcb.fin_queued && text == queued;
  if (text == 0 && !fin) return {};
  if (text > 0 && !worth_sending(tcb, text, queued)) return {};
  tcb.override_sws = false;
  Emission out = text_segment(tcb, context, snd.nxt, text, fin);
  snd.nxt += text + (fin ? 1 : 0);
  if (snd.rtx == snd.rtx_end) snd.rtx = snd.rtx_end = snd.nxt;
  if (text > 0 && text < snd.mss) snd.small = snd.nxt;
  if (!tcb.rtt_timing) {
    tcb.rtt_timing = true;
    tcb.rtt_seq = snd.nxt;
    tcb.rtt_since = context.now;
  }
  return out;
}

}  // namespace

Emission make_syn(Tcb& tcb, const Context& context) noexcept {
  const Parameters& ours = context.parameters;
  const bool answer = tcb.state == State::SynReceived;
  Emission syn = answer ? syn_segment(tcb.iss, tcb.scaling, tcb.timestamps, tcb.sack, ours)
                        : syn_segment(tcb.iss, true, ours.timestamps, ours.sack, ours);
  if (answer) {
    syn.flags = TcpFlags(TcpFlags::kSyn | TcpFlags::kAck);
    syn.ack = tcb.rcv.nxt;
    tcb.rcv.edge = tcb.rcv.nxt + syn.window;
    tcb.rcv.last_ack_sent = tcb.rcv.nxt;
    tcb.ack_pending = false;
  }
  if (syn.has_timestamps) {
    syn.ts_value = tcb.ts_now(context.now);
    syn.ts_echo = answer ? tcb.ts_recent : 0;
  }
  syn.retransmission = tcb.syn_retransmitted;
  if (tcb.retransmit_at.is_never()) {
    tcb.retransmit_at = context.now + tcb.rtt.rto();
    tcb.rtt_timing = true;
    tcb.rtt_seq = tcb.iss + 1;
    tcb.rtt_since = context.now;
  } else {
    tcb.rtt_timing = false;  // sent before: its ACK could be for either (Karn, RFC 6298 §3)
  }
  return syn;
}

Emission next_segment(Tcb& tcb, const Context& context) noexcept {
  if (tcb.syn_pending) {
    tcb.syn_pending = false;
    return make_syn(tcb, context);
  }
  if (may_send_text(tcb.state)) {
    if (tcb.snd.rtx != tcb.snd.rtx_end) {
      if (Emission out = retransmission(tcb, context)) return out;
    }
    if (tcb.snd.rtx == tcb.snd.rtx_end) {
      if (Emission out = new_text(tcb, context)) return out;
    }
    // Held back by a closed window or silly-window avoidance with nothing in flight: only a timer ends that (§3.8.6.1).
    if (tcb.snd.nxt < tcb.snd.end) start_timer_if_off(tcb, context.now);
  }
  if (tcb.ack_pending) return make_ack(tcb, context);
  return {};
}

}  // namespace estab::tcp
