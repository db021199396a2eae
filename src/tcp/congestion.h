// Congestion control behind one seam. NewReno (RFC 5681, RFC 6582) in its plain form; controllers with more to say
// replace it.
#pragma once

#include <cstdint>

#include "wire/seq.h"

namespace estab::tcp {

using wire::Seq;

struct CongestionControl {
  uint32_t cwnd = 0;  // bytes
  uint32_t ssthresh = UINT32_MAX;
  Seq recover;  // SND.NXT when the current recovery began (RFC 6582 §3.2)
  uint8_t duplicate_acks = 0;
  bool fast_recovery = false;

  bool operator==(const CongestionControl&) const = default;

  void start(uint32_t mss, uint32_t segments, Seq iss);
  // An ACK moved SND.UNA to `una` over `acked` bytes. True: a partial ACK, the segment at `una` is lost too.
  bool on_ack(Seq una, uint32_t acked, uint32_t mss, uint32_t in_flight);
  // True: the third in a row, retransmit the segment at SND.UNA now.
  bool on_duplicate_ack(Seq una, Seq nxt, uint32_t mss, uint32_t in_flight);
  void on_timeout(Seq nxt, uint32_t mss, uint32_t in_flight);
};

}  // namespace estab::tcp
