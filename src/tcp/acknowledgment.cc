#include "tcp/acknowledgment.h"

namespace estab::tcp {
namespace {

void measure_rtt(Tcb& tcb, const Segment& segment, const Context& context) {
  if (tcb.rtt_timing && tcb.rtt_seq <= segment.ack) {  // never over a retransmission: Karn, RFC 6298 §3
    tcb.rtt_timing = false;
    tcb.rtt.sample(context.now - tcb.rtt_since, context.parameters);
  } else if (tcb.retries > 0 && tcb.timestamps && segment.options.has_timestamps) {
    const uint32_t ms = tcb.ts_now(context.now) - segment.options.ts_echo;  // RFC 7323 §4.1: unambiguous
    if (ms < 60'000) tcb.rtt.sample(Duration::milliseconds(std::max(ms, 1u)), context.parameters);
  }
}

void update_send_window(Tcb& tcb, const Segment& segment, Instant now, Actions& out, bool advances) {
  auto& snd = tcb.snd;
  // Also where SND.UNA moved: a retransmission has an old SEG.SEQ, but nothing acknowledged as much before it. With the
  // old SND.WND counted from the new SND.UNA, we would send beyond the window.
  if (!(advances || snd.wl1 < segment.seq || (snd.wl1 == segment.seq && snd.wl2 <= segment.ack))) return;
  const uint32_t window = static_cast<uint32_t>(segment.window) << snd.scale;
  if (window > snd.wnd) {
    tcb.probes = 0;
    out.output = out.output || snd.nxt < snd.end;
    if (snd.wnd == 0 && snd.nxt != snd.una) {  // what probed the closed window may have been refused: send it again
      snd.rtx = snd.una;
      snd.rtx_end = snd.nxt;
      out.output = true;
    }
  }
  const bool turned = (window == 0) != (snd.wnd == 0);  // between retransmission timer and persist timer
  snd.wnd = window;
  snd.max_wnd = std::max(snd.max_wnd, window);
  snd.wl1 = segment.seq;
  snd.wl2 = segment.ack;
  if (turned) restart_retransmission_timer(tcb, now);
}

}  // namespace

void acknowledge_syn(Tcb& tcb, const Segment& segment, const Context& context) {
  auto& snd = tcb.snd;
  measure_rtt(tcb, segment, context);
  // RFC 6298 §5.7: a handshake that needed its timer says nothing good of the path.
  if (tcb.syn_retransmitted && tcb.rtt.srtt_us == 0) tcb.rtt.rto_us = 3'000'000;
  if (tcb.retries > 1) tcb.congestion.cwnd = tcb.snd.mss;  // RFC 6928 §2: lost more than once
  tcb.retries = 0;
  tcb.syn_pending = false;
  snd.una = segment.ack;
  snd.rtx = snd.rtx_end = snd.una;
  const uint8_t shift = segment.flags.syn() ? 0 : snd.scale;  // the window on a SYN is never scaled (RFC 7323 §2.2)
  snd.wnd = static_cast<uint32_t>(segment.window) << shift;
  snd.max_wnd = std::max(snd.max_wnd, snd.wnd);
  snd.wl1 = segment.seq;
  snd.wl2 = segment.ack;
  tcb.retransmit_at = Instant::never();
}

void acknowledge(Tcb& tcb, const Segment& segment, const Context& context, Actions& out) {
  auto& snd = tcb.snd;
  if (segment.ack > snd.una) {
    const uint32_t queued_before = tcb.send_queue();
    const auto acked = static_cast<uint32_t>(segment.ack - snd.una);
    measure_rtt(tcb, segment, context);
    tcb.retries = 0;
    tcb.unreachable = false;
    snd.una = segment.ack;
    snd.rtx = later(snd.rtx, snd.una);
    snd.rtx_end = later(snd.rtx_end, snd.rtx);
    snd.small = later(snd.small, snd.una);  // left behind by 2 GiB it would compare as unacknowledged
    out.acked = queued_before - tcb.send_queue();
    if (tcb.congestion.on_ack(snd.una, acked, snd.mss, tcb.in_flight())) {
      snd.rtx = snd.una;
      snd.rtx_end = earlier(snd.una + snd.mss, snd.nxt);
    }
    update_send_window(tcb, segment, context.now, out, true);
    restart_retransmission_timer(tcb, context.now);
    out.output = out.output || snd.nxt < snd.end || snd.rtx != snd.rtx_end || (tcb.fin_queued && !tcb.fin_sent());
    return;
  }
  if (segment.ack < snd.una) return;  // an old one: its window counts from elsewhere
  // RFC 5681 §2's duplicate ACK: nothing new in it, with data outstanding.
  const bool duplicate = snd.nxt != snd.una && segment.length() == 0 &&
                         static_cast<uint32_t>(segment.window) << snd.scale == snd.wnd && snd.wnd != 0;
  update_send_window(tcb, segment, context.now, out, false);
  if (snd.wnd == 0) tcb.retries = 0;  // a closed window is no dead peer (RFC 9293 §3.8.6.1)
  if (!duplicate) return;
  if (tcb.congestion.on_duplicate_ack(snd.una, snd.nxt, snd.mss, tcb.in_flight())) {
    snd.rtx = snd.una;
    snd.rtx_end = earlier(snd.una + snd.mss, snd.nxt);
  }
  out.output = out.output || snd.nxt < snd.end || snd.rtx != snd.rtx_end;
}

void fin_arrives(Tcb& tcb, const Context& context, Actions& out) {
  switch (tcb.state) {
    case State::Established:
      tcb.state = State::CloseWait;
      break;
    case State::FinWait1:
      // The fifth step has moved on to FIN-WAIT-2 where our FIN is acknowledged.
      tcb.state = State::Closing;
      break;
    case State::FinWait2:
      enter_time_wait(tcb, context);
      out.time_wait = true;
      break;
    case State::CloseWait:
    case State::Closing:
    case State::LastAck:
    case State::TimeWait:
    case State::SynReceived:
    case State::Closed:
    case State::Listen:
    case State::SynSent:
      return;
  }
  tcb.rcv.nxt += 1;
  tcb.rcv.edge = later(tcb.rcv.edge, tcb.rcv.nxt);
  tcb.ack_pending = true;
  out.peer_closed = true;
  out.output = true;
}

void enter_time_wait(Tcb& tcb, const Context& context) {
  tcb.state = State::TimeWait;
  tcb.retransmit_at = Instant::never();
  tcb.wait_at = context.now + context.parameters.time_wait;
}

}  // namespace estab::tcp
