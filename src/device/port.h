// An ethdev: a NIC or any of DPDK's virtual devices, with one queue pair.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "buf/mbuf_pool.h"
#include "device/link.h"
#include "estab/result.h"

namespace estab::device {

class Port final : public Link {
 public:
  // `name` is the name of a device that exists (of create_ring_pair), or a device string that the EAL is asked to
  // probe: "0000:3b:00.0", "net_tap0,iface=estab0", "net_pcap0,rx_pcap=in.pcap". The device receives into `pool`.
  static Result<std::unique_ptr<Port>> open(const std::string& name, buf::MbufPool& pool);
  ~Port() override;

  void receive(buf::MbufBurst& burst) override;
  uint16_t transmit(rte_mbuf** mbufs, uint16_t count) override;
  const Capabilities& capabilities() const override { return capabilities_; }
  wire::MacAddress mac() const override { return mac_; }
  uint16_t mtu() const override { return mtu_; }

  const std::string& driver() const { return driver_; }
  // What the device itself dropped for want of mbufs or room.
  uint64_t missed() const;

 private:
  explicit Port(uint16_t id) : id_(id) {}
  Result<bool> configure(buf::MbufPool& pool);

  uint16_t id_;
  Capabilities capabilities_;
  wire::MacAddress mac_;
  uint16_t mtu_ = 1500;
  std::string driver_;
  std::string probed_;  // the device string to remove at the end; empty when the device was there before
};

// Two net_ring devices joined back to back: what one sends the other receives. Gives their names.
Result<std::pair<std::string, std::string>> create_ring_pair(const std::string& name, unsigned size);

}  // namespace estab::device
