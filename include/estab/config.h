// What an endpoint is made from. Every field has a default but the device and the address.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "estab/address.h"
#include "estab/time.h"

namespace estab {

// When a SYN is answered by a SYN cookie, without keeping anything of it (RFC 4987 §3.6).
enum class SynCookies : uint8_t { Auto, Always, Never };  // Auto: while the listener's backlog is full

struct Config {
  // A DPDK device string: a PCI address ("0000:3b:00.0") or a virtual device ("net_tap0,iface=estab0"), or a name that
  // create_ring_pair() gave.
  std::string device;
  Cidr address;
  uint32_t addresses = 1;  // consecutive ones from `address` on: all are answered for, and connect() takes them in turn
  std::optional<Address> gateway;

  uint32_t max_connections = 1 << 20;  // records; memory is taken as they are used
  uint32_t mbufs = 1 << 15;
  uint32_t receive_buffer = 256 * 1024;            // bytes a connection
  uint32_t send_buffer = 256 * 1024;               // bytes a connection
  Duration time_wait = Duration::seconds(60);      // 2 MSL (RFC 9293 §3.4.2)
  Duration min_rto = Duration::milliseconds(200);  // RFC 6298 §2.4
  bool nagle = true;                               // RFC 9293 §3.7.4
  uint8_t syn_retries = 8;    // retransmissions of a SYN before giving up, more than 3 minutes (R2 of RFC 9293 §3.8.3)
  uint8_t data_retries = 15;  // of text or FIN, more than 100 s (likewise)
  SynCookies syn_cookies = SynCookies::Auto;
  // 16 bytes as 32 hexadecimal digits. Hosts behind one address that have the same complete each other's handshakes, if
  // their clocks agree to within a few seconds. Empty: a secret of this endpoint's own.
  std::string cookie_secret_file;

  bool keepalive = false;  // of new connections; Connection::set_keepalive for one (RFC 9293 §3.8.4)
  Duration keepalive_idle = Duration::seconds(7200);    // without a segment from the peer, then probes
  Duration keepalive_interval = Duration::seconds(75);  // between probes
  uint8_t keepalive_probes = 9;                         // unanswered ones, then the connection is TimedOut
  // How long a peer may keep its window closed with data waiting, then the connection is Stalled. Zero: for ever, as
  // RFC 9293 MUST-37 has it; but then each such peer pins its send queue (RFC 6429).
  Duration zero_window_limit = Duration::seconds(1200);
  uint64_t seed = 0;  // 0: secrets from the system; else the same secrets each time, for tests alone

  std::vector<std::string> eal_arguments;  // of the first endpoint in the process
  unsigned lcores = 1;                     // worker lcores that the EAL is to have, for all endpoints of the process
};

}  // namespace estab
