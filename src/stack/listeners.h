// Who listens on which port: one look-up for a SYN, in little memory.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "stack/handler.h"
#include "wire/address.h"

namespace estab::stack {

struct Listener {
  Handler* handler = nullptr;  // null: nobody listens (any more)
  uint32_t backlog = 0;        // half-open connections at most
  uint32_t half_open = 0;      // now
};

class Listeners {
 public:
  // Null where nobody has listened yet.
  Listener* find(wire::Port port) const {
    Page* page = pages_[port.value() >> 8].get();
    return page == nullptr ? nullptr : &(*page)[port.value() & 0xff];
  }
  Listener& at(wire::Port port) {
    std::unique_ptr<Page>& page = pages_[port.value() >> 8];
    if (page == nullptr) page = std::make_unique<Page>();
    return (*page)[port.value() & 0xff];
  }

 private:
  using Page = std::array<Listener, 256>;
  std::array<std::unique_ptr<Page>, 256> pages_;
};

}  // namespace estab::stack
