// One arriving segment, walking the numbered steps of RFC 9293 §3.10.7 in order. Internal to segment_arrives: the steps
// of LISTEN and SYN-SENT are in segment_arrives.cc, the first step of the other states in check_sequence.cc, the rest
// in synchronized_states.cc.
#pragma once

#include <algorithm>

#include "tcp/output.h"
#include "tcp/segment_arrives.h"

namespace estab::tcp {

enum class Step : uint8_t { Continue, Done };

// One arrival, walking the numbered steps in order.
class Arrival {
 public:
  Arrival(Tcb& tcb, const Segment& segment, const Context& context, Actions& out)
      : tcb_(tcb),
        seg_(segment),
        context_(context),
        out_(out),
        seq_(segment.seq),
        text_(segment.text),
        fin_(segment.flags.fin()) {}

  void closed_state() {
    out_.drop = Drop::NoConnection;
    out_.reply = reset_for(seg_);
  }

  void listen_state();
  void syn_sent_state();
  void other_states();

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
  void adopt_options();
  void enter_established();
  void note_timestamp();
  void heard_of_peer() {
    if (!tcb_.awaits_keepalive()) return;
    tcb_.keepalive_probes = 0;
    tcb_.wait_at = context_.now + context_.parameters.keepalive_idle;
  }
  bool paws_rejects() const;
  bool in_window(Seq seq) const { return tcb_.rcv.nxt <= seq && seq < tcb_.rcv.edge; }
  bool sequence_acceptable() const;
  bool is_next_in_window() const;
  bool late_bare_ack() const;
  void trim_to_window();
  void trim_to_edge();

  Tcb& tcb_;
  const Segment& seg_;
  const Context& context_;
  Actions& out_;  // the caller's own: it is not copied
  // The segment as trimmed to the window: §3.10.7.4's "idealized segment".
  Seq seq_;
  uint32_t text_offset_ = 0;
  uint32_t text_;
  bool fin_;
};

constexpr Emission reset_at(Seq seq) {  // <SEQ=SEG.ACK><CTL=RST>
  Emission rst;
  rst.seq = seq;
  rst.flags = TcpFlags(TcpFlags::kRst);
  return rst;
}

}  // namespace estab::tcp
