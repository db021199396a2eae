#include "tcp/cookie.h"

#include <array>

#include "tcp/output.h"

namespace estab::tcp {
namespace {

// What paths offer: the loopback-size and small ones rarely, those of Ethernet with and without tunnels nearly always.
constexpr std::array<uint16_t, 8> kMss = {64, 536, 1200, 1360, 1400, 1440, 1452, 1460};

constexpr uint32_t kScaleBits = 0x0f;
constexpr uint32_t kNoScale = 0x0f;
constexpr uint32_t kSackBit = 0x10;
constexpr uint32_t kOptionBits = 0x3f;

uint32_t mac(const SipKey& secret, const wire::Tuple& tuple, wire::Seq irs, uint32_t mss_index, uint64_t minute) {
  const uint64_t words[] = {tuple.addresses(), static_cast<uint64_t>(irs.value()) << 32 | tuple.ports()};
  constexpr uint64_t kMinutes = (uint64_t{1} << 53) - 1;
  return static_cast<uint32_t>(siphash_words_and<2, 4, 7>(secret, words, (minute & kMinutes) << 3 | mss_index)) & ~0xfu;
}

uint64_t minute_of(Instant now) {
  return now.ms() / 60'000;
}

}  // namespace

wire::Seq make_cookie(const SipKey& secret, const wire::Tuple& tuple, wire::Seq irs, uint16_t mss, Instant now) {
  uint32_t index = 0;
  while (index + 1 < kMss.size() && kMss[index + 1] <= mss) ++index;
  const uint64_t minute = minute_of(now);
  return wire::Seq(mac(secret, tuple, irs, index, minute) | index << 1 | static_cast<uint32_t>(minute & 1));
}

std::optional<uint16_t> check_cookie(const SipKey& secret, const wire::Tuple& tuple, wire::Seq irs, wire::Seq cookie,
                                     Instant now) {
  const uint32_t index = cookie.value() >> 1 & 7;
  uint64_t minute = minute_of(now);
  if ((minute & 1) != (cookie.value() & 1)) --minute;
  if ((cookie.value() & ~0xfu) != mac(secret, tuple, irs, index, minute)) return std::nullopt;
  return kMss[index];
}

Emission answer_with_cookie(wire::Seq cookie, uint32_t ts_offset, const Segment& syn, const Context& context) noexcept {
  const Parameters& ours = context.parameters;
  const Negotiated both = negotiate(syn.options, ours);
  // Without timestamps there is nowhere to remember scale and SACK.
  Emission answer =
      syn_segment(cookie, both.timestamps && both.scaling, both.timestamps, both.timestamps && both.sack, ours);
  answer.flags = TcpFlags(TcpFlags::kSyn | TcpFlags::kAck);
  answer.ack = syn.seq + 1;
  if (both.timestamps) {
    answer.ts_value = timestamp_with_options(static_cast<uint32_t>(context.now.ms()) + ts_offset, syn.options);
    answer.ts_echo = syn.options.ts_value;
  }
  return answer;
}

uint32_t timestamp_with_options(uint32_t ts_now, const wire::TcpOptions& syn) {
  uint32_t bits = syn.has_window_scale ? syn.window_scale : kNoScale;
  if (syn.sack_permitted) bits |= kSackBit;
  const uint32_t value = (ts_now & ~kOptionBits) | bits;
  // Never ahead of the clock, or the connection's own timestamps would be old to the peer (RFC 7323 §5.3).
  return static_cast<int32_t>(value - ts_now) > 0 ? value - (kOptionBits + 1) : value;
}

wire::TcpOptions options_from_timestamp(uint32_t ts_echo) {
  wire::TcpOptions options;
  options.has_timestamps = true;
  options.has_window_scale = (ts_echo & kScaleBits) != kNoScale;
  options.window_scale = options.has_window_scale ? static_cast<uint8_t>(ts_echo & kScaleBits) : uint8_t{0};
  options.sack_permitted = (ts_echo & kSackBit) != 0;
  return options;
}

}  // namespace estab::tcp
