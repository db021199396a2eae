#include "device/impairment.h"

#include <algorithm>

namespace estab::device {
namespace {

constexpr uint32_t kEthernetHeader = 14;
// The Internet checksum (RFC 1071) sees every burst of up to 15 bits, but not every pair of flipped bits: with more
// than this a receiver could not be blamed for what it delivers.
constexpr uint32_t kBurstBits = 15;

}  // namespace

void Damage::apply(std::span<uint8_t> frame) const {
  for (uint32_t i = 0; i < kBurstBits; ++i) {
    const uint32_t bit = flip_at + i;
    if ((flip >> i & 1) != 0 && bit / 8 < frame.size())
      frame[bit / 8] = static_cast<uint8_t>(frame[bit / 8] ^ 0x80 >> bit % 8);
  }
}

Fate Impairment::decide(uint32_t length, Instant now) {
  ++counters_.frames;
  Fate fate;
  if (is_lost()) {
    ++counters_.lost;
    return fate;
  }
  if (!leaves_queue(length, now)) {
    ++counters_.queue_full;
    return fate;
  }
  fate.copies = 1;
  if (random_.chance(settings_.duplication)) {
    ++counters_.duplicated;
    fate.copies = 2;
  }
  for (uint8_t i = 0; i < fate.copies; ++i) fate.copy[i] = arrival(length);
  return fate;
}

// Single losses, and bursts whose lengths are geometrically distributed (the Gilbert model).
bool Impairment::is_lost() {
  if (in_burst_) {
    in_burst_ = !random_.chance(1 / std::max(settings_.burst_length, 1.0));
    return true;
  }
  if (random_.chance(settings_.burst_loss)) {
    in_burst_ = !random_.chance(1 / std::max(settings_.burst_length, 1.0));
    return true;
  }
  return random_.chance(settings_.loss);
}

bool Impairment::leaves_queue(uint32_t length, Instant now) {
  line_free_at_ = std::max(line_free_at_, now);
  if (settings_.rate == 0) return true;
  const double waiting = (line_free_at_ - now).to_seconds() * static_cast<double>(settings_.rate) / 8;
  // An idle line takes a frame of any size.
  if (waiting > 0 && waiting + length > settings_.queue) return false;
  line_free_at_ =
      line_free_at_ + Duration::nanoseconds(static_cast<int64_t>(length * 8e9 / static_cast<double>(settings_.rate)));
  return true;
}

Fate::Copy Impairment::arrival(uint32_t length) {
  Fate::Copy copy;
  copy.at = line_free_at_ + settings_.delay + up_to(settings_.jitter);
  copy.at = std::max(copy.at, last_arrival_);
  if (random_.chance(settings_.reordering)) {
    ++counters_.reordered;
    copy.at = copy.at + up_to(settings_.reorder_delay);
  } else {
    last_arrival_ = copy.at;
  }
  copy.damage = damage(length);
  return copy;
}

Damage Impairment::damage(uint32_t length) {
  Damage damage;
  if (length <= kEthernetHeader) return damage;
  if (random_.chance(settings_.truncation)) {
    ++counters_.truncated;
    damage.keep = kEthernetHeader + random_.below(length - kEthernetHeader);
  }
  if (random_.chance(settings_.corruption)) {
    ++counters_.corrupted;
    damage.flip_at = 8 * kEthernetHeader + random_.below(8 * (length - kEthernetHeader));
    damage.flip = 1u | random_.below(1u << kBurstBits);
  }
  return damage;
}

Duration Impairment::up_to(Duration most) {
  if (most.ns() <= 0) return {};
  return Duration::nanoseconds(static_cast<int64_t>(random_.next() % (static_cast<uint64_t>(most.ns()) + 1)));
}

}  // namespace estab::device
