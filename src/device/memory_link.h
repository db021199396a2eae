// Two ends of a wire in memory, for tests and benchmarks: what one transmits the other receives, in order, at once.
#pragma once

#include <deque>
#include <memory>
#include <utility>

#include "device/link.h"

namespace estab::device {

class MemoryLink final : public Link {
 public:
  // The ends must live equally long; packets in flight at the end are freed.
  static std::pair<std::unique_ptr<MemoryLink>, std::unique_ptr<MemoryLink>> create_pair(uint16_t mtu = 1500) {
    auto wire = std::make_shared<Wire>();
    return {std::unique_ptr<MemoryLink>(new MemoryLink(wire, 0, mtu)),
            std::unique_ptr<MemoryLink>(new MemoryLink(wire, 1, mtu))};
  }

  void receive(buf::MbufBurst& burst) override {
    auto& queue = wire_->to[end_];
    while (!burst.full() && !queue.empty()) {
      burst.push(std::move(queue.front()));
      queue.pop_front();
    }
  }

  uint16_t transmit(rte_mbuf** mbufs, uint16_t count) override {
    const uint16_t n = std::min<uint16_t>(count, room_);
    for (uint16_t i = 0; i < n; ++i) wire_->to[1 - end_].emplace_back(mbufs[i]);
    return n;
  }

  const Capabilities& capabilities() const override { return capabilities_; }
  wire::MacAddress mac() const override { return {{0x02, 0, 0, 0, 0, static_cast<uint8_t>(1 + end_)}}; }
  uint16_t mtu() const override { return mtu_; }

  bool idle() const { return wire_->to[0].empty() && wire_->to[1].empty(); }
  // How many packets a transmit takes at most: to play a device that is full.
  void set_room(uint16_t room) { room_ = room; }
  // The packets on their way to this end: a test may drop, repeat or reorder them.
  std::deque<buf::Mbuf>& arriving() { return wire_->to[end_]; }

 private:
  struct Wire {
    std::deque<buf::Mbuf> to[2];
  };
  MemoryLink(std::shared_ptr<Wire> wire, int end, uint16_t mtu) : wire_(std::move(wire)), end_(end), mtu_(mtu) {
    capabilities_.multi_segment = true;
  }

  std::shared_ptr<Wire> wire_;
  int end_;
  uint16_t mtu_;
  uint16_t room_ = UINT16_MAX;
  Capabilities capabilities_;
};

}  // namespace estab::device
