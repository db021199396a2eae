// What an endpoint fixes for all of its connections, and what a call is told of the moment.
#pragma once

#include <cstdint>

#include "estab/time.h"

namespace estab::tcp {

struct Parameters {
  uint16_t mss = 1460;                   // the largest segment text that we can receive: MTU - 40 (RFC 6691)
  uint8_t window_scale = 3;              // the shift that we offer (RFC 7323 §2)
  uint32_t receive_buffer = 256 * 1024;  // bytes; the receive window's limit
  uint8_t initial_window = 10;           // segments (RFC 6928)
  bool timestamps = true;                // offer and accept RFC 7323 timestamps
  bool sack = true;                      // offer and accept RFC 2018
  bool nagle = true;                     // RFC 9293 §3.7.4, in Minshall's variant; a connection can turn it off
  bool keepalive = false;                // of new connections (MUST-25); a connection can turn it on or off

  Duration initial_rto = Duration::seconds(1);     // RFC 6298 §2.1
  Duration min_rto = Duration::milliseconds(200);  // below §2.4's 1 s, as the large stacks choose; configurable
  Duration max_rto = Duration::seconds(60);        // §2.5
  uint8_t syn_retries = 8;  // retransmissions of a SYN before giving up: more than 3 minutes, R2 of RFC 9293 §3.8.3
  uint8_t syn_ack_retries =
      5;  // of a SYN-ACK: fewer, since whoever sends SYNs decides how many of these there are (RFC 4987)
  uint8_t data_retries = 15;  // retransmissions of text or FIN before giving up: more than 100 s, R2 of §3.8.3
  Duration time_wait = Duration::seconds(60);           // 2 MSL
  Duration fin_wait_2_timeout = Duration::seconds(60);  // after a full CLOSE; half-closed connections wait for ever

  Duration keepalive_idle = Duration::seconds(2 * 3600);  // without a segment from the peer, then probes (MUST-28)
  Duration keepalive_interval = Duration::seconds(75);    // between probes
  uint8_t keepalive_probes = 9;                           // unanswered ones before giving up (MUST-29)
  // How long a peer may keep its window closed with text waiting. Zero: for ever, while it answers (MUST-37). RFC 6429
  // allows a limit, and without one each such peer pins its send queue.
  Duration zero_window_limit;
};

struct Context {
  Instant now;
  const Parameters& parameters;
};

}  // namespace estab::tcp
