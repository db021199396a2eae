#include "device/port.h"

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_ring.h>

#include <algorithm>
#include <cstring>

#include "device/quiet_log.h"

namespace estab::device {
namespace {

constexpr uint16_t kDescriptors = 1024;

// Probes `devargs` and gives the id of its port.
Result<uint16_t> probe(const std::string& devargs) {
  if (const int error = rte_dev_probe(devargs.c_str()); error != 0) {
    return Failure{"cannot open the device '" + devargs + "' (" + rte_strerror(-error) +
                   "): give a PCI address, or a DPDK device string such as net_tap0,iface=estab0"};
  }
  rte_dev_iterator iterator;
  uint16_t id = RTE_MAX_ETHPORTS;
  uint16_t found;
  RTE_ETH_FOREACH_MATCHING_DEV(found, devargs.c_str(), &iterator) {
    if (id == RTE_MAX_ETHPORTS) id = found;
  }
  if (id == RTE_MAX_ETHPORTS) {
    return Failure{"'" + devargs + "' is not an Ethernet device: give one that DPDK lists as an ethdev"};
  }
  return id;
}

Failure failed(const std::string& what, int error) {
  return Failure{"cannot " + what + " the device (" + rte_strerror(-error) + ")"};
}

}  // namespace

Result<std::unique_ptr<Port>> Port::open(const std::string& name, buf::MbufPool& pool) {
  const QuietLog quiet;
  uint16_t id = 0;
  std::string probed;
  if (rte_eth_dev_get_port_by_name(name.c_str(), &id) != 0) {
    auto result = probe(name);
    if (!result) return result.failure();
    id = *result;
    probed = name;
  }
  std::unique_ptr<Port> port(new Port(id));
  port->probed_ = probed;
  if (auto configured = port->configure(pool); !configured) return configured.failure();
  return port;
}

Result<bool> Port::configure(buf::MbufPool& pool) {
  rte_eth_dev_info info;
  if (const int error = rte_eth_dev_info_get(id_, &info); error != 0) return failed("ask", error);
  driver_ = info.driver_name;
  const rte_bus* bus = info.device == nullptr ? nullptr : rte_dev_bus(info.device);
  capabilities_.polls_hardware = bus != nullptr && std::strcmp(rte_bus_name(bus), "vdev") != 0;
  rte_eth_conf conf{};
  constexpr uint64_t kRxChecksum = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM;
  constexpr uint64_t kTxChecksum = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
  // A software device's "offload" is its driver computing on the same core: it saves nothing, so ours is used there.
  if (capabilities_.polls_hardware) {
    conf.rxmode.offloads |= info.rx_offload_capa & kRxChecksum;
    conf.txmode.offloads |= info.tx_offload_capa & kTxChecksum;
  }
  conf.txmode.offloads |= info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
  conf.rxmode.offloads |= info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
  capabilities_.verifies_checksums = (conf.rxmode.offloads & kRxChecksum) == kRxChecksum;
  capabilities_.ipv4_checksum = (conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM) != 0;
  capabilities_.tcp_checksum = (conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_TCP_CKSUM) != 0;
  // net_ring hands pointers on, whatever their chain.
  capabilities_.multi_segment = (conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0 || driver_ == "net_ring";

  if (const int error = rte_eth_dev_configure(id_, 1, 1, &conf); error != 0) return failed("configure", error);
  uint16_t rx = kDescriptors;
  uint16_t tx = kDescriptors;
  rte_eth_dev_adjust_nb_rx_tx_desc(id_, &rx, &tx);
  const auto socket = static_cast<unsigned>(std::max(0, rte_eth_dev_socket_id(id_)));
  rte_eth_rxconf rxconf = info.default_rxconf;
  rxconf.offloads = 0;
  rte_eth_txconf txconf = info.default_txconf;
  txconf.offloads = 0;
  if (const int error = rte_eth_rx_queue_setup(id_, 0, rx, socket, &rxconf, pool.get()); error != 0) {
    return failed("set up the receive queue of", error);
  }
  if (const int error = rte_eth_tx_queue_setup(id_, 0, tx, socket, &txconf); error != 0) {
    return failed("set up the transmit queue of", error);
  }
  if (const int error = rte_eth_dev_start(id_); error != 0) return failed("start", error);
  rte_ether_addr address;
  if (rte_eth_macaddr_get(id_, &address) == 0) std::copy_n(address.addr_bytes, 6, mac_.bytes.begin());
  uint16_t mtu = 1500;
  if (rte_eth_dev_get_mtu(id_, &mtu) == 0 && mtu >= 576) mtu_ = std::min<uint16_t>(mtu, 1500);
  if (mac_.is_zero()) mac_ = {{0x02, 0x65, 0x73, 0x74, 0x61, static_cast<uint8_t>(id_)}};  // a ring has none of its own
  return true;
}

Port::~Port() {
  rte_eth_dev_stop(id_);
  rte_eth_dev_info info;
  const bool have_info = rte_eth_dev_info_get(id_, &info) == 0;
  rte_eth_dev_close(id_);
  if (!probed_.empty() && have_info && info.device != nullptr) rte_dev_remove(info.device);
}

void Port::receive(buf::MbufBurst& burst) {
  burst.set_size(rte_eth_rx_burst(id_, 0, burst.data(), buf::MbufBurst::kSize));
}

uint16_t Port::transmit(rte_mbuf** mbufs, uint16_t count) {
  if (capabilities_.ipv4_checksum || capabilities_.tcp_checksum) {
    const uint16_t prepared = rte_eth_tx_prepare(id_, 0, mbufs, count);
    return rte_eth_tx_burst(id_, 0, mbufs, prepared);
  }
  return rte_eth_tx_burst(id_, 0, mbufs, count);
}

uint64_t Port::missed() const {
  rte_eth_stats stats;
  if (rte_eth_stats_get(id_, &stats) != 0) return 0;
  return stats.imissed + stats.rx_nombuf;
}

Result<std::pair<std::string, std::string>> create_ring_pair(const std::string& name, unsigned size) {
  const auto ring = [&](const char* suffix) {
    return rte_ring_create((name + suffix).c_str(), size, static_cast<int>(rte_socket_id()),
                           RING_F_SP_ENQ | RING_F_SC_DEQ);
  };
  rte_ring* forth = ring("-forth");
  rte_ring* back = ring("-back");
  const std::string a = name + "-a";
  const std::string b = name + "-b";
  if (forth == nullptr || back == nullptr || rte_eth_from_rings(a.c_str(), &back, 1, &forth, 1, rte_socket_id()) < 0 ||
      rte_eth_from_rings(b.c_str(), &forth, 1, &back, 1, rte_socket_id()) < 0) {
    return Failure{std::string("cannot set up a pair of ring devices (") + rte_strerror(rte_errno) + ")"};
  }
  // Their ports are found by these names: the driver puts its own in front.
  return std::pair{"net_ring_" + a, "net_ring_" + b};
}

}  // namespace estab::device
