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

// Of text in further segments, in host order. `odd`: the first byte is the second of its word.
uint16_t sum_of_chain(const rte_mbuf* segment, bool odd) {
  wire::ChecksumSum sum;
  for (; segment != nullptr; segment = segment->next) {
    const std::span<const uint8_t> bytes{rte_pktmbuf_mtod(segment, const uint8_t*), segment->data_len};
    odd ? sum.add_odd(bytes) : sum.add(bytes);
    odd = odd != ((segment->data_len & 1) != 0);
  }
  return sum.folded();
}

}  // namespace

Transmitter::Transmitter(device::Link& link, buf::MbufPool& pool, Counters& counters)
    : link_(link), pool_(pool), counters_(counters), device_(link.capabilities()) {}

buf::Mbuf Transmitter::blank(uint16_t length, buf::Mbuf carrier) {
  if (carrier && carrier.writable()) {
    ++counters_.replies_in_place;
    carrier.rewrite(length);
    return carrier;
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

buf::Mbuf Transmitter::build(const Route& route, const tcp::Emission& emission, buf::MbufQueue* text,
                             const tcp::Reassembly* held, buf::Mbuf carrier) {
  const bool may_have_options = emission.has_timestamps || emission.mss != 0 || emission.has_window_scale ||
                                emission.sack_permitted || held != nullptr;
  const wire::TcpOptions options = may_have_options ? options_of(emission, held) : wire::TcpOptions{};
  const auto header = static_cast<uint16_t>(kHeaders + (may_have_options ? wire::tcp_options_size(options) : 0));
  buf::Mbuf packet = blank(header, std::move(carrier));
  if (!packet) return packet;
  if (emission.text > 0 && !attach_text(packet, emission, *text, header)) {
    ++counters_.drops[static_cast<size_t>(Drop::NoMbuf)];
    return buf::Mbuf();
  }
  uint8_t* p = packet.data();
  const auto tcp_length = static_cast<uint16_t>(packet.length() - kTcpAt);
  wire::write_ethernet(p, route.destination, route.source, wire::EtherType::Ipv4);
  wire::write_ipv4(p + wire::kEthernetHeaderSize, route.tuple.local, route.tuple.remote, wire::kProtocolTcp,
                   static_cast<uint16_t>(wire::kIpv4HeaderSize + tcp_length), !device_.ipv4_checksum);
  wire::write_tcp(p + kTcpAt, route.tuple.local_port, route.tuple.remote_port, emission.seq, emission.ack,
                  emission.flags, emission.window, header - kHeaders);
  if (header > kHeaders) wire::write_tcp_options(p + kHeaders, options);
  fill_checksums(packet, route, emission, header);
  if (emission.flags.rst()) ++counters_.resets_sent;
  if (emission.retransmission) ++counters_.retransmitted;
  return packet;
}

bool Transmitter::attach_text(buf::Mbuf& packet, const tcp::Emission& emission, buf::MbufQueue& text, uint16_t header) {
  rte_mbuf* mbuf = packet.get();
  if (emission.text <= kCopyLimit || !device_.multi_segment) {
    if (rte_pktmbuf_tailroom(mbuf) < emission.text) return false;
    text.copy_out(emission.text_offset, emission.text, packet.data() + header);
    mbuf->data_len = static_cast<uint16_t>(mbuf->data_len + emission.text);
    mbuf->pkt_len = mbuf->data_len;
    return true;
  }
  buf::Mbuf reference = text.reference(pool_, emission.text_offset, emission.text);
  if (!reference) return false;
  mbuf->pkt_len += reference.length();
  mbuf->nb_segs = static_cast<uint16_t>(mbuf->nb_segs + reference.get()->nb_segs);
  mbuf->next = reference.release();
  return true;
}

// From the values that were written, not from the bytes: to read them back at once in other sizes would wait for the
// stores. (Sums in host order.)
void Transmitter::fill_checksums(const buf::Mbuf& packet, const Route& route, const tcp::Emission& emission,
                                 uint16_t header) {
  rte_mbuf* mbuf = packet.get();
  uint8_t* tcp = packet.data() + kTcpAt;
  const wire::Tuple& tuple = route.tuple;
  const uint64_t pseudo =
      uint64_t{tuple.local.value()} + tuple.remote.value() + wire::kProtocolTcp + (packet.length() - kTcpAt);
  if (device_.ipv4_checksum || device_.tcp_checksum) {
    mbuf->tx_offload = 0;
    mbuf->l2_len = wire::kEthernetHeaderSize;
    mbuf->l3_len = wire::kIpv4HeaderSize;
    mbuf->ol_flags |= RTE_MBUF_F_TX_IPV4;
    if (device_.ipv4_checksum) mbuf->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
  }
  if (device_.tcp_checksum) {
    mbuf->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
    store_be(tcp + 16, wire::fold_sum(pseudo));  // the device adds the rest to the pseudo-header's sum
    return;
  }
  const uint32_t offset_and_flags = static_cast<uint32_t>(header - kTcpAt) << 26 | uint32_t{emission.flags.bits()}
                                                                                       << 16;
  uint64_t sum =
      pseudo + tuple.ports() + emission.seq.value() + emission.ack.value() + offset_and_flags + emission.window;
  const uint32_t here = packet.first_length() - kTcpAt;  // of the segment
  if (here > wire::kTcpHeaderSize) {
    const uint8_t* rest = tcp + wire::kTcpHeaderSize;
    sum += byte_swap(wire::fold_sum(wire::raw_sum(rest, here - wire::kTcpHeaderSize)));
  }
  if (mbuf->next != nullptr) sum += sum_of_chain(mbuf->next, (here & 1) != 0);
  store_be(tcp + 16, static_cast<uint16_t>(~wire::fold_sum(sum)));
}

void Transmitter::send(buf::Mbuf packet) {
  pending_[pending_count_++] = packet.release();
  if (pending_count_ == pending_.size()) flush();
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
