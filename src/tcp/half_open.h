// SYN-RECEIVED after LISTEN: all that a SYN fixes of a connection, in 32 bytes, and the TCB that it stands for. What
// LISTEN does with a SYN (RFC 9293 §3.10.7.2, third step) is said here, once.
#pragma once

#include "tcp/isn.h"
#include "tcp/tcb.h"

namespace estab::tcp {

struct HalfOpen {
  Seq iss;
  Seq irs;
  uint32_t ts_recent = 0;
  uint32_t ts_offset = 0;
  uint32_t retransmit_at_ms = 0;  // of the SYN-ACK, modulo 2^32
  uint32_t sent_us = 0;           // when it first went out, in microseconds modulo 2^32
  uint16_t window = 0;            // of the SYN
  uint16_t mss = 0;
  uint8_t scale = 0;
  uint8_t retries : 4 = 0;
  bool timing : 1 = false;  // sent once: its answer measures the round trip
  bool timestamps : 1 = false;
  bool sack : 1 = false;
  bool scaling : 1 = false;
};

// A SYN came to a listener.
HalfOpen answer_syn(const InitialNumbers& numbers, const Segment& syn, const Context& context) noexcept;

// What it is answered with.
Emission syn_ack(const HalfOpen& half, const Context& context) noexcept;

// Whether the segment completes the handshake in the usual way. What does not may do so all the same (with text out of
// order, say): the state machine knows.
constexpr bool completes(const HalfOpen& half, const Segment& ack) {
  constexpr int kControls = TcpFlags::kAck | TcpFlags::kSyn | TcpFlags::kRst;
  return (ack.flags.bits() & kControls) == TcpFlags::kAck && ack.seq == half.irs + 1 && ack.ack == half.iss + 1 &&
         (!half.timestamps ||
          (ack.options.has_timestamps && static_cast<int32_t>(ack.options.ts_value - half.ts_recent) >= 0));
}

// Where it completes it with nothing but its ACK, what becomes of the connection: the same as expand() and
// segment_arrives() make of it, without asking all that they ask. `tcb` is new.
constexpr bool completes_plainly(const HalfOpen& half, const Segment& ack) {
  return completes(half, ack) && ack.length() == 0;
}
void establish(const HalfOpen& half, const Segment& ack, const Context& context, Tcb& tcb) noexcept;

// There and back. `tcb` is new.
void expand(const HalfOpen& half, const Context& context, Tcb& tcb) noexcept;
HalfOpen half_open(const Tcb& tcb) noexcept;

}  // namespace estab::tcp
