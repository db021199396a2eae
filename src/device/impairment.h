// What a bad network does to frames. Each frame's fate is decided from a seed and the time alone: the same seed and the
// same frames give the same run. Decides only; who carries the frames acts on it.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/random.h"
#include "estab/time.h"

namespace estab::device {

// One direction of a link. Chances are from 0 to 1 and a frame each; as it stands, the link is perfect.
struct ImpairmentSettings {
  double loss = 0;
  double burst_loss = 0;    // chance that a burst of losses begins with a frame ...
  double burst_length = 1;  // ... and how many frames it takes, in the mean
  double duplication = 0;
  double reordering = 0;                               // chance that frames behind this one overtake it ...
  Duration reorder_delay = Duration::milliseconds(5);  // ... because it comes so much later at most
  double corruption = 0;                               // a burst of up to 15 bits flips
  double truncation = 0;                               // the frame's end is missing
  Duration delay;
  Duration jitter;               // added to the delay, between 0 and this; frames keep their order
  uint64_t rate = 0;             // bits a second; 0: no limit
  uint32_t queue = 1024 * 1024;  // bytes that may wait for their turn at that rate; what does not fit is lost
};

// Never in the Ethernet header: that, the frame check sequence would have seen.
struct Damage {
  uint32_t keep = UINT32_MAX;  // the frame is cut to so many bytes
  uint32_t flip_at = 0;        // the bit of the frame where the flipped ones begin
  uint32_t flip = 0;           // which of it and those behind it, from bit 0 on; 0: none

  explicit operator bool() const { return keep != UINT32_MAX || flip != 0; }
  // Flips bits in a frame that was cut already.
  void apply(std::span<uint8_t> frame) const;
};

struct Fate {
  struct Copy {
    Instant at;
    Damage damage;
  };
  uint8_t copies = 0;  // that arrive; 0: the frame is lost
  std::array<Copy, 2> copy;
};

struct ImpairmentCounters {
  uint64_t frames = 0;
  uint64_t lost = 0;
  uint64_t queue_full = 0;
  uint64_t duplicated = 0;
  uint64_t reordered = 0;
  uint64_t corrupted = 0;
  uint64_t truncated = 0;
};

class Impairment {
 public:
  Impairment(const ImpairmentSettings& settings, uint64_t seed) : settings_(settings), random_(seed) {}

  // A frame of `length` bytes is sent at `now`; time does not go back.
  Fate decide(uint32_t length, Instant now);

  // For the frames to come. Those under way stay in front of them.
  void set(const ImpairmentSettings& settings) { settings_ = settings; }
  const ImpairmentSettings& settings() const { return settings_; }
  const ImpairmentCounters& counters() const { return counters_; }

 private:
  bool is_lost();
  bool leaves_queue(uint32_t length, Instant now);
  Fate::Copy arrival(uint32_t length);
  Damage damage(uint32_t length);
  Duration up_to(Duration most);

  ImpairmentSettings settings_;
  Random random_;
  ImpairmentCounters counters_;
  bool in_burst_ = false;
  Instant line_free_at_;  // when the last frame that was taken has left at the link's rate
  Instant last_arrival_;  // of a frame in order
};

}  // namespace estab::device
