// Sees segments come and go: for traces.
#pragma once

#include <cstdint>

#include "estab/address.h"
#include "estab/connection.h"
#include "estab/time.h"

namespace estab {

// A segment of a connection, as its endpoint sees it.
struct ObservedSegment {
  bool received = false;  // else sent
  SocketAddress local;
  SocketAddress remote;
  uint32_t seq = 0;
  uint32_t ack = 0;
  uint32_t text = 0;    // bytes
  uint16_t window = 0;  // as on the wire, unscaled
  uint8_t flags = 0;    // the control bits of RFC 9293 §3.1: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32
  ConnectionState before = ConnectionState::Closed;
  ConnectionState after = ConnectionState::Closed;
  Instant at;
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_segment(const ObservedSegment& segment) = 0;
};

}  // namespace estab
