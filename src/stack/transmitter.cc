#include "stack/transmitter.h"

#include <rte_ip.h>

#include "wire/checksum.h"
#include "wire/ethernet.h"
#include "wire/ipv4.h"
#include "wire/tcp_header.h"
#include "wire/tcp_options.h"

namespace estab::stack {
namespace {

constexpr uint16_t kHeaders = wire::kEthernetHeaderSize + wire::kIpv4HeaderSize + wire::kTcpHeaderSize;
constexpr uint16_t kTcpAt = wire::kEthernetHeaderSize + wire::kIpv4HeaderSize;
// Up to here a copy into the header's own mbuf is cheaper than a second mbuf that refers to the bytes.
constexpr uint32_t kCopyLimit = 256;

wire::TcpOptions options_of(const tcp::Emission& emission, const tcp::Reassembly* held) {
  wire::TcpOptions options;
  options.has_mss = emission.mss != 0;
  options.mss = emission.mss;
  options.has_window_scale = emission.has_window_scale;
  options.window_scale = emission.window_scale;
  options.has_timestamps = emission.has_timestamps;
  options.ts_value = emission.ts_value;
  options.ts_echo = emission.ts_echo;
  options.sack_permitted = emission.sack_permitted;
  if (held != nullptr && emission.flags.ack() && emission.text == 0) {
    options.sack_count = static_cast<uint8_t>(held->sack_blocks(options.sack, emission.has_timestamps ? 3 : 4));
  }
  return options;
}

// Of the text behind `headers` bytes, wherever its segments lie, in host order.
uint16_t sum_of_text(const rte_mbuf& packet, uint32_t headers) {
  wire::ChecksumSum sum;
  bool odd = false;  // the next byte is the second of its word
  for (const rte_mbuf* segment = &packet; segment != nullptr; segment = segment->next, headers = 0) {
    const std::span<const uint8_t> bytes{rte_pktmbuf_mtod(segment, const uint8_t*) + headers,
                                         segment->data_len - headers};
    odd ? sum.add_odd(bytes) : sum.add(bytes);
    odd = odd != ((bytes.size() & 1) != 0);
  }
  return sum.folded();
}

}  // namespace

Transmitter::Transmitter(device::Link& link, const wire::MacAddress& own, buf::MbufPool& pool, Counters& counters)
    : link_(link), pool_(pool), counters_(counters), device_(link.capabilities()) {
  std::array<uint8_t, wire::kEthernetHeaderSize> header;
  wire::write_ethernet(header.data(), {}, own, wire::EtherType::Ipv4);
  source_and_type_ = load_raw<uint64_t>(header.data() + 6);
}

buf::Mbuf Transmitter::replace(uint16_t length, buf::Mbuf& carrier) {
  if (carrier && carrier.writable()) {  // a chain
    ++counters_.replies_in_place;
    carrier.rewrite(length);
    return std::move(carrier);
  }
  buf::Mbuf fresh = pool_.allocate();
  if (!fresh) {
    ++counters_.drops[static_cast<size_t>(Drop::NoMbuf)];
    return fresh;
  }
  ++counters_.mbufs_allocated;
  fresh.rewrite(length);
  return fresh;
}

rte_mbuf* Transmitter::write(const Route& route, const tcp::Emission& emission, buf::Mbuf& carrier) {
  rte_mbuf* const packet = blank(kHeaders, carrier).release();
  if (packet == nullptr) return nullptr;
  uint32_t options = 0;  // bytes
  uint64_t options_sum = 0;
  if (emission.has_options() || route.held != nullptr) {
    uint8_t* const to = rte_pktmbuf_mtod_offset(packet, uint8_t*, kHeaders);
    options = static_cast<uint32_t>(wire::write_tcp_options(to, options_of(emission, route.held), options_sum));
    packet->data_len = static_cast<uint16_t>(kHeaders + options);
    packet->pkt_len = kHeaders + options;
  }
  if (emission.text > 0 && !attach_text(*packet, emission, *route.text, kHeaders + options)) {
    ++counters_.drops[static_cast<size_t>(Drop::NoMbuf)];
    rte_pktmbuf_free(packet);
    return nullptr;
  }
  write_headers(*packet, route, emission, options, options_sum);
  if (emission.flags.rst() || emission.retransmission) [[unlikely]] {
    counters_.resets_sent += emission.flags.rst() ? 1 : 0;
    counters_.retransmitted += emission.retransmission ? 1 : 0;
  }
  return packet;
}

bool Transmitter::attach_text(rte_mbuf& packet, const tcp::Emission& emission, buf::MbufQueue& text, uint32_t header) {
  if (emission.text <= kCopyLimit || !device_.multi_segment) {
    if (rte_pktmbuf_tailroom(&packet) < emission.text) return false;
    text.copy_out(emission.text_offset, emission.text, rte_pktmbuf_mtod_offset(&packet, uint8_t*, header));
    packet.data_len = static_cast<uint16_t>(packet.data_len + emission.text);
    packet.pkt_len = packet.data_len;
    return true;
  }
  buf::Mbuf reference = text.reference(pool_, emission.text_offset, emission.text);
  if (!reference) return false;
  packet.pkt_len += reference.length();
  packet.nb_segs = static_cast<uint16_t>(packet.nb_segs + reference.get()->nb_segs);
  packet.next = reference.release();
  return true;
}

// Whole words, and checksums from the values that are written, not from the bytes: to read them back at once in other
// sizes would wait for the stores. (Sums in host order.)
void Transmitter::write_headers(rte_mbuf& packet, const Route& route, const tcp::Emission& emission, uint32_t options,
                                uint64_t options_sum) {
  uint8_t* const p = rte_pktmbuf_mtod(&packet, uint8_t*);
  uint8_t* const ip = p + wire::kEthernetHeaderSize;
  uint8_t* const tcp = p + kTcpAt;
  const wire::Tuple& tuple = route.tuple;
  const uint32_t length = static_cast<uint32_t>(wire::kTcpHeaderSize) + options + emission.text;
  wire::store_mac(p, route.destination);
  store_raw(p + 6, source_and_type_);
  wire::write_ipv4(ip, tuple.local, tuple.remote, wire::kProtocolTcp,
                   static_cast<uint16_t>(wire::kIpv4HeaderSize + length), !device_.ipv4_checksum);
  const uint32_t control = static_cast<uint32_t>(wire::kTcpHeaderSize + options) << 26 |
                           uint32_t{emission.flags.bits()} << 16 | emission.window;
  store_be(tcp, tuple.ports());
  store_be(tcp + 4, emission.seq.value());
  store_be(tcp + 8, emission.ack.value());
  store_be(tcp + 12, control);
  uint64_t sum = uint64_t{tuple.local.value()} + tuple.remote.value() + wire::kProtocolTcp + length;
  if (device_.tcp_checksum) {
    store_be(tcp + 16, uint32_t{wire::fold_sum(sum)} << 16);  // the device adds the rest to the pseudo-header's sum
  } else {
    sum += uint64_t{tuple.ports()} + emission.seq.value() + emission.ack.value() + control + options_sum;
    if (emission.text > 0) sum += sum_of_text(packet, kHeaders + options);
    store_be(tcp + 16, uint32_t{static_cast<uint16_t>(~wire::fold_sum(sum))} << 16);
  }
  if (device_.ipv4_checksum || device_.tcp_checksum) ask_device_for_checksums(packet);
}

void Transmitter::ask_device_for_checksums(rte_mbuf& packet) {
  packet.tx_offload = 0;
  packet.l2_len = wire::kEthernetHeaderSize;
  packet.l3_len = wire::kIpv4HeaderSize;
  packet.ol_flags |= RTE_MBUF_F_TX_IPV4;
  if (device_.ipv4_checksum) packet.ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
  if (device_.tcp_checksum) packet.ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
}

void Transmitter::flush() {
  if (pending_count_ == 0) return;
  if (on_send_ != nullptr) [[unlikely]] {
    for (uint16_t i = 0; i < pending_count_; ++i) on_send_(on_send_context_, pending_[i]);
  }
  uint64_t bytes = 0;
  for (uint16_t i = 0; i < pending_count_; ++i) bytes += pending_[i]->pkt_len;
  uint16_t sent = 0;
  while (sent < pending_count_) {
    const uint16_t taken = link_.transmit(pending_.data() + sent, static_cast<uint16_t>(pending_count_ - sent));
    if (taken == 0) break;
    sent = static_cast<uint16_t>(sent + taken);
  }
  counters_.tx_packets += sent;
  if (sent < pending_count_) [[unlikely]] {  // TCP sends again what a full device did not take
    const auto left = static_cast<uint16_t>(pending_count_ - sent);
    for (uint16_t i = sent; i < pending_count_; ++i) bytes -= pending_[i]->pkt_len;
    counters_.drops[static_cast<size_t>(Drop::TransmitFull)] += left;
    rte_pktmbuf_free_bulk(pending_.data() + sent, left);
  }
  counters_.tx_bytes += bytes;
  pending_count_ = 0;
}

}  // namespace estab::stack
