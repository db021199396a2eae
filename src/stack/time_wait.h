// A connection in TIME-WAIT, in one cache line. There is one state machine: a segment for a record like this is given
// to the TCB that the record stands for.
#pragma once

#include <algorithm>
#include <cstdint>

#include "tcp/tcb.h"
#include "timer/wheel.h"
#include "wire/address.h"

namespace estab::stack {

struct alignas(64) TimeWaitRecord {
  wire::Tuple tuple;
  timer::TimerNode timer;
  uint64_t hash = 0;  // of the tuple, in the flow table
  wire::Seq snd_nxt;
  wire::Seq rcv_nxt;
  wire::Seq rcv_edge;
  uint32_t ts_recent = 0;
  uint32_t ts_recent_ms = 0;
  uint32_t ts_offset = 0;
  uint32_t expires_ms = 0;
  uint8_t rcv_scale = 0;
  bool timestamps = false;
  bool in_use = false;

  void take(const tcp::Tcb& tcb) {
    snd_nxt = tcb.snd.nxt;
    rcv_nxt = tcb.rcv.nxt;
    rcv_edge = tcb.rcv.edge;
    rcv_scale = tcb.rcv.scale;
    timestamps = tcb.timestamps;
    ts_recent = tcb.ts_recent;
    ts_recent_ms = tcb.ts_recent_ms;
    ts_offset = tcb.ts_offset;
    expires_ms = static_cast<uint32_t>(tcb.wait_at.ms_up());
  }

  // How long from now until it expires, in milliseconds.
  int32_t left_ms(Instant now) const { return static_cast<int32_t>(expires_ms - static_cast<uint32_t>(now.ms())); }

  tcp::Tcb expand(Instant now) const {
    tcp::Tcb tcb;
    tcb.state = tcp::State::TimeWait;
    tcb.timestamps = timestamps;
    tcb.fin_queued = true;
    tcb.snd.una = tcb.snd.nxt = snd_nxt;
    tcb.snd.end = snd_nxt - 1;  // the FIN took the last number
    tcb.snd.rtx = tcb.snd.rtx_end = snd_nxt;
    tcb.snd.max_wnd = UINT16_MAX;
    tcb.rcv.nxt = tcb.rcv.last_ack_sent = rcv_nxt;
    tcb.rcv.edge = rcv_edge;
    tcb.rcv.scale = rcv_scale;
    tcb.ts_recent = ts_recent;
    tcb.ts_recent_ms = ts_recent_ms;
    tcb.ts_offset = ts_offset;
    tcb.wait_at = Instant::from_ns((now.ms() + static_cast<uint64_t>(std::max(left_ms(now), 0))) * 1'000'000);
    return tcb;
  }
};
static_assert(sizeof(TimeWaitRecord) == 64);

}  // namespace estab::stack
