// ICMP for IPv4 (RFC 792), as much of it as an endpoint needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "wire/ipv4.h"
#include "wire/seq.h"

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

// An ICMP error about a TCP segment: what it says, and of which of our segments.
struct IcmpAboutTcp {
  IcmpType type = IcmpType::DestinationUnreachable;
  uint8_t code = 0;
  Tuple tuple;  // `local` is the quoted datagram's source
  Seq seq;
};

// `message` starts at the ICMP header. Nothing where it is no error, or what it quotes (at least the IPv4 header and 8
// bytes, RFC 792) is not the start of a TCP segment.
inline std::optional<IcmpAboutTcp> parse_icmp_error(std::span<const uint8_t> message) {
  constexpr size_t kQuotedTcp = 8;
  if (message.size() < kIcmpHeaderSize + kIpv4HeaderSize + kQuotedTcp) return std::nullopt;
  const auto type = static_cast<IcmpType>(message[0]);
  if (type != IcmpType::DestinationUnreachable && type != IcmpType::TimeExceeded &&
      type != IcmpType::ParameterProblem && type != IcmpType::SourceQuench)
    return std::nullopt;
  const std::span<const uint8_t> quoted = message.subspan(kIcmpHeaderSize);
  const auto header_length = static_cast<size_t>((quoted[0] & 0xf) * 4);
  const bool first_part = (load_be<uint16_t>(quoted.data() + 6) & 0x1fff) == 0;
  if (quoted[0] >> 4 != 4 || header_length < kIpv4HeaderSize || quoted.size() < header_length + kQuotedTcp ||
      quoted[9] != kProtocolTcp || !first_part)
    return std::nullopt;
  const uint8_t* tcp = quoted.data() + header_length;
  return IcmpAboutTcp{
      .type = type,
      .code = message[1],
      .tuple = {Ipv4Address(load_be<uint32_t>(quoted.data() + 12)), Ipv4Address(load_be<uint32_t>(quoted.data() + 16)),
                Port(load_be<uint16_t>(tcp)), Port(load_be<uint16_t>(tcp + 2))},
      .seq = Seq(load_be<uint32_t>(tcp + 4))};
}

}  // namespace estab::wire
