// A connection in SYN-RECEIVED that a peer opened, in one cache line: all that a SYN may cost. As with TIME-WAIT there
// is one state machine: segments and time-outs are given to the TCB that the record stands for.
#pragma once

#include <algorithm>
#include <cstdint>

#include "tcp/tcb.h"
#include "timer/wheel.h"
#include "wire/address.h"

namespace estab::stack {

struct alignas(64) HalfOpenRecord {
  wire::Tuple tuple;
  timer::TimerNode timer;
  wire::Seq iss;
  wire::Seq irs;
  uint32_t ts_recent = 0;
  uint32_t ts_offset = 0;
  uint32_t retransmit_at_ms = 0;
  uint32_t sent_us = 0;  // when the SYN-ACK first went out, in microseconds modulo 2^32
  uint16_t window = 0;   // of the SYN
  uint16_t mss = 0;
  wire::MacAddress next_hop;
  uint8_t scale = 0;
  uint8_t retries : 4 = 0;
  bool timestamps : 1 = false;
  bool sack : 1 = false;
  bool scaling : 1 = false;
  bool in_use : 1 = false;

  void take(const tcp::Tcb& tcb) {
    iss = tcb.iss;
    irs = tcb.irs;
    ts_recent = tcb.ts_recent;
    ts_offset = tcb.ts_offset;
    retransmit_at_ms = static_cast<uint32_t>(tcb.retransmit_at.ms_up());
    if (tcb.rtt_timing) sent_us = static_cast<uint32_t>(tcb.rtt_since.ns() / 1'000);
    window = static_cast<uint16_t>(tcb.snd.wnd);
    mss = tcb.snd.mss;
    scale = tcb.snd.scale;
    retries = static_cast<uint8_t>(tcb.retries & 0xf);
    timestamps = tcb.timestamps;
    sack = tcb.sack;
    scaling = tcb.scaling;
  }

  tcp::Tcb expand(const tcp::Context& context) const {
    tcp::Tcb tcb;
    tcb.state = tcp::State::SynReceived;
    tcb.passive = true;
    tcb.keepalive = context.parameters.keepalive;
    tcb.nodelay = !context.parameters.nagle;
    tcb.iss = iss;
    tcb.irs = irs;
    tcb.timestamps = timestamps;
    tcb.sack = sack;
    tcb.scaling = scaling;
    tcb.retries = retries;
    tcb.syn_retransmitted = retries > 0;
    tcb.ts_recent = ts_recent;
    tcb.ts_recent_ms = static_cast<uint32_t>(context.now.ms());
    tcb.ts_offset = ts_offset;
    tcb.snd.una = tcb.snd.small = iss;
    tcb.snd.nxt = tcb.snd.end = tcb.snd.rtx = tcb.snd.rtx_end = iss + 1;
    tcb.snd.wnd = tcb.snd.max_wnd = window;
    tcb.snd.wl1 = irs;
    tcb.snd.wl2 = iss;
    tcb.snd.mss = mss;
    tcb.snd.scale = scale;
    tcb.rcv.nxt = tcb.rcv.last_ack_sent = irs + 1;
    tcb.rcv.edge = irs + 1 + std::min<uint32_t>(context.parameters.receive_buffer, UINT16_MAX);
    tcb.rcv.scale = scaling ? context.parameters.window_scale : uint8_t{0};
    tcb.congestion.start(mss, context.parameters.initial_window, iss);
    tcb.rtt_timing = retries == 0;
    tcb.rtt_seq = iss + 1;
    const uint32_t age_us = static_cast<uint32_t>(context.now.ns() / 1'000) - sent_us;
    tcb.rtt_since = context.now - Duration::microseconds(age_us);
    tcb.rtt.rto_us = static_cast<uint32_t>(
        std::min<int64_t>(context.parameters.initial_rto.us() << retries, context.parameters.max_rto.us()));
    const auto wait_ms = static_cast<int32_t>(retransmit_at_ms - static_cast<uint32_t>(context.now.ms()));
    tcb.retransmit_at = context.now + Duration::milliseconds(std::max(wait_ms, 0));
    return tcb;
  }
};
static_assert(sizeof(HalfOpenRecord) == 64);

}  // namespace estab::stack
