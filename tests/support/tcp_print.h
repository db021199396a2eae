// How GoogleTest prints what the TCP core returns, so that a failed comparison can be read.
#pragma once

#include <ostream>

#include "tcp/actions.h"
#include "tcp/tcb.h"

namespace estab::wire {

inline void PrintTo(Seq seq, std::ostream* os) {
  *os << seq.value();
}

}  // namespace estab::wire

namespace estab::tcp {

inline void PrintTo(State state, std::ostream* os) {
  *os << state_name(state);
}
inline void PrintTo(Drop drop, std::ostream* os) {
  *os << "Drop " << static_cast<int>(drop);
}
inline void PrintTo(Error error, std::ostream* os) {
  *os << "Error " << static_cast<int>(error);
}

inline void PrintTo(const Emission& e, std::ostream* os) {
  if (!e) {
    *os << "<nothing>";
    return;
  }
  *os << "<SEQ=" << e.seq.value() << "><ACK=" << e.ack.value() << "><CTL=";
  if (e.flags.syn()) *os << "SYN,";
  if (e.flags.fin()) *os << "FIN,";
  if (e.flags.rst()) *os << "RST,";
  if (e.flags.psh()) *os << "PSH,";
  if (e.flags.ack()) *os << "ACK";
  *os << "> text " << e.text << " at " << e.text_offset << " window " << e.window;
  if (e.mss != 0) *os << " MSS " << e.mss;
  if (e.has_window_scale) *os << " scale " << int{e.window_scale};
  if (e.has_timestamps) *os << " TS " << e.ts_value << "/" << e.ts_echo;
  if (e.sack_permitted) *os << " SACK-permitted";
  if (e.retransmission) *os << " (again)";
}

inline void PrintTo(const Actions& a, std::ostream* os) {
  *os << "{reply ";
  PrintTo(a.reply, os);
  *os << ", acked " << a.acked << ", text " << static_cast<int>(a.text) << " " << a.text_offset << "+" << a.text_length;
  *os << ", drop " << static_cast<int>(a.drop) << ", error " << static_cast<int>(a.error);
  if (a.hold_fin) *os << ", hold_fin";
  if (a.established) *os << ", established";
  if (a.peer_closed) *os << ", peer_closed";
  if (a.time_wait) *os << ", time_wait";
  if (a.reopen) *os << ", reopen";
  if (a.closed) *os << ", closed";
  if (a.output) *os << ", output";
  if (a.retransmitted) *os << ", retransmitted";
  *os << "}";
}

}  // namespace estab::tcp
