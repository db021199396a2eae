// §3.10.7.4 from its second step on: SYN-RECEIVED and the synchronized states.
#include "tcp/acknowledgment.h"
#include "tcp/arrival.h"

namespace estab::tcp {

void Arrival::other_states() {
  if (!is_next_in_window()) {
    if (tcb_.state == State::TimeWait && time_wait_check_syn() == Step::Done) return;
    if (first_check_sequence() == Step::Done) return;
    if (second_check_rst() == Step::Done) return;
    if (fourth_check_syn() == Step::Done) return;
  }
  if (fifth_check_ack() == Step::Done) return;
  if (sixth_check_urg() == Step::Done) return;
  if (seventh_process_text() == Step::Done) return;
  eighth_check_fin();
}

// What nearly every segment is: exactly the next one, with an ACK and no SYN or RST, all of it within the window. The
// first four steps let it pass as it is.
bool Arrival::is_next_in_window() const {
  constexpr int kControls = TcpFlags::kAck | TcpFlags::kSyn | TcpFlags::kRst;
  const int32_t room = tcb_.rcv.edge - seg_.seq;
  return (seg_.flags.bits() & kControls) == TcpFlags::kAck && seg_.seq == tcb_.rcv.nxt &&
         static_cast<int64_t>(seg_.text) + (fin_ ? 1 : 0) <= room &&
         (!tcb_.timestamps ||
          (seg_.options.has_timestamps && static_cast<int32_t>(seg_.options.ts_value - tcb_.ts_recent) >= 0));
}

Step Arrival::second_check_rst() {
  if (!seg_.flags.rst()) return Step::Continue;
  if (tcb_.state == State::TimeWait && seg_.seq == tcb_.rcv.nxt) return drop(Drop::RstInTimeWait);  // RFC 1337 §3
  if (seg_.seq != tcb_.rcv.nxt) return drop_with_ack(Drop::RstNotExact);                            // RFC 5961 §3.2
  switch (tcb_.state) {
    case State::SynReceived:
      close(tcb_.passive ? Error::None : Error::Refused);
      break;
    case State::Established:
    case State::FinWait1:
    case State::FinWait2:
    case State::CloseWait:
      close(Error::Reset);
      break;
    case State::Closing:
    case State::LastAck:
    case State::TimeWait:  // the user hears of it where text was lost (MUST-12)
      close(tcb_.snd.una < tcb_.snd.end ? Error::Reset : Error::None);
      break;
    case State::Closed:
    case State::Listen:
    case State::SynSent:
      break;
  }
  return Step::Done;
}

// RFC 5961 §4.2 also for SYN-RECEIVED: going back to LISTEN would let a blind SYN undo a handshake.
Step Arrival::fourth_check_syn() {
  if (!seg_.flags.syn() || seq_ != seg_.seq) return Step::Continue;
  return drop_with_ack(Drop::SynInWindow);
}

// RFC 7323 §4.3 has this in the first step. It waits for the ACK to be found acceptable: a forged segment in the window
// must not set the clock by which the peer is judged.
void Arrival::note_timestamp() {
  if (!tcb_.timestamps || !seg_.options.has_timestamps || seg_.seq > tcb_.rcv.last_ack_sent) return;
  tcb_.ts_recent = seg_.options.ts_value;
  tcb_.ts_recent_ms = static_cast<uint32_t>(context_.now.ms());
}

Step Arrival::fifth_check_ack() {
  if (!seg_.flags.ack()) return drop(Drop::NoAck);
  if (tcb_.state == State::SynReceived) {
    if (!(tcb_.snd.una < seg_.ack && seg_.ack <= tcb_.snd.nxt)) {
      out_.reply = reset_at(seg_.ack);
      return drop(Drop::UnacceptableAck);
    }
    note_timestamp();
    acknowledge_syn(tcb_, seg_, context_);
    enter_established();
  } else {
    // RFC 5961 §5.2: SND.UNA - MAX.SND.WND =< SEG.ACK =< SND.NXT
    if (!(tcb_.snd.una - tcb_.snd.max_wnd <= seg_.ack && seg_.ack <= tcb_.snd.nxt))
      return drop_with_ack(Drop::AckOutOfRange);
    note_timestamp();
    acknowledge(tcb_, seg_, context_, out_);
    heard_of_peer();
  }
  switch (tcb_.state) {
    case State::FinWait1:
      if (!tcb_.fin_acked()) break;
      tcb_.state = State::FinWait2;
      if (tcb_.receive_closed) tcb_.wait_at = context_.now + context_.parameters.fin_wait_2_timeout;
      heard_of_peer();
      break;
    case State::Closing:
      if (!tcb_.fin_acked()) return Step::Done;
      enter_time_wait(tcb_, context_);
      out_.time_wait = true;
      return Step::Done;
    case State::LastAck:
      if (tcb_.fin_acked()) {
        close(Error::None);
        return Step::Done;
      }
      break;
    case State::TimeWait:  // a FIN that is within the window (its sequence number is not the old one)
      if (fin_) {
        tcb_.wait_at = context_.now + context_.parameters.time_wait;
        out_.reply = make_ack(tcb_, context_);
      }
      return Step::Done;
    case State::SynReceived:
    case State::Established:
    case State::FinWait2:
    case State::CloseWait:
    case State::Closed:
    case State::Listen:
    case State::SynSent:
      break;
  }
  return Step::Continue;
}

// Urgent data stays in line with the rest (RFC 6093 §4), so the pointer changes nothing.
Step Arrival::sixth_check_urg() {
  return Step::Continue;
}

Step Arrival::seventh_process_text() {
  if (text_ == 0) return Step::Continue;
  switch (tcb_.state) {
    case State::Established:
    case State::FinWait1:
    case State::FinWait2:
      break;
    case State::CloseWait:
    case State::Closing:
    case State::LastAck:
    case State::TimeWait:
      return drop(Drop::TextAfterFin);
    case State::SynReceived:
    case State::Closed:
    case State::Listen:
    case State::SynSent:
      return Step::Done;
  }
  if (tcb_.receive_closed) {  // RFC 9293 §3.6.1, SHLD-3
    out_.reply = reset_at(tcb_.control_seq());
    close(Error::DataAfterClose);
    return drop(Drop::TextAfterClose);
  }
  out_.text_offset = text_offset_;
  out_.text_length = text_;
  tcb_.ack_pending = true;
  out_.output = true;
  if (seq_ == tcb_.rcv.nxt && !tcb_.holding) {
    out_.text = Text::Deliver;
    tcb_.rcv.nxt += text_;
    tcb_.rcv.queued += text_;
    return Step::Continue;
  }
  out_.text = Text::Hold;
  out_.hold_fin = fin_;
  return Step::Done;
}

void Arrival::eighth_check_fin() {
  if (!fin_) return;
  if (seq_ + text_ != tcb_.rcv.nxt && out_.text != Text::Deliver) {  // a bare FIN over a hole
    if (seq_ > tcb_.rcv.nxt) {
      out_.text = Text::Hold;
      out_.text_offset = text_offset_;
      out_.hold_fin = true;
      tcb_.ack_pending = true;
      out_.output = true;
    }
    return;
  }
  fin_arrives(tcb_, context_, out_);
}

}  // namespace estab::tcp
