// What the stack tells the owner of a connection. Called on the worker's thread, between packets.
#pragma once

#include <cstdint>

#include "tcp/state.h"

namespace estab::stack {

// Names a connection of one stack; a stale one is recognised by its generation and refused.
struct ConnectionId {
  uint32_t index = UINT32_MAX;
  uint32_t generation = 0;
  bool operator==(const ConnectionId&) const = default;
};

class Handler {
 public:
  virtual ~Handler() = default;
  virtual void on_established(ConnectionId id) = 0;              // accepted, or connected
  virtual void on_text(ConnectionId id) = 0;                     // there is something to receive()
  virtual void on_sendable(ConnectionId id) = 0;                 // the send queue has room again
  virtual void on_peer_close(ConnectionId id) = 0;               // the peer sends no more
  virtual void on_close(ConnectionId id, tcp::Error error) = 0;  // the end; the id is stale afterwards
};

}  // namespace estab::stack
