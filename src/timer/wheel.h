// A hierarchical timing wheel (Varghese and Lauck, 1987, scheme 7). Intrusive: the nodes live in the caller's records
// and are named by 32-bit indices, so start, stop and expiry are O(1) and touch no heap. A tick is a millisecond by
// convention.
#pragma once

#include <array>
#include <cstdint>

namespace estab::timer {

// Zero bytes are a node that is not scheduled, so that records need no constructor.
struct TimerNode {
  uint32_t next = 0;  // another node's index + 1; 0: it is the last
  uint32_t prev = 0;  // another node's index + 1, or kSlotBit and the slot that this node heads; 0: not scheduled
  uint32_t tick = 0;  // when it expires

  bool scheduled() const { return prev != 0; }
};

// Makes a record new but for its node, `timer`: that may still be in the wheel from the record's last use.
template <typename Record>
void renew(Record& record) {
  static constexpr Record kNew{};  // copied in whole: building one in place goes member by member
  const TimerNode timer = record.timer;
  record = kNew;
  record.timer = timer;
}

// `Nodes` maps an index to its node: TimerNode& operator()(uint32_t index). Indices are below 2^31.
template <typename Nodes>
class Wheel {
 public:
  explicit Wheel(Nodes nodes, uint64_t now_tick = 0) : nodes_(nodes), now_(now_tick) { heads_.fill(0); }

  uint64_t now() const { return now_; }
  uint32_t size() const { return size_; }

  // Schedules `index` for `tick`, at the earliest the next one. A node that is scheduled already is moved.
  void schedule(uint32_t index, uint64_t tick) {
    TimerNode& node = nodes_(index);
    if (node.scheduled()) cancel(index);
    if (tick <= now_) tick = now_ + 1;
    if (tick - now_ > kSpan) tick = now_ + kSpan;
    node.tick = static_cast<uint32_t>(tick);
    link(index, node, tick);
    ++size_;
  }

  // Sees to it that `index` expires at `tick` or before: lazily, so an entry that is there and earlier stays, and its
  // owner looks at its deadline again when it expires. Mostly this touches nothing.
  void ensure(uint32_t index, uint64_t tick) {
    const TimerNode& node = nodes_(index);
    if (node.scheduled() && static_cast<int32_t>(node.tick - static_cast<uint32_t>(tick)) <= 0) return;
    schedule(index, tick);
  }

  // Harmless when the node is not scheduled.
  void cancel(uint32_t index) {
    TimerNode& node = nodes_(index);
    if (!node.scheduled()) return;
    unlink(node);
    --size_;
  }

  // Moves time to `tick` and calls expire(index) for each node that is due, in order of ticks. The callback may
  // schedule and cancel any node, itself included. At most `budget` nodes expire in a call; the rest follow in the
  // next. Returns how many.
  template <typename Expire>
  uint32_t advance(uint64_t tick, Expire&& expire, uint32_t budget = UINT32_MAX) {
    uint32_t expired = 0;
    for (;;) {
      const uint32_t slot = static_cast<uint32_t>(now_) & kMask;
      while (heads_[slot] != 0) {
        if (expired == budget) return expired;
        const uint32_t index = heads_[slot] - 1;
        unlink(nodes_(index));
        --size_;
        ++expired;
        expire(index);
      }
      if (now_ >= tick) return expired;
      if (size_ == 0) {
        now_ = tick;
        return expired;
      }
      ++now_;
      for (uint32_t level = 1; level < kLevels && (now_ & ((uint64_t{1} << (kBits * level)) - 1)) == 0; ++level)
        cascade(level);
    }
  }

  // A tick before which nothing expires: exact within the lowest level, else where the next level opens; never late.
  uint64_t next_tick() const {
    if (size_ == 0) return UINT64_MAX;
    if (heads_[now_ & kMask] != 0) return now_;  // left over by a spent budget
    for (uint64_t tick = now_ + 1; tick <= now_ + kSlots; ++tick) {
      if ((tick & kMask) == 0 || heads_[tick & kMask] != 0) return tick;
    }
    return now_ + kSlots;
  }

 private:
  static constexpr uint32_t kBits = 8;
  static constexpr uint32_t kSlots = 1u << kBits;
  static constexpr uint32_t kMask = kSlots - 1;
  static constexpr uint32_t kLevels = 4;
  static constexpr uint32_t kSlotBit = 1u << 31;
  static constexpr uint64_t kSpan = (uint64_t{1} << 31) - 1;  // 24 days at 1 ms

  void link(uint32_t index, TimerNode& node, uint64_t tick) {
    const uint64_t ahead = tick ^ now_;  // the level is where the two first differ
    uint32_t level = 0;
    while (level + 1 < kLevels && ahead >> (kBits * (level + 1)) != 0) ++level;
    const uint32_t slot = level * kSlots + (static_cast<uint32_t>(tick >> (kBits * level)) & kMask);
    node.next = heads_[slot];
    node.prev = kSlotBit | slot;
    if (node.next != 0) nodes_(node.next - 1).prev = index + 1;
    heads_[slot] = index + 1;
  }

  void unlink(TimerNode& node) {
    if (node.prev & kSlotBit) {
      heads_[node.prev & ~kSlotBit] = node.next;
    } else {
      nodes_(node.prev - 1).next = node.next;
    }
    if (node.next != 0) nodes_(node.next - 1).prev = node.prev;
    node.prev = 0;
    node.next = 0;
  }

  // The nodes of the level's current slot move down to where they now belong.
  void cascade(uint32_t level) {
    const uint32_t slot = level * kSlots + (static_cast<uint32_t>(now_ >> (kBits * level)) & kMask);
    uint32_t rest = heads_[slot];
    heads_[slot] = 0;
    while (rest != 0) {
      const uint32_t index = rest - 1;
      TimerNode& node = nodes_(index);
      rest = node.next;
      const auto ahead = static_cast<uint32_t>(node.tick - static_cast<uint32_t>(now_));
      link(index, node, now_ + ahead);
    }
  }

  Nodes nodes_;
  uint64_t now_;
  uint32_t size_ = 0;
  std::array<uint32_t, kLevels * kSlots> heads_;
};

}  // namespace estab::timer
