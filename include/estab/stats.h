// What an endpoint counted since it began, as one snapshot.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace estab {

struct Stats {
  uint64_t attempted = 0;                    // connections that we opened
  uint64_t connected = 0;                    // of these, established
  uint64_t accepted = 0;                     // connections that peers opened, established
  uint64_t closed = 0;                       // ended in order
  std::map<std::string, uint64_t> failures;  // ended otherwise, by error_name()
  uint64_t active = 0;                       // connections now, in any state
  std::map<std::string, uint64_t> by_state;  // connections now, by state_name(); states with none are left out
  uint64_t retransmitted = 0;                // segments
  uint64_t resets_sent = 0;
  uint64_t cookies_sent = 0;      // SYN-ACKs with a SYN cookie (RFC 4987)
  uint64_t cookies_accepted = 0;  // connections built from one
  uint64_t cookies_refused = 0;   // ACKs whose cookie was forged or too old
  uint64_t icmp_errors = 0;       // about segments in flight; others are dropped (RFC 5927)
  uint64_t keepalives_sent = 0;

  uint64_t rx_packets = 0;
  uint64_t tx_packets = 0;
  uint64_t rx_bytes = 0;
  uint64_t tx_bytes = 0;
  std::map<std::string, uint64_t>
      dropped;  // packets, by reason: drop_reasons() explains each; reasons with none left out

  uint64_t mbufs_in_use = 0;      // of the endpoint's pool
  uint64_t mbufs_allocated = 0;   // to send what no received packet's memory could carry
  uint64_t replies_in_place = 0;  // packets sent in the memory of the one that they answer

  uint64_t polls = 0;        // of the worker
  uint64_t idle_polls = 0;   // of these, without anything to do
  uint64_t busy_cycles = 0;  // TSC cycles of the polls that had something to do
  double ns_per_cycle = 0;

  uint64_t failed() const {
    uint64_t sum = 0;
    for (const auto& [reason, count] : failures) sum += count;
    return sum;
  }
};

// Every reason a packet can be dropped for, with a sentence that says what it means.
const std::map<std::string, std::string>& drop_reasons();

}  // namespace estab
