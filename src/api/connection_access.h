// The bridge between the public Connection and the stack's ids.
#pragma once

#include "estab/connection.h"
#include "stack/stack.h"

namespace estab {

struct ConnectionAccess {
  static Connection make(stack::Stack& owner, stack::ConnectionId id) { return {&owner, id.index, id.generation}; }
  static stack::ConnectionId id(const Connection& connection) { return {connection.index_, connection.generation_}; }
};

}  // namespace estab
