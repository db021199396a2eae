// What a server or client does with its connections. Each function runs on the worker's thread, between packets: it
// must not block. The defaults make a service that takes what it is sent and closes when the peer does.
#pragma once

#include "estab/connection.h"
#include "estab/error.h"

namespace estab {

class Service {
 public:
  virtual ~Service() = default;

  virtual void on_accept(Connection) {}                                     // a peer's connection is ESTABLISHED
  virtual void on_connect(Connection) {}                                    // one of ours is
  virtual void on_receive(Connection connection) { connection.receive(); }  // there is something to receive()
  virtual void on_sendable(Connection) {}  // the send queue, once found full, is half empty
  virtual void on_peer_close(Connection connection) { connection.close(); }  // the peer sends no more
  virtual void on_close(Connection, Error) {}  // the end, told once for each connection that was accepted or attempted
};

}  // namespace estab
