#include "api/stats.h"

#include <array>

#include "estab/error.h"

namespace estab {
namespace {

struct Reason {
  const char* name;
  const char* meaning;
};

constexpr std::array<Reason, net::kDrops> kNetReasons = {{
    {"", ""},
    {"frame_truncated", "a frame shorter than its headers"},
    {"other_mac", "a frame for another station's MAC address"},
    {"other_vlan", "a frame tagged for a VLAN; only untagged and priority-tagged (VLAN 0) ones are for us"},
    {"ethertype_unknown", "neither IPv4 nor ARP"},
    {"ipv4_header", "an impossible IPv4 version, header length or total length"},
    {"ipv4_checksum", "a wrong IPv4 header checksum"},
    {"ipv4_fragment", "an IPv4 fragment; they are not reassembled"},
    {"source_invalid", "a broadcast, multicast, loopback, unspecified or own address as source"},
    {"other_destination", "an IPv4 packet for an address that is not ours"},
    {"protocol_unknown", "neither TCP nor ICMP"},
    {"tcp_header", "a truncated TCP header or an impossible data offset"},
    {"tcp_checksum", "a wrong TCP checksum; behind a veth, the other end may need 'ethtool -K DEV tx off'"},
    {"tcp_options", "a malformed TCP option list"},
    {"arp_malformed", "not ARP for IPv4 over Ethernet, or an impossible sender"},
    {"icmp_malformed", "a truncated ICMP message, or its checksum wrong"},
    {"icmp_ignored", "an ICMP message that asks nothing of us"},
}};

constexpr std::array<Reason, tcp::kDrops> kTcpReasons = {{
    {"", ""},
    {"no_connection", "a segment for no connection, answered with a RST unless it was one"},
    {"listen_unexpected", "a segment to a listening port that is neither SYN, ACK nor RST"},
    {"listen_ack", "an ACK to a listening port without a connection, answered with a RST"},
    {"listen_rst", "a RST to a listening port without a connection"},
    {"ack_of_syn_wrong", "during a handshake, an ACK that does not acknowledge our SYN"},
    {"syn_sent_unexpected", "a segment without SYN in answer to our SYN"},
    {"out_of_window", "a segment outside of the receive window, answered with an ACK"},
    {"timestamp_old", "a segment with an old timestamp (PAWS, RFC 7323)"},
    {"timestamp_missing", "a segment without the timestamp that was negotiated"},
    {"rst_out_of_window", "a RST outside of the receive window"},
    {"rst_not_exact", "a RST inside the window but not at its edge, answered with a challenge ACK (RFC 5961)"},
    {"rst_in_time_wait", "a RST for a connection in TIME-WAIT (RFC 1337)"},
    {"syn_in_connection", "a SYN for an existing connection, answered with a challenge ACK (RFC 5961)"},
    {"ack_missing", "a segment without ACK for an existing connection"},
    {"ack_out_of_range", "an ACK of what was never sent, or far too old (RFC 5961)"},
    {"text_after_fin", "data after the peer's own FIN"},
    {"text_after_close", "data after our side closed, answered with a RST"},
    {"icmp_not_in_flight", "an ICMP error about a segment that is not in flight: somebody's guess (RFC 5927)"},
}};

constexpr std::array<Reason, stack::kDrops> kStackReasons = {{
    {"", ""},
    {"backlog_full", "a SYN beyond the listener's backlog; raise --backlog if clients are honest"},
    {"record_none", "a SYN with every connection record in use; raise --max-connections"},
    {"table_full", "a SYN whose part of the flow table is full; raise --max-connections"},
    {"mbuf_none", "a packet not sent for want of mbufs; give the endpoint more"},
    {"transmit_full", "a packet that the device did not take"},
    {"unreachable", "a packet whose next hop did not answer ARP, or that has no route"},
    {"hold_full", "out-of-order data beyond what a connection, or all of them, may hold; it comes again"},
    {"neighbors_full", "a packet not kept while its next hop was being resolved"},
    {"time_wait_full", "not a packet: a TIME-WAIT cut short, with every record for it in use; raise --max-connections"},
    {"mbufs_low",
     "a new connection refused while packet buffers are scarce: those that stand come first; raise --mbufs"},
    {"challenge_limit", "a challenge ACK not sent: somebody asks for more than the limit (RFC 5961)"},
    {"reset_limit", "a RST not sent: somebody sends more segments of no connection than the limit"},
}};

constexpr std::array<const char*, 12> kErrorNames = {"none",     "refused",          "reset",       "timed_out",
                                                     "aborted",  "data_after_close", "unreachable", "stalled",
                                                     "no_route", "no_port",          "no_record",   "invalid_address"};

template <size_t N>
void add_drops(std::map<std::string, uint64_t>& dropped, const std::array<uint64_t, N>& counts,
               const std::array<Reason, N>& reasons) {
  for (size_t i = 1; i < N; ++i) {
    if (counts[i] > 0) dropped[reasons[i].name] += counts[i];
  }
}

template <size_t N>
void add_reasons(std::map<std::string, std::string>& all, const std::array<Reason, N>& reasons) {
  for (size_t i = 1; i < N; ++i) all[reasons[i].name] = reasons[i].meaning;
}

}  // namespace

const char* error_name(Error error) {
  return kErrorNames[static_cast<size_t>(error)];
}

const std::map<std::string, std::string>& drop_reasons() {
  static const auto reasons = [] {
    std::map<std::string, std::string> all;
    add_reasons(all, kNetReasons);
    add_reasons(all, kTcpReasons);
    add_reasons(all, kStackReasons);
    all["device_missed"] =
        "a packet that the device itself dropped, for want of mbufs or because nobody polled in time";
    return all;
  }();
  return reasons;
}

Stats make_stats(const stack::Counters& counters) {
  Stats stats;
  stats.attempted = counters.attempted;
  stats.connected = counters.connected;
  stats.accepted = counters.accepted;
  stats.closed = counters.closed;
  for (size_t i = 1; i < counters.failed.size(); ++i) {
    if (counters.failed[i] > 0) stats.failures[error_name(static_cast<Error>(i))] = counters.failed[i];
  }
  for (size_t i = 0; i < counters.by_state.size(); ++i) {
    if (counters.by_state[i] == 0) continue;
    stats.by_state[tcp::state_name(static_cast<tcp::State>(i))] = counters.by_state[i];
    stats.active += counters.by_state[i];
  }
  stats.retransmitted = counters.retransmitted;
  stats.resets_sent = counters.resets_sent;
  stats.cookies_sent = counters.cookies_sent;
  stats.cookies_accepted = counters.cookies_accepted;
  stats.cookies_refused = counters.cookies_refused;
  stats.icmp_errors = counters.icmp_errors;
  stats.keepalives_sent = counters.keepalives_sent;
  stats.rx_packets = counters.rx_packets;
  stats.tx_packets = counters.tx_packets;
  stats.rx_bytes = counters.rx_bytes;
  stats.tx_bytes = counters.tx_bytes;
  add_drops(stats.dropped, counters.net_drops, kNetReasons);
  add_drops(stats.dropped, counters.tcp_drops, kTcpReasons);
  add_drops(stats.dropped, counters.drops, kStackReasons);
  stats.mbufs_allocated = counters.mbufs_allocated;
  stats.replies_in_place = counters.replies_in_place;
  return stats;
}

}  // namespace estab
