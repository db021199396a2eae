// SYN cookies (RFC 4987 §3.6): a SYN-ACK whose sequence number remembers the SYN, so that nothing else has to. Valid
// for at least one and at most two minutes, under a key that changes each minute.
#pragma once

#include <cstdint>
#include <optional>

#include "base/siphash.h"
#include "estab/time.h"
#include "tcp/parameters.h"
#include "tcp/segment.h"
#include "wire/address.h"
#include "wire/seq.h"
#include "wire/tcp_options.h"

namespace estab::tcp {

// The sequence number of the SYN-ACK: 28 bits of a keyed hash, 3 of the MSS, 1 that tells this minute's key from the
// last one's.
wire::Seq make_cookie(const SipKey& secret, const wire::Tuple& tuple, wire::Seq irs, uint16_t mss, Instant now);

// The MSS that the cookie carries (one of eight, not above what the SYN offered); nothing when it is forged or too old.
std::optional<uint16_t> check_cookie(const SipKey& secret, const wire::Tuple& tuple, wire::Seq irs, wire::Seq cookie,
                                     Instant now);

// The SYN-ACK with that sequence number, to a SYN of which nothing is kept: with the options that its ACK brings back.
Emission answer_with_cookie(wire::Seq cookie, uint32_t ts_offset, const Segment& syn, const Context& context) noexcept;

// A TSval not after `ts_now` whose low six bits carry the SYN's window scale and SACK-permitted; and back.
uint32_t timestamp_with_options(uint32_t ts_now, const wire::TcpOptions& syn);
wire::TcpOptions options_from_timestamp(uint32_t ts_echo);
// The first TSval to use after such a one.
constexpr uint32_t timestamp_after(uint32_t ts_echo) {
  return (ts_echo | 0x3f) + 1;
}

}  // namespace estab::tcp
