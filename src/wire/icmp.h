// ICMP for IPv4 (RFC 792), as much of it as an endpoint needs.
#pragma once

#include <cstddef>
#include <cstdint>

namespace estab::wire {

inline constexpr size_t kIcmpHeaderSize = 8;

enum class IcmpType : uint8_t {
  EchoReply = 0,
  DestinationUnreachable = 3,
  SourceQuench = 4,
  Redirect = 5,
  EchoRequest = 8,
  TimeExceeded = 11,
  ParameterProblem = 12,
};

}  // namespace estab::wire
