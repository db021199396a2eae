// The stack's handlers, in terms of the public API.
#pragma once

#include "api/connection_access.h"
#include "estab/observer.h"
#include "estab/service.h"

namespace estab {

class ServiceHandler final : public stack::Handler {
 public:
  ServiceHandler(Service& service, stack::Stack& stack) : service_(service), stack_(stack) {}

  void on_established(stack::ConnectionId id) override {
    const stack::Record* record = stack_.find(id);
    record->active ? service_.on_connect(connection(id)) : service_.on_accept(connection(id));
  }
  void on_text(stack::ConnectionId id) override { service_.on_receive(connection(id)); }
  void on_sendable(stack::ConnectionId id) override { service_.on_sendable(connection(id)); }
  void on_peer_close(stack::ConnectionId id) override { service_.on_peer_close(connection(id)); }
  void on_close(stack::ConnectionId id, tcp::Error error) override {
    static_assert(static_cast<int>(Error::Stalled) == static_cast<int>(tcp::Error::Stalled));
    service_.on_close(connection(id), static_cast<Error>(error));
  }

 private:
  Connection connection(stack::ConnectionId id) { return ConnectionAccess::make(stack_, id); }

  Service& service_;
  stack::Stack& stack_;
};

class ObserverAdapter final : public stack::Observer {
 public:
  explicit ObserverAdapter(estab::Observer& observer) : observer_(observer) {}

  void on_segment(bool received, const wire::Tuple& tuple, const wire::TcpHeader& header, uint32_t text,
                  tcp::State before, tcp::State after, Instant now) override {
    observer_.on_segment({.received = received,
                          .local = {Address{tuple.local.value()}, tuple.local_port.value()},
                          .remote = {Address{tuple.remote.value()}, tuple.remote_port.value()},
                          .seq = header.seq.value(),
                          .ack = header.ack.value(),
                          .text = text,
                          .window = header.window,
                          .flags = header.flags.bits(),
                          .before = static_cast<ConnectionState>(before),
                          .after = static_cast<ConnectionState>(after),
                          .at = now});
  }

 private:
  estab::Observer& observer_;
};

}  // namespace estab
