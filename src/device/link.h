// What a stack sends to and receives from: one queue pair of an ethdev, or an in-memory link in tests.
#pragma once

#include <cstdint>

#include "buf/mbuf.h"
#include "wire/address.h"

namespace estab::device {

struct Capabilities {
  bool verifies_checksums = false;  // received packets carry a verdict on IPv4 and TCP checksums
  bool ipv4_checksum = false;       // fills the IPv4 header's on transmit
  bool tcp_checksum = false;        // fills TCP's on transmit
  bool multi_segment = false;       // transmits chains of segments
  bool polls_hardware = false;      // a NIC: an idle worker spins; on software devices it backs off
};

class Link {
 public:
  virtual ~Link() = default;
  Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Fills `burst`, which is empty.
  virtual void receive(buf::MbufBurst& burst) = 0;
  // Sends in order what the device takes now and returns how many; the rest stays the caller's.
  virtual uint16_t transmit(rte_mbuf** mbufs, uint16_t count) = 0;

  virtual const Capabilities& capabilities() const = 0;
  virtual wire::MacAddress mac() const = 0;
  virtual uint16_t mtu() const = 0;
};

}  // namespace estab::device
