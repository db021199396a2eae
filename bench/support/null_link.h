// A device without a wire: what is sent is only kept until somebody looks at it.
#pragma once

#include <span>
#include <vector>

#include "bench/support/frames.h"
#include "device/link.h"

namespace estab::bench {

class NullLink final : public device::Link {
 public:
  NullLink() {
    sent_.reserve(4096);
    capabilities_.multi_segment = true;
  }
  ~NullLink() override { clear(); }

  void receive(buf::MbufBurst&) override {}
  uint16_t transmit(rte_mbuf** mbufs, uint16_t count) override {
    sent_.insert(sent_.end(), mbufs, mbufs + count);
    return count;
  }
  const device::Capabilities& capabilities() const override { return capabilities_; }
  wire::MacAddress mac() const override { return kOurMac; }
  uint16_t mtu() const override { return 1500; }

  std::span<rte_mbuf* const> sent() const { return sent_; }
  void clear() {
    if (!sent_.empty()) rte_pktmbuf_free_bulk(sent_.data(), static_cast<unsigned>(sent_.size()));
    sent_.clear();
  }

 private:
  std::vector<rte_mbuf*> sent_;
  device::Capabilities capabilities_;
};

}  // namespace estab::bench
