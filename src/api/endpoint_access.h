// How the rest of the library makes an endpoint that is not like the others, and looks behind one.
#pragma once

#include <functional>
#include <memory>

#include "device/port.h"
#include "estab/endpoint.h"
#include "stack/stack.h"

namespace estab {

struct EndpointAccess {
  // An endpoint in virtual time: somebody else takes its packets from the port, gives them to its stack, and says what
  // time it is.
  struct Virtual {
    std::function<std::unique_ptr<device::Link>(device::Port&)> link;  // where the stack sends to
    Instant start;
  };

  // Null for a real one.
  static Result<std::unique_ptr<Endpoint>> create(const Config& config, const Virtual* in_virtual_time);
  static stack::Stack& stack(Endpoint& endpoint);
};

}  // namespace estab
