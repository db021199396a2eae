// The transmission control block (RFC 9293 §3.3.1) and the few readings of it that several files share.
#pragma once

#include <algorithm>
#include <cstdint>

#include "tcp/congestion.h"
#include "tcp/parameters.h"
#include "tcp/rtt.h"
#include "tcp/segment.h"
#include "tcp/state.h"

namespace estab::tcp {

inline constexpr uint16_t kDefaultMss = 536;  // RFC 9293 MUST-15
inline constexpr uint16_t kMinPeerMss = 64;   // a smaller offer would only multiply packets

struct SendSequence {
  Seq una;
  Seq nxt;
  uint32_t wnd = 0;  // the peer's window, unscaled bytes from una
  Seq wl1;
  Seq wl2;
  Seq end;                     // one past the last byte that the user has queued; a FIN takes this number
  uint32_t max_wnd = 0;        // MAX.SND.WND, RFC 5961 §5.2
  Seq rtx;                     // retransmission goes from here ...
  Seq rtx_end;                 // ... to here; nothing to retransmit when equal
  Seq small;                   // end of the last segment shorter than the MSS (Minshall's Nagle)
  uint16_t mss = kDefaultMss;  // text per segment, options deducted (RFC 6691)
  uint8_t scale = 0;

  bool operator==(const SendSequence&) const = default;
};

struct ReceiveSequence {
  Seq nxt;
  Seq edge;             // right edge of the window that the peer was told: RCV.NXT + RCV.WND
  Seq last_ack_sent;    // RFC 7323 §4.3
  uint32_t queued = 0;  // bytes delivered that the user has not taken yet
  uint8_t scale = 0;

  bool operator==(const ReceiveSequence&) const = default;
};

struct Tcb {
  State state = State::Closed;
  bool passive : 1 = false;         // came from LISTEN
  bool timestamps : 1 = false;      // negotiated
  bool sack : 1 = false;            // negotiated
  bool syn_pending : 1 = false;     // a SYN or SYN-ACK is to be sent (again)
  bool ack_pending : 1 = false;     // an ACK is owed
  bool fin_queued : 1 = false;      // the user closed its side; the FIN follows the last byte
  bool receive_closed : 1 = false;  // the user will take no more text (full CLOSE)
  bool rtt_timing : 1 = false;      // the segment that ends at rtt_seq is timed since rtt_since
  bool syn_retransmitted : 1 = false;
  bool holding : 1 = false;       // the shell holds text beyond RCV.NXT: new text goes through the reassembly queue
  bool scaling : 1 = false;       // window scale negotiated
  bool override_sws : 1 = false;  // the override time-out of RFC 9293 §3.8.6.2.1 expired: send what fits
  bool keepalive : 1 = false;     // probe the peer when it has been silent (RFC 9293 §3.8.4)
  bool nodelay : 1 = false;       // Nagle's algorithm is off (MUST-17)
  bool unreachable : 1 = false;   // an ICMP error was heard since the peer last acknowledged something
  bool probe_only : 1 = false;    // answer the SYN-ACK with a RST: the user only wanted to know (half-open probe)
  uint8_t retries = 0;            // consecutive time-outs without an answer
  uint8_t probes = 0;             // window probes since the window closed
  uint8_t keepalive_probes = 0;   // since a segment of the peer last arrived

  SendSequence snd;
  ReceiveSequence rcv;
  Seq iss;
  Seq irs;

  uint32_t ts_recent = 0;
  uint32_t ts_recent_ms = 0;  // when ts_recent was taken (RFC 7323 §5.5: valid for 24 days)
  uint32_t ts_offset = 0;

  uint32_t stalled_since_ms = 0;  // with probes > 0: when the first of them was sent

  Seq rtt_seq;
  Instant rtt_since;
  RttEstimator rtt;
  CongestionControl congestion;

  Instant retransmit_at = Instant::never();  // retransmission or persist timer
  Instant wait_at = Instant::never();  // end of TIME-WAIT, of FIN-WAIT-2 after a full CLOSE; else the next keep-alive

  bool operator==(const Tcb&) const = default;

  Instant poll_at() const { return std::min(retransmit_at, wait_at); }
  uint32_t ts_now(Instant now) const { return static_cast<uint32_t>(now.ms()) + ts_offset; }  // a tick is 1 ms
  uint32_t in_flight() const { return static_cast<uint32_t>(snd.nxt - snd.una); }
  uint32_t receive_window() const { return static_cast<uint32_t>(rcv.edge - rcv.nxt); }  // RCV.WND
  bool fin_sent() const { return fin_queued && snd.nxt == snd.end + 1; }
  bool fin_acked() const { return fin_queued && snd.una == snd.end + 1; }
  // The number for a segment without text. SND.NXT, or the window's right edge where something went out beyond it (a
  // window probe, a FIN, a window that shrank): the peer would refuse SND.NXT, and two ends that refuse each other's
  // ACKs never stop.
  Seq control_seq() const { return is_synchronized(state) ? earlier(snd.nxt, snd.una + snd.wnd) : snd.nxt; }
  // Whether wait_at is when to look for a peer that is gone.
  bool awaits_keepalive() const {
    return keepalive &&
           (state == State::Established || state == State::CloseWait || (state == State::FinWait2 && !receive_closed));
  }
  // Bytes of text that the user queued and the peer has not acknowledged.
  uint32_t send_queue() const {
    // By state, not by comparing with ISS: after 2 GiB that comparison turns round.
    const Seq first = snd.una == iss && !is_synchronized(state) ? iss + 1 : snd.una;
    return first < snd.end ? static_cast<uint32_t>(snd.end - first) : 0;
  }
};

// <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> with the window of the moment; notes in the TCB what the peer is told.
Emission make_ack(Tcb& tcb, const Context& context);

// The window to advertise, in bytes, after moving its right edge if that is worth it (RFC 9293 §3.8.6.2.2, MUST-39).
uint32_t update_receive_window(Tcb& tcb, const Parameters& parameters);

// Starts, restarts or stops the retransmission timer by what is in flight (RFC 6298 §5.1 to 5.3).
void restart_retransmission_timer(Tcb& tcb, Instant now);

// What a SYN's options and ours have in common (RFC 9293 §3.2, RFC 7323 §2.2 and §3.2, RFC 2018 §2).
struct Negotiated {
  uint16_t mss = 0;   // text per segment that we may send, timestamps deducted (RFC 6691)
  uint8_t scale = 0;  // of the peer's windows
  bool timestamps = false;
  bool sack = false;
  bool scaling = false;
};
[[gnu::always_inline]] inline Negotiated negotiate(const wire::TcpOptions& theirs, const Parameters& ours) {
  Negotiated both;
  both.mss = std::min(theirs.has_mss ? std::max(theirs.mss, kMinPeerMss) : kDefaultMss, ours.mss);
  both.timestamps = ours.timestamps && theirs.has_timestamps;
  both.sack = ours.sack && theirs.sack_permitted;
  both.scaling = theirs.has_window_scale;
  if (both.timestamps) both.mss = static_cast<uint16_t>(both.mss - 12);
  if (both.scaling) both.scale = theirs.window_scale;
  return both;
}

}  // namespace estab::tcp
