// The retransmission time-out (RFC 6298 §2), in whole microseconds.
#pragma once

#include <algorithm>
#include <cstdint>

#include "tcp/parameters.h"

namespace estab::tcp {

struct RttEstimator {
  uint32_t srtt_us = 0;  // 0: no sample yet
  uint32_t rttvar_us = 0;
  uint32_t rto_us = 1'000'000;

  bool operator==(const RttEstimator&) const = default;

  Duration rto() const { return Duration::microseconds(rto_us); }

  void sample(Duration rtt, const Parameters& parameters) {
    const auto r = static_cast<uint32_t>(std::clamp<int64_t>(rtt.us(), 1, 60'000'000));
    if (srtt_us == 0) {  // §2.2
      srtt_us = r;
      rttvar_us = r / 2;
    } else {  // §2.3: alpha = 1/8, beta = 1/4
      const uint32_t error = srtt_us > r ? srtt_us - r : r - srtt_us;
      rttvar_us = rttvar_us - rttvar_us / 4 + error / 4;
      srtt_us = srtt_us - srtt_us / 8 + r / 8;
      srtt_us = std::max(srtt_us, 1u);
    }
    constexpr int64_t kGranularity = 1'000;  // G of §2.2: the timing wheel's tick
    const auto rto = Duration::microseconds(srtt_us + std::max<int64_t>(kGranularity, int64_t{4} * rttvar_us));
    rto_us = static_cast<uint32_t>(std::clamp(rto, parameters.min_rto, parameters.max_rto).us());
  }

  void back_off(const Parameters& parameters) {  // §5.5
    rto_us = static_cast<uint32_t>(std::min<int64_t>(int64_t{2} * rto_us, parameters.max_rto.us()));
  }
};

}  // namespace estab::tcp
