#include "tcp/user_calls.h"

namespace estab::tcp {
namespace {

Tcb opened(State state, const InitialNumbers& numbers, const Parameters& parameters) {
  Tcb tcb;
  tcb.state = state;
  tcb.iss = numbers.isn;
  tcb.ts_offset = numbers.ts_offset;
  tcb.snd.una = tcb.iss;
  tcb.snd.nxt = tcb.iss + 1;
  tcb.snd.end = tcb.iss + 1;
  tcb.snd.rtx = tcb.snd.rtx_end = tcb.iss + 1;
  tcb.snd.small = tcb.iss;
  tcb.rtt.rto_us = static_cast<uint32_t>(parameters.initial_rto.us());
  tcb.keepalive = parameters.keepalive;
  tcb.nodelay = !parameters.nagle;
  return tcb;
}

// The states in which ABORT answers with a RST (RFC 9293 §3.10.5).
bool reset_is_due(State state) {
  switch (state) {
    case State::SynReceived:
    case State::Established:
    case State::FinWait1:
    case State::FinWait2:
    case State::CloseWait:
      return true;
    case State::Closed:
    case State::Listen:
    case State::SynSent:
    case State::Closing:
    case State::LastAck:
    case State::TimeWait:
      return false;
  }
  return false;
}

}  // namespace

Tcb open_passive(const InitialNumbers& numbers, const Parameters& parameters) noexcept {
  return opened(State::Listen, numbers, parameters);
}

Tcb open_active(const InitialNumbers& numbers, const Parameters& parameters) noexcept {
  Tcb tcb = opened(State::SynSent, numbers, parameters);
  tcb.syn_pending = true;
  return tcb;
}

bool send(Tcb& tcb, uint32_t bytes) noexcept {
  switch (tcb.state) {
    case State::SynSent:
    case State::SynReceived:
    case State::Established:
    case State::CloseWait:
      if (tcb.fin_queued) return false;
      tcb.snd.end += bytes;
      return true;
    case State::Closed:
    case State::Listen:
    case State::FinWait1:
    case State::FinWait2:
    case State::Closing:
    case State::LastAck:
    case State::TimeWait:
      return false;
  }
  return false;
}

bool receive(Tcb& tcb, uint32_t bytes, const Context& context) noexcept {
  tcb.rcv.queued -= std::min(tcb.rcv.queued, bytes);
  switch (tcb.state) {
    case State::Established:
    case State::FinWait1:
    case State::FinWait2:
      break;
    case State::Closed:
    case State::Listen:
    case State::SynSent:
    case State::SynReceived:
    case State::CloseWait:
    case State::Closing:
    case State::LastAck:
    case State::TimeWait:
      return false;  // the peer has no more to send
  }
  const uint32_t told = tcb.receive_window();
  if (update_receive_window(tcb, context.parameters) == told) return false;
  // Worth a segment of its own when the peer was nearly out of window, or two segments' worth opened (MUST-39).
  const uint32_t opened = tcb.receive_window() - told;
  if (told >= 2u * context.parameters.mss && opened < context.parameters.receive_buffer / 2) {
    tcb.rcv.edge = tcb.rcv.nxt + told;  // not yet told
    return false;
  }
  tcb.ack_pending = true;
  return true;
}

void set_keepalive(Tcb& tcb, bool on, const Context& context) noexcept {
  const bool was = tcb.awaits_keepalive();
  tcb.keepalive = on;
  tcb.keepalive_probes = 0;
  if (tcb.awaits_keepalive()) {
    tcb.wait_at = context.now + context.parameters.keepalive_idle;
  } else if (was) {
    tcb.wait_at = Instant::never();
  }
}

Actions shutdown_send(Tcb& tcb, const Context&) noexcept {
  Actions out;
  if (tcb.fin_queued) return out;
  switch (tcb.state) {
    case State::Listen:
    case State::SynSent:
      // "Return 'error: connection closing' responses to any queued SENDs" (RFC 9293 §3.10.4).
      out.error = tcb.send_queue() > 0 ? Error::Aborted : Error::None;
      tcb.state = State::Closed;
      out.closed = true;
      return out;
    case State::SynReceived:  // the FIN waits for ESTABLISHED
      tcb.fin_queued = true;
      return out;
    case State::Established:
      tcb.state = State::FinWait1;
      tcb.wait_at = Instant::never();
      break;
    case State::CloseWait:
      tcb.state = State::LastAck;
      tcb.wait_at = Instant::never();
      break;
    case State::Closed:
    case State::FinWait1:
    case State::FinWait2:
    case State::Closing:
    case State::LastAck:
    case State::TimeWait:
      return out;
  }
  tcb.fin_queued = true;
  out.output = true;
  return out;
}

Actions close(Tcb& tcb, bool unread, const Context& context) noexcept {
  // In the other states the peer is done and gets no RST: there the FIN, or TIME-WAIT, goes on (MUST-13).
  if (unread && reset_is_due(tcb.state)) return abort(tcb);
  tcb.receive_closed = true;
  // Once: who closes again and again does not keep the connection.
  if (tcb.state == State::FinWait2 && tcb.wait_at.is_never())
    tcb.wait_at = context.now + context.parameters.fin_wait_2_timeout;
  return shutdown_send(tcb, context);
}

Actions abort(Tcb& tcb) noexcept {
  Actions out;
  if (tcb.state == State::Closed) return out;
  if (reset_is_due(tcb.state)) {
    out.reply.seq = tcb.control_seq();  // <SEQ=SND.NXT><CTL=RST>
    out.reply.flags = TcpFlags(TcpFlags::kRst);
  }
  tcb.state = State::Closed;
  out.closed = true;
  out.error = Error::Aborted;
  return out;
}

}  // namespace estab::tcp
