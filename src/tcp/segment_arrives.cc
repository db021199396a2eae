#include "tcp/segment_arrives.h"

#include "tcp/acknowledgment.h"
#include "tcp/output.h"

namespace estab::tcp {
namespace {

enum class Step : uint8_t { Continue, Done };

// One arrival, walking the numbered steps in order.
class Arrival {
 public:
  Arrival(Tcb& tcb, const Segment& segment, const Context& context)
      : tcb_(tcb),
        seg_(segment),
        context_(context),
        seq_(segment.seq),
        text_(segment.text),
        fin_(segment.flags.fin()) {}

  Actions closed_state() {
    out_.drop = Drop::NoConnection;
    out_.reply = reset_for(seg_);
    return out_;
  }

  Actions listen_state();
  Actions syn_sent_state();
  Actions other_states();

 private:
  // §3.10.7.3
  Step syn_sent_first_check_ack();
  Step syn_sent_second_check_rst();
  Step syn_sent_fourth_check_syn();

  // §3.10.7.4. (The third step, security, has no counterpart on today's Internet: RFC 9293 §3.10.7.4 leaves it to
  // IPsec.)
  Step time_wait_check_syn();
  Step first_check_sequence();
  Step second_check_rst();
  Step fourth_check_syn();
  Step fifth_check_ack();
  Step sixth_check_urg();
  Step seventh_process_text();
  void eighth_check_fin();

  Step drop(Drop why) {
    out_.drop = why;
    return Step::Done;
  }
  Step drop_with_ack(Drop why) {
    out_.reply = make_ack(tcb_, context_);
    return drop(why);
  }
  void close(Error error) {
    tcb_.state = State::Closed;
    out_.closed = true;
    out_.error = error;
    out_.output = false;
  }
  void enter_established();
  bool paws_rejects() const;
  bool in_window(Seq seq) const { return tcb_.rcv.nxt <= seq && seq < tcb_.rcv.edge; }
  bool sequence_acceptable() const;
  bool late_bare_ack() const;
  void trim_to_window();
  void trim_to_edge();

  Tcb& tcb_;
  const Segment& seg_;
  const Context& context_;
  Actions out_;
  // The segment as trimmed to the window: §3.10.7.4's "idealized segment".
  Seq seq_;
  uint32_t text_offset_ = 0;
  uint32_t text_;
  bool fin_;
};

Emission reset_at(Seq seq) {  // <SEQ=SEG.ACK><CTL=RST>
  Emission rst;
  rst.seq = seq;
  rst.flags = TcpFlags(TcpFlags::kRst);
  return rst;
}

// ---------------------------------------------------------------------------------------------- §3.10.7.2 LISTEN STATE

Actions Arrival::listen_state() {
  if (seg_.flags.rst()) {  // first
    out_.drop = Drop::ListenRst;
    return out_;
  }
  if (seg_.flags.ack()) {  // second
    out_.drop = Drop::ListenAck;
    out_.reply = reset_at(seg_.ack);
    return out_;
  }
  if (!seg_.flags.syn()) {  // fourth
    out_.drop = Drop::ListenUnexpected;
    return out_;
  }
  // third; a FIN or text on the SYN is not acknowledged, so the peer sends it again when the handshake is complete
  tcb_.passive = true;
  tcb_.irs = seg_.seq;
  tcb_.rcv.nxt = seg_.seq + 1;
  negotiate(tcb_, seg_, context_);
  tcb_.snd.wnd = seg_.window;
  tcb_.snd.max_wnd = seg_.window;
  tcb_.snd.wl1 = seg_.seq;
  tcb_.snd.wl2 = tcb_.iss;
  tcb_.state = State::SynReceived;
  out_.reply = make_syn(tcb_, context_);
  return out_;
}

// -------------------------------------------------------------------------------------------- §3.10.7.3 SYN-SENT STATE

Actions Arrival::syn_sent_state() {
  if (syn_sent_first_check_ack() == Step::Done) return out_;
  if (syn_sent_second_check_rst() == Step::Done) return out_;
  if (syn_sent_fourth_check_syn() == Step::Done) return out_;
  if (sixth_check_urg() == Step::Done) return out_;  // text and controls on the SYN-ACK
  if (seventh_process_text() == Step::Done) return out_;
  eighth_check_fin();
  return out_;
}

Step Arrival::syn_sent_first_check_ack() {
  if (!seg_.flags.ack()) return Step::Continue;
  if (tcb_.snd.una < seg_.ack && seg_.ack <= tcb_.snd.nxt) return Step::Continue;  // §3.5: it acknowledges our SYN
  if (!seg_.flags.rst()) out_.reply = reset_at(seg_.ack);
  return drop(Drop::UnacceptableAck);
}

Step Arrival::syn_sent_second_check_rst() {
  if (!seg_.flags.rst()) return Step::Continue;
  if (!seg_.flags.ack()) return drop(Drop::SynSentUnexpected);
  close(Error::Refused);
  return Step::Done;
}

Step Arrival::syn_sent_fourth_check_syn() {
  if (!seg_.flags.syn()) return drop(Drop::SynSentUnexpected);
  tcb_.irs = seg_.seq;
  tcb_.rcv.nxt = seg_.seq + 1;
  negotiate(tcb_, seg_, context_);
  if (!seg_.flags.ack()) {  // simultaneous open, §3.5 figure 7
    tcb_.snd.wnd = seg_.window;
    tcb_.snd.max_wnd = seg_.window;
    tcb_.snd.wl1 = seg_.seq;
    tcb_.snd.wl2 = tcb_.iss;
    tcb_.state = State::SynReceived;
    out_.reply = make_syn(tcb_, context_);
    return Step::Done;
  }
  if (tcb_.probe_only) {
    out_.reply = reset_at(seg_.ack);
    out_.established = true;
    close(Error::None);
    return Step::Done;
  }
  acknowledge_syn(tcb_, seg_, context_);
  enter_established();
  tcb_.rcv.edge = tcb_.rcv.nxt + std::min<uint32_t>(context_.parameters.receive_buffer, UINT16_MAX);
  out_.reply = make_ack(tcb_, context_);
  seq_ = seg_.seq + 1;
  trim_to_edge();
  return text_ > 0 || fin_ ? Step::Continue : Step::Done;
}

void Arrival::enter_established() {
  tcb_.state = tcb_.fin_queued ? State::FinWait1 : State::Established;
  tcb_.snd.wl1 = seg_.seq;
  tcb_.snd.wl2 = seg_.ack;
  out_.established = true;
  out_.output = tcb_.snd.nxt < tcb_.snd.end || tcb_.fin_queued;
}

// ---------------------------------------------------------------------------------------------- §3.10.7.4 Other States

Actions Arrival::other_states() {
  if (tcb_.state == State::TimeWait && time_wait_check_syn() == Step::Done) return out_;
  if (first_check_sequence() == Step::Done) return out_;
  if (second_check_rst() == Step::Done) return out_;
  if (fourth_check_syn() == Step::Done) return out_;
  if (fifth_check_ack() == Step::Done) return out_;
  if (sixth_check_urg() == Step::Done) return out_;
  if (seventh_process_text() == Step::Done) return out_;
  eighth_check_fin();
  return out_;
}

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
  // RFC 7323 §4.3; a SYN or RST that only gets a challenge ACK must not set the clock by which the peer is judged.
  const bool takes_time = tcb_.timestamps && seg_.options.has_timestamps && !seg_.flags.rst() && !seg_.flags.syn();
  if (takes_time && seg_.seq <= tcb_.rcv.last_ack_sent) {
    tcb_.ts_recent = seg_.options.ts_value;
    tcb_.ts_recent_ms = static_cast<uint32_t>(context_.now.ms());
  }
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
    case State::TimeWait:
      close(Error::None);
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

Step Arrival::fifth_check_ack() {
  if (!seg_.flags.ack()) return drop(Drop::NoAck);
  if (tcb_.state == State::SynReceived) {
    if (!(tcb_.snd.una < seg_.ack && seg_.ack <= tcb_.snd.nxt)) {
      out_.reply = reset_at(seg_.ack);
      return drop(Drop::UnacceptableAck);
    }
    acknowledge_syn(tcb_, seg_, context_);
    enter_established();
  } else {
    // RFC 5961 §5.2: SND.UNA - MAX.SND.WND =< SEG.ACK =< SND.NXT
    if (!(tcb_.snd.una - tcb_.snd.max_wnd <= seg_.ack && seg_.ack <= tcb_.snd.nxt))
      return drop_with_ack(Drop::AckOutOfRange);
    acknowledge(tcb_, seg_, context_, out_);
  }
  switch (tcb_.state) {
    case State::FinWait1:
      if (!tcb_.fin_acked()) break;
      tcb_.state = State::FinWait2;
      if (tcb_.receive_closed) tcb_.wait_at = context_.now + context_.parameters.fin_wait_2_timeout;
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

}  // namespace

Emission reset_for(const Segment& segment) noexcept {
  if (segment.flags.rst()) return {};
  if (segment.flags.ack()) return reset_at(segment.ack);
  Emission rst;  // <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>
  rst.ack = segment.seq + segment.length();
  rst.flags = TcpFlags(TcpFlags::kRst | TcpFlags::kAck);
  return rst;
}

Actions segment_arrives(Tcb& tcb, const Segment& segment, const Context& context) noexcept {
  Arrival arrival(tcb, segment, context);
  switch (tcb.state) {
    case State::Closed:
      return arrival.closed_state();
    case State::Listen:
      return arrival.listen_state();
    case State::SynSent:
      return arrival.syn_sent_state();
    case State::SynReceived:
    case State::Established:
    case State::FinWait1:
    case State::FinWait2:
    case State::CloseWait:
    case State::Closing:
    case State::LastAck:
    case State::TimeWait:
      return arrival.other_states();
  }
  return {};
}

Actions assemble(Tcb& tcb, uint32_t length, bool fin, const Context& context) noexcept {
  Actions out;
  out.output = true;
  tcb.ack_pending = true;
  tcb.rcv.nxt += length;
  tcb.rcv.queued += length;
  if (fin) fin_arrives(tcb, context, out);
  return out;
}

}  // namespace estab::tcp
