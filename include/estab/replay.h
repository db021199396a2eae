// Replays a capture: the client's side of what was recorded is given to an endpoint of ours, under the capture's own
// clock.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "estab/address.h"
#include "estab/endpoint.h"
#include "estab/result.h"
#include "estab/stats.h"
#include "estab/time.h"

namespace estab {

struct ReplayConfig {
  std::string in;     // pcap or pcapng, with microseconds or nanoseconds; Ethernet, Linux cooked, loopback or raw IP
  std::string out;    // pcap: what the endpoint sends, at virtual times
  Cidr address;       // the recorded server's, and so ours
  uint64_t seed = 1;  // of the endpoint's secrets
  Duration time_wait = Duration::seconds(60);
  Duration linger = Duration::seconds(1800);  // virtual time that connections get to end after the last packet
  std::vector<std::string> eal_arguments;     // where no endpoint was created before
};

struct ReplaySummary {
  Stats stats;        // of the endpoint, after its release: stats.mbufs_in_use is what leaked
  Duration duration;  // of virtual time, from the first packet to the end of the last connection
  // Packets of the capture: packets = followed + rewritten + as_they_were + what the device missed.
  uint64_t packets = 0;
  uint64_t followed = 0;      // the recorded server's own: they teach its numbers and go no further
  uint64_t rewritten = 0;     // given to the endpoint with the client's acknowledgments shifted to our numbers
  uint64_t as_they_were = 0;  // given to the endpoint unchanged: a SYN, other protocols, or what makes no sense
  uint64_t cut_short = 0;     // recorded without their last bytes (tcpdump -s); to the endpoint they are malformed
  // Acknowledgments made up, because the client had acknowledged what our server only sent later.
  uint64_t acknowledgments_added = 0;
  uint64_t busiest_port = 0;  // of our address, by TCP packets in the capture; 0: none
  std::string cut_off;        // why the end of the capture could not be read; empty: it could
};

// The client's packets come in by DPDK's net_pcap, at the virtual times that their timestamps say; between them the
// endpoint's timers run, and after the last until every connection is gone. (A gap of more than a day counts as a day.)
// The same capture, services and seed give the same `out`, byte for byte. The recorded server's packets are followed,
// and the client's acknowledgments, SACK blocks and echoed timestamps are shifted from that server's numbers to ours; a
// packet that makes no sense is given as it is.
//
// `set_up` is called once, before the first packet: to listen(), and to observe. The endpoint is gone when this
// returns, so the services need only live until then; poll(), run() and start() are not for this endpoint.
Result<ReplaySummary> replay(const ReplayConfig& config, const std::function<void(Endpoint&)>& set_up);

}  // namespace estab
