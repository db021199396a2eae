// The first step of §3.10.7.4: may this segment be looked at at all?
#include "tcp/arrival.h"

namespace estab::tcp {

// "Improved algorithm" of the first step: RFC 6191 §2, and RFC 1122 §4.2.2.13 where no timestamps decide.
Step Arrival::time_wait_check_syn() {
  if (!seg_.flags.syn() || seg_.flags.ack() || seg_.flags.rst()) return Step::Continue;
  const bool would_use = context_.parameters.timestamps && seg_.options.has_timestamps;
  bool honor = seg_.seq > tcb_.rcv.nxt;
  if (would_use && tcb_.timestamps) {
    const auto newer = static_cast<int32_t>(seg_.options.ts_value - tcb_.ts_recent);
    honor = newer > 0 || (newer == 0 && honor);
  } else if (would_use) {
    honor = true;
  }
  if (!honor) return drop_with_ack(Drop::SynInWindow);
  out_.reopen = true;
  return Step::Done;
}

bool Arrival::paws_rejects() const {  // RFC 7323 §5.3 R1, §5.5
  if (!tcb_.timestamps || !seg_.options.has_timestamps || seg_.flags.rst()) return false;
  if (static_cast<int32_t>(seg_.options.ts_value - tcb_.ts_recent) >= 0) return false;
  constexpr uint32_t kTwentyFourDaysMs = 24u * 24 * 3600 * 1000;
  return static_cast<uint32_t>(context_.now.ms()) - tcb_.ts_recent_ms < kTwentyFourDaysMs;
}

bool Arrival::sequence_acceptable() const {  // Table 6
  const uint32_t length = seg_.length();
  if (tcb_.receive_window() == 0) return length == 0 ? seg_.seq == tcb_.rcv.nxt : false;
  // One more than Table 6 for a segment without text or control: a peer that filled the window acknowledges from its
  // edge, and when two ends have done so, each refusing the other's ACKs, the answers would never stop.
  if (length == 0) return in_window(seg_.seq) || (!seg_.flags.rst() && seg_.seq == tcb_.rcv.edge);
  return in_window(seg_.seq) || in_window(seg_.seq + (length - 1));
}

// A bare ACK from left of the window. Its sender may not know yet that we took a probe or a FIN that it sent into a
// closed window; did both ends refuse the other's ACKs then, neither would ever learn, and the answers would never
// stop. So its ACK counts (as in BSD since Net/3), and it is answered.
bool Arrival::late_bare_ack() const {
  if (seg_.length() != 0 || seg_.flags.rst() || !is_synchronized(tcb_.state) || tcb_.state == State::TimeWait)
    return false;
  return seg_.seq < tcb_.rcv.nxt && tcb_.rcv.nxt - context_.parameters.receive_buffer <= seg_.seq;
}

Step Arrival::first_check_sequence() {
  if (tcb_.timestamps && !seg_.options.has_timestamps && !seg_.flags.rst() && !seg_.flags.syn()) {
    return drop(Drop::MissingTimestamp);  // RFC 7323 §3.2
  }
  if (paws_rejects()) return drop_with_ack(Drop::OldTimestamp);
  if (tcb_.state == State::SynReceived && seg_.flags.syn() && seg_.seq == tcb_.irs && !seg_.flags.rst()) {
    if (!seg_.flags.ack()) {  // the peer's SYN again: our SYN-ACK was lost
      out_.reply = make_syn(tcb_, context_);
      return Step::Done;
    }
    if (!tcb_.passive) {  // §3.5 figure 7 line 6: trim the SYN off, its ACK completes a simultaneous open
      seq_ = tcb_.rcv.nxt;
      trim_to_edge();
      return Step::Continue;
    }
  }
  if (!sequence_acceptable()) {
    // "Special allowance": with a closed window a segment at RCV.NXT is still taken for its ACK and RST (MUST-66).
    const bool at_closed_window = tcb_.receive_window() == 0 && seg_.seq == tcb_.rcv.nxt && !seg_.flags.syn();
    if (at_closed_window || late_bare_ack()) {
      text_ = 0;
      fin_ = false;
      tcb_.ack_pending = true;
      out_.output = true;
      out_.drop = Drop::OutOfWindow;
      return Step::Continue;
    }
    if (seg_.flags.rst()) return drop(Drop::RstOutOfWindow);
    if (tcb_.state == State::TimeWait && fin_) tcb_.wait_at = context_.now + context_.parameters.time_wait;
    return drop_with_ack(Drop::OutOfWindow);
  }
  if (!seg_.flags.rst()) trim_to_window();
  return Step::Continue;
}

void Arrival::trim_to_window() {
  if (seg_.flags.syn()) return;  // answered in the fourth step
  if (seq_ < tcb_.rcv.nxt) {
    const uint32_t old = std::min(text_, static_cast<uint32_t>(tcb_.rcv.nxt - seq_));
    seq_ = tcb_.rcv.nxt;
    text_offset_ = old;
    text_ -= old;
  }
  trim_to_edge();
}

void Arrival::trim_to_edge() {
  const auto room = static_cast<uint32_t>(std::max(tcb_.rcv.edge - seq_, 0));
  if (text_ > room) {
    text_ = room;
    fin_ = false;
  } else if (text_ == room && fin_) {
    fin_ = false;
  }
}

}  // namespace estab::tcp
