// A connection in SYN-RECEIVED that a peer opened, in one cache line: all that a SYN may cost.
#pragma once

#include <cstdint>

#include "tcp/half_open.h"
#include "timer/wheel.h"
#include "wire/address.h"

namespace estab::stack {

struct alignas(64) HalfOpenRecord {
  wire::Tuple tuple;
  timer::TimerNode timer;
  tcp::HalfOpen handshake;
  wire::MacAddress next_hop;
  bool in_use = false;
};
static_assert(sizeof(HalfOpenRecord) == 64);

}  // namespace estab::stack
