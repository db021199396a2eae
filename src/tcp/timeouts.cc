#include "tcp/timeouts.h"

#include "tcp/user_calls.h"

namespace estab::tcp {
namespace {

Actions give_up(Tcb& tcb) {
  Actions out;
  out.error = tcb.unreachable ? Error::Unreachable : Error::TimedOut;
  // A passive open that never completed goes back to LISTEN, and its user hears nothing.
  if (tcb.state == State::SynReceived && tcb.passive) out.error = Error::None;
  out.closed = true;
  tcb.state = State::Closed;
  return out;
}

// To a peer that may still be there.
Actions give_up_with_reset(Tcb& tcb, Error error) {
  Actions out = abort(tcb);
  out.error = error;
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
// MUST-37), unless a limit is set.
Actions probe_window(Tcb& tcb, const Context& context) {
  auto& snd = tcb.snd;
  const Parameters& ours = context.parameters;
  if (tcb.retries >= ours.data_retries) return give_up(tcb);
  const auto now_ms = static_cast<uint32_t>(context.now.ms());
  if (tcb.probes == 0) tcb.stalled_since_ms = now_ms;
  const Duration stalled = Duration::milliseconds(now_ms - tcb.stalled_since_ms);
  if (ours.zero_window_limit > Duration() && stalled >= ours.zero_window_limit)
    return give_up_with_reset(tcb, Error::Stalled);
  if (snd.nxt == snd.una) snd.nxt = snd.una + 1;
  snd.rtx = snd.una;
  snd.rtx_end = snd.nxt;
  ++tcb.retries;
  if (tcb.probes < UINT8_MAX) ++tcb.probes;
  const Duration interval = tcb.rtt.rto() * (int64_t{1} << std::min<int>(tcb.probes, 12));
  tcb.retransmit_at = context.now + std::min(interval, ours.max_rto);
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
  snd.rtx = snd.una;
  snd.rtx_end = snd.nxt;
  tcb.retransmit_at = context.now + tcb.rtt.rto();
  return Actions{.output = true, .retransmitted = true};
}

// The peer has been silent (§3.8.4, RFC 1122 §4.2.3.6): an old sequence number makes it say where it stands (SHLD-12:
// no text).
Actions keepalive_timeout(Tcb& tcb, const Context& context) {
  const Parameters& ours = context.parameters;
  if (tcb.snd.nxt != tcb.snd.una || tcb.snd.nxt < tcb.snd.end) {  // the other timer runs (MUST-26)
    tcb.wait_at = context.now + ours.keepalive_interval;
    return {};
  }
  if (tcb.keepalive_probes >= ours.keepalive_probes)
    return give_up_with_reset(tcb, tcb.unreachable ? Error::Unreachable : Error::TimedOut);
  ++tcb.keepalive_probes;
  tcb.wait_at = context.now + ours.keepalive_interval;
  Actions out;
  out.reply = make_ack(tcb, context);
  out.reply.seq = tcb.snd.nxt - 1;
  return out;
}

}  // namespace

Actions timeout(Tcb& tcb, const Context& context) noexcept {
  if (tcb.wait_at <= context.now) {
    if (tcb.awaits_keepalive()) return keepalive_timeout(tcb, context);
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
