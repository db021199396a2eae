#include "tcp/timeouts.h"

namespace estab::tcp {
namespace {

Actions give_up(Tcb& tcb) {
  Actions out;
  // A passive open that never completed goes back to LISTEN, and its user hears nothing.
  out.error = tcb.state == State::SynReceived && tcb.passive ? Error::None : Error::TimedOut;
  out.closed = true;
  tcb.state = State::Closed;
  return out;
}

Actions handshake_timeout(Tcb& tcb, const Context& context) {
  const Parameters& ours = context.parameters;
  if (tcb.retries >= (tcb.passive ? ours.syn_ack_retries : ours.syn_retries)) return give_up(tcb);
  ++tcb.retries;
  tcb.rtt.back_off(context.parameters);
  tcb.rtt_timing = false;
  tcb.syn_retransmitted = true;
  tcb.syn_pending = true;
  tcb.retransmit_at = context.now + tcb.rtt.rto();
  return Actions{.output = true, .retransmitted = true};
}

// The window is closed: one byte every so often until it opens, without giving up while the peer answers (§3.8.6.1,
// MUST-37).
Actions probe_window(Tcb& tcb, const Context& context) {
  auto& snd = tcb.snd;
  if (tcb.retries >= context.parameters.data_retries) return give_up(tcb);
  if (snd.nxt == snd.una) snd.nxt = snd.una + 1;
  snd.rtx = snd.una;
  snd.rtx_end = snd.nxt;
  ++tcb.retries;
  if (tcb.probes < UINT8_MAX) ++tcb.probes;
  const Duration interval = tcb.rtt.rto() * (int64_t{1} << std::min<int>(tcb.probes, 12));
  tcb.retransmit_at = context.now + std::min(interval, context.parameters.max_rto);
  return Actions{.output = true};
}

Actions retransmission_timeout(Tcb& tcb, const Context& context) {
  auto& snd = tcb.snd;
  tcb.retransmit_at = Instant::never();
  if (snd.nxt == snd.una && snd.nxt == snd.end) return {};  // all was acknowledged meanwhile
  if (snd.wnd == 0 && snd.una < snd.end) return probe_window(tcb, context);
  if (snd.nxt == snd.una) {  // silly-window avoidance held something back
    tcb.override_sws = true;
    tcb.retransmit_at = context.now + tcb.rtt.rto();
    return Actions{.output = true};
  }
  if (tcb.retries >= context.parameters.data_retries) return give_up(tcb);
  if (tcb.retries == 0) tcb.congestion.on_timeout(snd.nxt, snd.mss, tcb.in_flight());
  ++tcb.retries;
  tcb.rtt.back_off(context.parameters);
  tcb.rtt_timing = false;
  snd.rtx = snd.una;
  snd.rtx_end = snd.nxt;
  tcb.retransmit_at = context.now + tcb.rtt.rto();
  return Actions{.output = true, .retransmitted = true};
}

}  // namespace

Actions timeout(Tcb& tcb, const Context& context) noexcept {
  if (tcb.wait_at <= context.now) {
    tcb.wait_at = Instant::never();
    tcb.state = State::Closed;
    return Actions{.closed = true};
  }
  if (tcb.retransmit_at > context.now) return {};
  switch (tcb.state) {
    case State::SynSent:
    case State::SynReceived:
      return handshake_timeout(tcb, context);
    case State::Established:
    case State::FinWait1:
    case State::CloseWait:
    case State::Closing:
    case State::LastAck:
      return retransmission_timeout(tcb, context);
    case State::Closed:
    case State::Listen:
    case State::FinWait2:
    case State::TimeWait:
      tcb.retransmit_at = Instant::never();
      return {};
  }
  return {};
}

}  // namespace estab::tcp
