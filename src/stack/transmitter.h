// From an emission to a packet on the wire: headers, checksums, references to queued text, and bursts to the device.
#pragma once

#include <array>

#include "buf/mbuf_pool.h"
#include "buf/mbuf_queue.h"
#include "device/link.h"
#include "stack/counters.h"
#include "tcp/reassembly.h"
#include "tcp/segment.h"
#include "wire/address.h"

namespace estab::stack {

class Transmitter {
 public:
  Transmitter(device::Link& link, const wire::MacAddress& own, buf::MbufPool& pool, Counters& counters);

  // Who is to get a segment, and where its text and SACK blocks come from (null: it has none).
  struct Route {
    const wire::Tuple& tuple;
    const wire::MacAddress& destination;
    buf::MbufQueue* text = nullptr;
    const tcp::Reassembly* held = nullptr;
  };

  // Builds the segment, in the carrier's memory where it has one that may be rewritten (it is then empty). Empty for
  // want of mbufs (counted).
  buf::Mbuf build(const Route& route, const tcp::Emission& emission, buf::Mbuf& carrier) {
    return buf::Mbuf(write(route, emission, carrier));
  }

  // Queues a packet for the device; a full burst goes out at once.
  void send(buf::Mbuf packet) { queue(packet.release()); }
  // Builds it and queues it.
  void send(const Route& route, const tcp::Emission& emission, buf::Mbuf& carrier) {
    if (rte_mbuf* packet = write(route, emission, carrier)) queue(packet);
  }
  void flush();

  // A mbuf to write a packet of `length` bytes in: the carrier, if it will do, or a new one. Empty for want of mbufs
  // (counted).
  buf::Mbuf blank(uint16_t length, buf::Mbuf& carrier) {
    if (!carrier || !buf::is_plain(carrier.get())) [[unlikely]]
      return replace(length, carrier);
    ++counters_.replies_in_place;
    carrier.rewrite_plain(length);
    return std::move(carrier);
  }

  // Only for tracing: is shown each packet as it leaves.
  void on_send(void (*callback)(void* context, const rte_mbuf* packet), void* context) {
    on_send_ = callback;
    on_send_context_ = context;
  }

 private:
  void queue(rte_mbuf* packet) {
    pending_[pending_count_++] = packet;
    if (pending_count_ == pending_.size()) flush();
  }
  buf::Mbuf replace(uint16_t length, buf::Mbuf& carrier);
  rte_mbuf* write(const Route& route, const tcp::Emission& emission, buf::Mbuf& carrier);
  bool attach_text(rte_mbuf& packet, const tcp::Emission& emission, buf::MbufQueue& text, uint32_t header);
  void write_headers(rte_mbuf& packet, const Route& route, const tcp::Emission& emission, uint32_t options,
                     uint64_t options_sum);
  void ask_device_for_checksums(rte_mbuf& packet);

  device::Link& link_;
  uint64_t source_and_type_;  // our MAC address and IPv4's EtherType, as they lie in a frame
  buf::MbufPool& pool_;
  Counters& counters_;
  device::Capabilities device_;
  std::array<rte_mbuf*, buf::MbufBurst::kSize> pending_;
  uint16_t pending_count_ = 0;
  void (*on_send_)(void*, const rte_mbuf*) = nullptr;
  void* on_send_context_ = nullptr;
};

}  // namespace estab::stack
