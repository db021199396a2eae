// Initial sequence numbers (RFC 6528): ISN = M + F(local, remote, secret), M a clock of 4 microseconds.
#pragma once

#include "base/siphash.h"
#include "estab/time.h"
#include "wire/address.h"
#include "wire/seq.h"

namespace estab::tcp {

struct InitialNumbers {
  wire::Seq isn;
  uint32_t ts_offset =
      0;  // where this tuple's timestamp clock starts, as unpredictable (RFC 7323 §5.4, RFC 9293 §3.4.1)
};

constexpr InitialNumbers initial_numbers(const SipKey& secret, const wire::Tuple& tuple, Instant now) {
  const uint64_t f = siphash_twelve<2, 4>(secret, tuple.addresses(), tuple.ports());
  return {wire::Seq(static_cast<uint32_t>(f) + static_cast<uint32_t>(now.ns() / 4'000)),
          static_cast<uint32_t>(f >> 32)};
}

}  // namespace estab::tcp
