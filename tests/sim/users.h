// The users of one stack: they open, send, read, stop reading, close and abort as planned, and check all that they are
// told.
#pragma once

#include <map>
#include <set>

#include "sim/world.h"

namespace estab::sim {

class Users final : public stack::Handler {
 public:
  Users(World& world, size_t side) : world_(world), side_(side) {}

  void open(size_t connection);  // the side's end of it
  void act(End& end, Act act);
  void send(End& end);
  void read(End& end);
  void finish(End& end);  // the run heals: come to an end, in order

  void on_established(stack::ConnectionId id) override;
  void on_text(stack::ConnectionId id) override;
  void on_sendable(stack::ConnectionId id) override;
  void on_peer_close(stack::ConnectionId id) override;
  void on_close(stack::ConnectionId id, tcp::Error error) override;

 private:
  stack::Stack& stack() { return *world_.stack[side_]; }
  End* find(stack::ConnectionId id, const char* callback);
  bool accept(stack::ConnectionId id);
  bool send_once(End& end);
  void end_sending(End& end);
  void check_text(End& end, const buf::Mbuf& text);

  World& world_;
  size_t side_;
  std::map<uint32_t, End*> by_record_;
  std::set<uint32_t> ghosts_;  // records of connections that nobody opened
};

}  // namespace estab::sim
