#include "tcp/congestion.h"

#include <algorithm>

namespace estab::tcp {

void CongestionControl::start(uint32_t mss, uint32_t segments, Seq iss) {
  cwnd = mss * segments;
  recover = iss;
}

bool CongestionControl::on_ack(Seq una, uint32_t acked, uint32_t mss, uint32_t in_flight) {
  duplicate_acks = 0;
  if (fast_recovery) {
    if (una >= recover) {  // full acknowledgment: RFC 6582 §3.2 step 3
      fast_recovery = false;
      cwnd = std::min(ssthresh, std::max(in_flight, mss) + mss);
      return false;
    }
    cwnd -= std::min(cwnd, acked);  // partial: deflate, add back one segment
    cwnd += mss;
    return true;
  }
  if (una > recover) recover = una - 1;  // says the same, but does not compare as ahead after 2 GiB without a loss
  if (cwnd < ssthresh) {
    cwnd += std::min(acked, mss);  // slow start, RFC 5681 §3.1 (2)
  } else {
    cwnd += std::max<uint32_t>(1, static_cast<uint32_t>(uint64_t{mss} * std::min(acked, mss) / cwnd));  // (3)
  }
  cwnd = std::min(cwnd, 1u << 30);
  return false;
}

bool CongestionControl::on_duplicate_ack(Seq una, Seq nxt, uint32_t mss, uint32_t in_flight) {
  if (fast_recovery) {
    cwnd = std::min(cwnd + mss, 1u << 30);  // RFC 5681 §3.2 step 4
    return false;
  }
  if (duplicate_acks < 3) ++duplicate_acks;
  if (duplicate_acks != 3) return false;
  if (una <= recover) return false;  // of the window that an earlier loss already answered for (RFC 6582 §3.2 step 2)
  duplicate_acks = 0;
  fast_recovery = true;
  recover = nxt;
  ssthresh = std::max(in_flight / 2, 2 * mss);
  cwnd = ssthresh + 3 * mss;
  return true;
}

void CongestionControl::on_timeout(Seq nxt, uint32_t mss, uint32_t in_flight) {
  if (cwnd > mss || ssthresh == UINT32_MAX) ssthresh = std::max(in_flight / 2, 2 * mss);  // RFC 5681 §3.1 (4)
  cwnd = mss;
  recover = nxt;
  duplicate_acks = 0;
  fast_recovery = false;
}

}  // namespace estab::tcp
