// The services that `estab serve` offers, and the bench's server.
#pragma once

#include <memory>
#include <string>

#include "estab/endpoint.h"

namespace estab::app {

bool is_service(const std::string& name);
std::string service_names();  // "echo, discard, ..."

// A service by name; buffers come from `endpoint`. Null for a name that is none.
std::unique_ptr<Service> make_service(const std::string& name, Endpoint& endpoint);

// Answers each `request` bytes with `response` bytes. `close_first`: closes after the first response, by RST if
// `by_rst`.
std::unique_ptr<Service> make_responder(Endpoint& endpoint, uint32_t request, uint32_t response, bool close_first,
                                        bool by_rst);

// Closes every connection as soon as it is established; by RST if `by_rst`.
std::unique_ptr<Service> make_closer(bool by_rst);

}  // namespace estab::app
