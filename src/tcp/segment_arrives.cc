#include "tcp/segment_arrives.h"

#include "tcp/acknowledgment.h"
#include "tcp/arrival.h"
#include "tcp/half_open.h"

namespace estab::tcp {

// ---------------------------------------------------------------------------------------------- §3.10.7.2 LISTEN STATE

void Arrival::listen_state() {
  if (seg_.flags.rst()) {  // first
    out_.drop = Drop::ListenRst;
    return;
  }
  if (seg_.flags.ack()) {  // second
    out_.drop = Drop::ListenAck;
    out_.reply = reset_at(seg_.ack);
    return;
  }
  if (!seg_.flags.syn()) {  // fourth
    out_.drop = Drop::ListenUnexpected;
    return;
  }
  // third; a FIN or text on the SYN is not acknowledged, so the peer sends it again when the handshake is complete
  const HalfOpen half = answer_syn({tcb_.iss, tcb_.ts_offset}, seg_, context_);
  expand(half, context_, tcb_);
  out_.reply = syn_ack(half, context_);
}

// -------------------------------------------------------------------------------------------- §3.10.7.3 SYN-SENT STATE

void Arrival::syn_sent_state() {
  if (syn_sent_first_check_ack() == Step::Done) return;
  if (syn_sent_second_check_rst() == Step::Done) return;
  if (syn_sent_fourth_check_syn() == Step::Done) return;
  if (sixth_check_urg() == Step::Done) return;  // text and controls on the SYN-ACK
  if (seventh_process_text() == Step::Done) return;
  eighth_check_fin();
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
  adopt_options();
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

void Arrival::adopt_options() {
  const Negotiated both = negotiate(seg_.options, context_.parameters);
  tcb_.timestamps = both.timestamps;
  tcb_.sack = both.sack;
  tcb_.scaling = both.scaling;
  if (both.timestamps) {
    tcb_.ts_recent = seg_.options.ts_value;
    tcb_.ts_recent_ms = static_cast<uint32_t>(context_.now.ms());
  }
  tcb_.snd.mss = both.mss;
  tcb_.snd.scale = both.scale;
  tcb_.rcv.scale = both.scaling ? context_.parameters.window_scale : uint8_t{0};
  tcb_.congestion.start(both.mss, context_.parameters.initial_window, tcb_.iss);
}

void Arrival::enter_established() {
  tcb_.state = tcb_.fin_queued ? State::FinWait1 : State::Established;
  tcb_.snd.wl1 = seg_.seq;
  tcb_.snd.wl2 = seg_.ack;
  heard_of_peer();
  out_.established = true;
  out_.output = tcb_.snd.nxt < tcb_.snd.end || tcb_.fin_queued;
}

Emission reset_for(const Segment& segment) noexcept {
  if (segment.flags.rst()) return {};
  if (segment.flags.ack()) return reset_at(segment.ack);
  Emission rst;  // <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>
  rst.ack = segment.seq + segment.length();
  rst.flags = TcpFlags(TcpFlags::kRst | TcpFlags::kAck);
  return rst;
}

Actions segment_arrives(Tcb& tcb, const Segment& segment, const Context& context) noexcept {
  Actions out;
  Arrival arrival(tcb, segment, context, out);
  switch (tcb.state) {
    case State::Closed:
      arrival.closed_state();
      break;
    case State::Listen:
      arrival.listen_state();
      break;
    case State::SynSent:
      arrival.syn_sent_state();
      break;
    case State::SynReceived:
    case State::Established:
    case State::FinWait1:
    case State::FinWait2:
    case State::CloseWait:
    case State::Closing:
    case State::LastAck:
    case State::TimeWait:
      arrival.other_states();
      break;
  }
  return out;
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
