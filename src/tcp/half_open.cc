#include "tcp/half_open.h"

#include "tcp/acknowledgment.h"
#include "tcp/output.h"

namespace estab::tcp {

HalfOpen answer_syn(const InitialNumbers& numbers, const Segment& syn, const Context& context) noexcept {
  const Parameters& ours = context.parameters;
  const Negotiated both = negotiate(syn.options, ours);
  HalfOpen half;
  half.iss = numbers.isn;
  half.irs = syn.seq;
  half.ts_recent = syn.options.ts_value;
  half.ts_offset = numbers.ts_offset;
  half.retransmit_at_ms = static_cast<uint32_t>((context.now + ours.initial_rto).ms_up());
  half.sent_us = static_cast<uint32_t>(context.now.us());
  half.window = syn.window;
  half.mss = both.mss;
  half.scale = both.scale;
  half.timing = true;
  half.timestamps = both.timestamps;
  half.sack = both.sack;
  half.scaling = both.scaling;
  return half;
}

Emission syn_ack(const HalfOpen& half, const Context& context) noexcept {
  Emission answer = syn_segment(half.iss, half.scaling, half.timestamps, half.sack, context.parameters);
  answer.flags = TcpFlags(TcpFlags::kSyn | TcpFlags::kAck);
  answer.ack = half.irs + 1;
  if (half.timestamps) {
    answer.ts_value = static_cast<uint32_t>(context.now.ms()) + half.ts_offset;
    answer.ts_echo = half.ts_recent;
  }
  return answer;
}

void expand(const HalfOpen& half, const Context& context, Tcb& tcb) noexcept {
  const Parameters& ours = context.parameters;
  const Seq first = half.irs + 1;
  tcb.state = State::SynReceived;
  tcb.passive = true;
  tcb.keepalive = ours.keepalive;
  tcb.nodelay = !ours.nagle;
  tcb.timestamps = half.timestamps;
  tcb.sack = half.sack;
  tcb.scaling = half.scaling;
  tcb.rtt_timing = half.timing;
  tcb.syn_retransmitted = half.retries > 0;
  tcb.retries = half.retries;
  tcb.iss = half.iss;
  tcb.irs = half.irs;
  tcb.ts_recent = half.ts_recent;
  tcb.ts_recent_ms = static_cast<uint32_t>(context.now.ms());
  tcb.ts_offset = half.ts_offset;
  tcb.snd.una = tcb.snd.small = half.iss;
  tcb.snd.nxt = tcb.snd.end = tcb.snd.rtx = tcb.snd.rtx_end = half.iss + 1;
  tcb.snd.wnd = tcb.snd.max_wnd = half.window;
  tcb.snd.wl1 = half.irs;
  tcb.snd.wl2 = half.iss;
  tcb.snd.mss = half.mss;
  tcb.snd.scale = half.scale;
  tcb.rcv.nxt = tcb.rcv.last_ack_sent = first;
  tcb.rcv.edge = first + std::min<uint32_t>(ours.receive_buffer, UINT16_MAX);
  tcb.rcv.scale = half.scaling ? ours.window_scale : uint8_t{0};
  tcb.congestion.start(half.mss, ours.initial_window, half.iss);
  tcb.rtt_seq = half.iss + 1;
  const uint32_t age_us = static_cast<uint32_t>(context.now.us()) - half.sent_us;
  tcb.rtt_since = context.now - Duration::microseconds(age_us);
  tcb.rtt.rto_us = static_cast<uint32_t>(std::min<int64_t>(ours.initial_rto.us() << half.retries, ours.max_rto.us()));
  const auto wait_ms = static_cast<int32_t>(half.retransmit_at_ms - static_cast<uint32_t>(context.now.ms()));
  // A whole millisecond: there and back it stays the same, or each stray segment would put the SYN-ACK off by one.
  tcb.retransmit_at = Instant::from_ns((context.now.ms() + static_cast<uint32_t>(std::max(wait_ms, 0))) * 1'000'000);
}

void establish(const HalfOpen& half, const Segment& ack, const Context& context, Tcb& tcb) noexcept {
  expand(half, context, tcb);
  if (half.timestamps) tcb.ts_recent = ack.options.ts_value;
  acknowledge_syn(tcb, ack, context);
  tcb.state = State::Established;
  if (tcb.keepalive) tcb.wait_at = context.now + context.parameters.keepalive_idle;
}

HalfOpen half_open(const Tcb& tcb) noexcept {
  HalfOpen half;
  half.iss = tcb.iss;
  half.irs = tcb.irs;
  half.ts_recent = tcb.ts_recent;
  half.ts_offset = tcb.ts_offset;
  half.retransmit_at_ms = static_cast<uint32_t>(tcb.retransmit_at.ms_up());
  half.sent_us = static_cast<uint32_t>(tcb.rtt_since.us());
  half.window = static_cast<uint16_t>(tcb.snd.wnd);
  half.mss = tcb.snd.mss;
  half.scale = tcb.snd.scale;
  half.retries = static_cast<uint8_t>(tcb.retries & 0xf);
  half.timing = tcb.rtt_timing;
  half.timestamps = tcb.timestamps;
  half.sack = tcb.sack;
  half.scaling = tcb.scaling;
  return half;
}

}  // namespace estab::tcp
