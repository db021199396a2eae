// A connection's record: key, TCB, timer and queues, in one flat pool.
#pragma once

#include <cstdint>

#include "buf/mbuf_queue.h"
#include "stack/handler.h"
#include "tcp/reassembly.h"
#include "tcp/tcb.h"
#include "timer/wheel.h"
#include "wire/address.h"

namespace estab::stack {

inline constexpr uint8_t kNewsEstablished = 1;
inline constexpr uint8_t kNewsText = 2;
inline constexpr uint8_t kNewsRoom = 4;
inline constexpr uint8_t kNewsFin = 8;
inline constexpr uint8_t kNewsClose = 16;

// What a connection holds bytes in, while it holds some.
struct Queues {
  buf::MbufQueue send;
  buf::MbufQueue receive;
  tcp::Reassembly* reassembly = nullptr;  // while there is a hole

  bool idle() const { return send.empty() && receive.empty() && reassembly == nullptr; }
};

// A connection that carries nothing has no more than this: four cache lines.
struct alignas(64) Record {
  wire::Tuple tuple;
  uint32_t generation = 0;      // odd while in use
  wire::MacAddress next_hop;    // zero until known
  uint8_t news = 0;             // what the handler is still to be told: kNews...
  bool dirty : 1 = false;       // on the list of connections to settle at the end of the burst
  bool wants_room : 1 = false;  // the user met a full send queue
  bool active : 1 = false;      // we opened it
  bool announced : 1 = false;   // the handler knows of it, so it hears of its end
  tcp::Error error = tcp::Error::None;
  uint64_t hash = 0;  // of the tuple, in the flow table
  timer::TimerNode timer;
  tcp::Tcb tcb;
  Handler* handler = nullptr;
  uint64_t user = 0;
  Queues* queues = nullptr;

  bool has_text() const { return queues != nullptr && !queues->receive.empty(); }
  tcp::Reassembly* reassembly() const { return queues == nullptr ? nullptr : queues->reassembly; }
};
static_assert(sizeof(Record) <= 256);

}  // namespace estab::stack
