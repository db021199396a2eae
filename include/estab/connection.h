// A handle to a connection: copied freely, never dangling. When the connection has ended the handle is stale and every
// call on it does nothing. To be used on the worker's thread: in a Service's functions, or in what Endpoint::post runs.
#pragma once

#include <cstdint>
#include <span>

#include "estab/address.h"
#include "estab/buffer.h"
#include "estab/time.h"

namespace estab {

namespace stack {
class Stack;
}

enum class ConnectionState : uint8_t {
  Closed,
  Listen,
  SynSent,
  SynReceived,
  Established,
  FinWait1,
  FinWait2,
  CloseWait,
  Closing,
  LastAck,
  TimeWait,
};

// "ESTABLISHED" and so on (RFC 9293 §3.3.2).
const char* state_name(ConnectionState state);

struct ConnectionInfo {
  ConnectionState state = ConnectionState::Closed;
  SocketAddress local;
  SocketAddress remote;
  uint32_t mss = 0;                // bytes of text in a full segment
  uint32_t send_window = 0;        // SND.WND, bytes
  uint32_t receive_window = 0;     // RCV.WND, bytes
  uint32_t in_flight = 0;          // bytes sent and not acknowledged
  uint32_t congestion_window = 0;  // bytes
  Duration smoothed_rtt;           // zero before the first measurement (RFC 6298)
  Duration rto;
  bool timestamps = false;  // negotiated (RFC 7323)
  bool sack = false;        // negotiated (RFC 2018)
};

class Connection {
 public:
  Connection() = default;

  bool valid() const;  // false once it has ended

  // All bytes that have arrived in order and were not taken yet; empty when there are none. What is not taken fills the
  // receive window and so slows the peer.
  Buffer receive();

  // Queues the buffer's bytes without copying them. False, and the buffer is as it was, when the send queue is full
  // (then on_sendable follows) or the sending half is closed.
  bool send(Buffer& data);
  bool send(Buffer&& data) { return send(data); }
  // Queues a copy of as many of the bytes as there is room for, and says how many.
  size_t send(std::span<const uint8_t> bytes);
  size_t sendable() const;  // bytes that would be taken now; asking and finding 0 makes on_sendable follow

  void set_keepalive(bool on);  // probe a peer that has been silent for Config::keepalive_idle (RFC 9293 §3.8.4)
  void set_nodelay(bool on);    // true: small segments are not held back (RFC 9293 §3.7.4, MUST-17)

  void shutdown_send();  // closes the sending half: a FIN after the last byte; receiving goes on (RFC 9293 §3.6)
  void close();          // closes both halves; what is queued is still sent. With bytes not taken: a RST (§3.6.1)
  void abort();          // a RST, at once (§3.10.5)

  ConnectionInfo info() const;
  uint64_t user() const;  // a word of the user's own, 0 at first (or ConnectOptions::user)
  void set_user(uint64_t word);

  bool operator==(const Connection&) const = default;

 private:
  friend class Endpoint;
  friend struct ConnectionAccess;
  Connection(stack::Stack* owner, uint32_t index, uint32_t generation)
      : owner_(owner), index_(index), generation_(generation) {}

  stack::Stack* owner_ = nullptr;
  uint32_t index_ = 0;
  uint32_t generation_ = 0;
};

}  // namespace estab
