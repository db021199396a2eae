// What one stack counted. Written by its worker only; others read values that may be an instant old.
#pragma once

#include <array>
#include <cstdint>

#include "net/drop.h"
#include "tcp/drop.h"
#include "tcp/state.h"

namespace estab::stack {

// Drops for which the stack itself, not a peer, has the reason.
enum class Drop : uint8_t {
  None,
  BacklogFull,     // a SYN beyond the listener's backlog of half-open connections
  NoRecord,        // a SYN with every connection record in use
  TableFull,       // a SYN whose flow-table buckets are full
  NoMbuf,          // a packet not sent, for want of an mbuf
  TransmitFull,    // a packet that the device did not take
  Unreachable,     // a packet whose next hop did not answer ARP, or that has no route
  HoldFull,        // out-of-order text beyond what a connection, or all of them, may hold
  NeighborsFull,   // a packet not kept while its next hop is being resolved: too many wait
  TimeWaitFull,    // a TIME-WAIT cut short: every record of that kind is in use
  LowOnMbufs,      // a SYN, or a handshake's last ACK, refused while mbufs are scarce
  ChallengeLimit,  // an ACK not sent: the budget of challenge ACKs was spent
  ResetLimit,      // a RST not sent: the budget of RSTs to strays was spent
  Count,
};
inline constexpr size_t kDrops = static_cast<size_t>(Drop::Count);
inline constexpr size_t kErrors = static_cast<size_t>(tcp::Error::Stalled) + 1;

struct Counters {
  uint64_t rx_packets = 0;
  uint64_t tx_packets = 0;
  uint64_t rx_bytes = 0;  // of frames
  uint64_t tx_bytes = 0;

  uint64_t attempted = 0;                  // connections that we opened
  uint64_t connected = 0;                  // of these, established
  uint64_t accepted = 0;                   // connections that peers opened, established
  uint64_t closed = 0;                     // ended in order, both directions finished
  std::array<uint64_t, kErrors> failed{};  // ended otherwise, by tcp::Error
  uint64_t retransmitted = 0;              // segments
  uint64_t resets_sent = 0;
  uint64_t keepalives_sent = 0;
  uint64_t cookies_sent = 0;      // SYN-ACKs with a SYN cookie
  uint64_t cookies_accepted = 0;  // connections built from one
  uint64_t cookies_refused = 0;   // ACKs whose cookie was forged or too old
  uint64_t icmp_errors = 0;       // believed ones
  uint64_t mbufs_allocated = 0;   // by the stack itself, to send what no received packet could carry
  uint64_t replies_in_place = 0;

  std::array<uint64_t, tcp::kStates> by_state{};  // connections now
  std::array<uint64_t, net::kDrops> net_drops{};
  std::array<uint64_t, tcp::kDrops> tcp_drops{};
  std::array<uint64_t, kDrops> drops{};
};

}  // namespace estab::stack
