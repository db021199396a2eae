#include "tcp/tcb.h"

namespace estab::tcp {

uint32_t update_receive_window(Tcb& tcb, const Parameters& parameters) {
  const uint32_t limit = std::min(parameters.receive_buffer, uint32_t{UINT16_MAX} << tcb.rcv.scale);
  const uint32_t free = limit > tcb.rcv.queued ? limit - tcb.rcv.queued : 0;
  const uint32_t told = tcb.receive_window();
  // The edge never moves left (SHLD-14), and right only by a step that is worth a segment.
  if (free > told && free - told >= std::min<uint32_t>(limit / 2, parameters.mss)) tcb.rcv.edge = tcb.rcv.nxt + free;
  return tcb.receive_window();
}

Emission make_ack(Tcb& tcb, const Context& context) {
  const uint32_t window = update_receive_window(tcb, context.parameters);
  tcb.ack_pending = false;
  tcb.rcv.last_ack_sent = tcb.rcv.nxt;
  Emission ack;
  ack.seq = tcb.control_seq();
  ack.ack = tcb.rcv.nxt;
  ack.flags = TcpFlags(TcpFlags::kAck);
  ack.window = static_cast<uint16_t>(std::min<uint32_t>(window >> tcb.rcv.scale, UINT16_MAX));
  if (tcb.timestamps) {
    ack.has_timestamps = true;
    ack.ts_value = tcb.ts_now(context.now);
    ack.ts_echo = tcb.ts_recent;
  }
  return ack;
}

void restart_retransmission_timer(Tcb& tcb, Instant now) {
  const bool outstanding = tcb.snd.nxt != tcb.snd.una;
  // A closed window with something to send is probed by the same timer (RFC 9293 §3.8.6.1).
  const bool blocked = is_synchronized(tcb.state) && tcb.snd.nxt < tcb.snd.end;
  tcb.retransmit_at = outstanding || blocked ? now + tcb.rtt.rto() : Instant::never();
}

}  // namespace estab::tcp
