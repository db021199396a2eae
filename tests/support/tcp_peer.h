// One TCB and a remote host that the test plays by hand. States are reached by playing segments, never by setting
// fields.
#pragma once

#include <vector>

#include "support/tcp_print.h"
#include "tcp/output.h"
#include "tcp/segment_arrives.h"
#include "tcp/timeouts.h"
#include "tcp/user_calls.h"

namespace estab::tcp {

inline constexpr int kFin = TcpFlags::kFin, kSyn = TcpFlags::kSyn, kRst = TcpFlags::kRst, kPsh = TcpFlags::kPsh,
                     kAck = TcpFlags::kAck, kUrg = TcpFlags::kUrg;

// No options but the MSS, so that a test's segments show only what the test is about.
inline Parameters plain_parameters() {
  Parameters p;
  p.mss = 1000;
  p.timestamps = false;
  p.sack = false;
  p.window_scale = 0;
  p.receive_buffer = 20'000;
  return p;
}

class Peer {
 public:
  Parameters parameters;
  Instant now = Instant::from_ns(1'000'000'000);
  Tcb tcb;
  Actions last;  // of the last event
  // The remote host: its next number, its window, and whether its SYN carries options.
  Seq irs{5000};
  Seq seq{5000};
  uint16_t window = 10'000;
  wire::TcpOptions syn_options{.has_mss = true, .mss = 1000};
  uint32_t ts_clock = 70'000;  // the remote's TSval
  uint32_t ts_offset = 0;
  Seq iss{1000};

  explicit Peer(const Parameters& p = plain_parameters()) : parameters(p) {}

  Context context() const { return {now, parameters}; }

  // ------------------------------------------------------------------------------------- what the remote host sends
  // A segment with the remote's next number, acknowledging all that was sent.
  Segment segment(int flags, uint32_t text = 0) const {
    Segment s;
    s.seq = seq;
    s.ack = (flags & kAck) != 0 ? tcb.snd.nxt : Seq(0);
    s.text = text;
    s.window = window;
    s.flags = TcpFlags(flags);
    if (tcb.timestamps) {
      s.options.has_timestamps = true;
      s.options.ts_value = ts_clock;
      s.options.ts_echo = tcb.ts_now(now);
    }
    return s;
  }
  Segment syn(int more = 0) const {
    Segment s = segment(kSyn | more);
    s.seq = irs;
    s.options = syn_options;
    if (s.options.has_timestamps) s.options.ts_value = ts_clock;
    return s;
  }
  Segment ack() const { return segment(kAck); }
  Segment ack_of(Seq number) const {
    Segment s = segment(kAck);
    s.ack = number;
    return s;
  }
  Segment text(uint32_t bytes) const { return segment(kAck, bytes); }
  Segment fin() const { return segment(kFin | kAck); }
  Segment rst() const { return segment(kRst); }

  // ------------------------------------------------------------------------------------------------------- the events
  // The segment arrives; the remote's next number moves with what was accepted in order.
  const Actions& arrives(const Segment& s) {
    last = segment_arrives(tcb, s, context());
    if (is_synchronized(tcb.state) && seq < tcb.rcv.nxt) seq = tcb.rcv.nxt;
    return last;
  }
  Emission next() { return next_segment(tcb, context()); }
  // All that the TCB has to send now.
  std::vector<Emission> drain() {
    std::vector<Emission> sent;
    while (Emission e = next()) sent.push_back(e);
    return sent;
  }
  // Time passes; a timer that has come due by then is called once.
  const Actions& advance(Duration span) {
    now = now + span;
    last = timeout(tcb, context());
    return last;
  }
  // Time passes until the next timer.
  const Actions& expire() {
    now = tcb.poll_at();
    last = timeout(tcb, context());
    return last;
  }
  // SEND, and what goes out for it.
  std::vector<Emission> sends(uint32_t bytes) {
    if (!send(tcb, bytes)) return {};
    return drain();
  }
  Actions closes() { return last = close(tcb, false, context()); }
  Actions shuts_down() { return last = shutdown_send(tcb, context()); }

  // ------------------------------------------------------------------------------------------------- reaching states
  void listen() { tcb = open_passive({iss, ts_offset}, parameters); }
  Emission syn_sent() {
    tcb = open_active({iss, ts_offset}, parameters);
    return next();
  }
  void syn_received() {
    listen();
    arrives(syn());
    seq = irs + 1;
  }
  void syn_received_active() {  // through a simultaneous open
    syn_sent();
    arrives(syn());
    seq = irs + 1;
  }
  void established() {
    syn_received();
    arrives(ack());
  }
  void established_active() {
    syn_sent();
    arrives(syn(kAck));
  }
  void fin_wait_1() {
    established();
    shuts_down();
    drain();
  }
  void fin_wait_2() {
    fin_wait_1();
    arrives(ack());
  }
  void close_wait() {
    established();
    arrives(fin());
    drain();
  }
  void closing() {
    fin_wait_1();
    arrives_without_ack_of_fin();
    drain();
  }
  void last_ack() {
    close_wait();
    shuts_down();
    drain();
  }
  void time_wait() {
    fin_wait_2();
    arrives(fin());
    drain();
  }
  void reach(State state);

  // <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>, as this TCB would send it now.
  Emission expected_ack() const {
    Emission e;
    e.seq = tcb.snd.nxt;
    e.ack = tcb.rcv.nxt;
    e.flags = TcpFlags(kAck);
    e.window = static_cast<uint16_t>(std::min<uint32_t>(tcb.receive_window() >> tcb.rcv.scale, UINT16_MAX));
    if (tcb.timestamps) {
      e.has_timestamps = true;
      e.ts_value = tcb.ts_now(now);
      e.ts_echo = tcb.ts_recent;
    }
    return e;
  }
  static Emission expected_rst(Seq at) {
    Emission e;
    e.seq = at;
    e.flags = TcpFlags(kRst);
    return e;
  }

 private:
  void arrives_without_ack_of_fin() {
    Segment s = fin();
    s.ack = tcb.snd.una;
    arrives(s);
  }
};

inline void Peer::reach(State state) {
  switch (state) {
    case State::Closed:
      return;
    case State::Listen:
      return listen();
    case State::SynSent:
      syn_sent();
      return;
    case State::SynReceived:
      return syn_received();
    case State::Established:
      return established();
    case State::FinWait1:
      return fin_wait_1();
    case State::FinWait2:
      return fin_wait_2();
    case State::CloseWait:
      return close_wait();
    case State::Closing:
      return closing();
    case State::LastAck:
      return last_ack();
    case State::TimeWait:
      return time_wait();
  }
}

inline constexpr State kSynchronizedStates[] = {State::Established, State::FinWait1, State::FinWait2, State::CloseWait,
                                                State::Closing,     State::LastAck,  State::TimeWait};

}  // namespace estab::tcp
