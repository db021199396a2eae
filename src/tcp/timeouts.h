// Timeouts: RFC 9293 §3.10.8.
#pragma once

#include "tcp/actions.h"
#include "tcp/tcb.h"

namespace estab::tcp {

// To be called when Tcb::poll_at() has come; harmless when called early.
Actions timeout(Tcb& tcb, const Context& context) noexcept;

}  // namespace estab::tcp
