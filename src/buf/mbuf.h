// Ownership of DPDK's packet buffers. An Mbuf owns one packet (a chain of segments) and frees it; an MbufBurst owns a
// burst.
#pragma once

#include <rte_mbuf.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

namespace estab::buf {

// A look at a packet that somebody else owns.
class MbufView {
 public:
  explicit MbufView(const rte_mbuf* mbuf) : mbuf_(mbuf) {}

  const rte_mbuf* get() const { return mbuf_; }
  std::span<const uint8_t> first_segment() const { return {rte_pktmbuf_mtod(mbuf_, const uint8_t*), mbuf_->data_len}; }
  uint32_t length() const { return mbuf_->pkt_len; }
  // The device's verdict on a checksum: mask and value are of RTE_MBUF_F_RX_*.
  bool verdict_is(uint64_t mask, uint64_t value) const { return (mbuf_->ol_flags & mask) == value; }

 private:
  const rte_mbuf* mbuf_;
};

// The usual packet: one segment that nobody shares. Its second cache line, with `next`, need not be touched to use it
// again.
inline bool is_plain(const rte_mbuf* mbuf) {
  static_assert(offsetof(rte_mbuf, nb_segs) == offsetof(rte_mbuf, refcnt) + 2);
  uint32_t references_and_segments;  // one of each, in one look
  std::memcpy(&references_and_segments, reinterpret_cast<const uint8_t*>(mbuf) + offsetof(rte_mbuf, refcnt), 4);
  return references_and_segments == 0x00010001 && RTE_MBUF_DIRECT(mbuf);
}

// Frees packets in bulk; null entries are passed over. What `mbufs` holds afterwards is nobody's.
void free_bulk(rte_mbuf** mbufs, uint32_t count);

class Mbuf {
 public:
  Mbuf() = default;
  explicit Mbuf(rte_mbuf* mbuf) : mbuf_(mbuf) {}
  Mbuf(Mbuf&& other) noexcept : mbuf_(std::exchange(other.mbuf_, nullptr)) {}
  Mbuf& operator=(Mbuf&& other) noexcept {
    if (this != &other) {
      reset();
      mbuf_ = std::exchange(other.mbuf_, nullptr);
    }
    return *this;
  }
  ~Mbuf() { reset(); }

  explicit operator bool() const { return mbuf_ != nullptr; }
  rte_mbuf* get() const { return mbuf_; }
  MbufView view() const { return MbufView(mbuf_); }
  [[nodiscard]] rte_mbuf* release() { return std::exchange(mbuf_, nullptr); }
  void reset() {
    if (mbuf_ == nullptr) return;
    if (is_plain(mbuf_)) {
      rte_mbuf_raw_free(std::exchange(mbuf_, nullptr));
    } else {
      rte_pktmbuf_free(std::exchange(mbuf_, nullptr));
    }
  }

  uint8_t* data() const { return rte_pktmbuf_mtod(mbuf_, uint8_t*); }
  uint16_t first_length() const { return rte_pktmbuf_data_len(mbuf_); }
  uint32_t length() const { return rte_pktmbuf_pkt_len(mbuf_); }
  std::span<const uint8_t> first_segment() const { return {data(), first_length()}; }

  // True when the packet's memory is this Mbuf's alone, so that it may be rewritten in place.
  bool writable() const { return RTE_MBUF_DIRECT(mbuf_) && rte_mbuf_refcnt_read(mbuf_) == 1; }

  // Keeps `length` bytes from `offset` on; segments outside of that are freed. The range lies within the packet, length
  // > 0.
  void keep(uint32_t offset, uint32_t length);

  // For a plain packet: as rewrite() does.
  void rewrite_plain(uint16_t length) {
    mbuf_->data_off = RTE_PKTMBUF_HEADROOM;
    mbuf_->data_len = length;
    mbuf_->pkt_len = length;
    mbuf_->ol_flags = 0;
  }

  // Turns the packet into an empty one of a single segment, ready to be written as a new packet of `length` bytes.
  void rewrite(uint16_t length) {
    if (mbuf_->nb_segs != 1) {
      rte_pktmbuf_free(mbuf_->next);
      mbuf_->next = nullptr;
      mbuf_->nb_segs = 1;
    }
    rewrite_plain(length);
  }

 private:
  rte_mbuf* mbuf_ = nullptr;
};

// Up to kSize packets; those still in it at the end are freed in bulk. Those from size() on are empty.
class MbufBurst {
 public:
  static constexpr uint16_t kSize = 64;

  MbufBurst() = default;
  MbufBurst(const MbufBurst&) = delete;
  MbufBurst& operator=(const MbufBurst&) = delete;
  ~MbufBurst() { clear(); }

  uint16_t size() const { return count_; }
  bool full() const { return count_ == kSize; }
  // For DPDK to fill; set_size() says how many it did.
  rte_mbuf** data() { return reinterpret_cast<rte_mbuf**>(mbufs_.data()); }
  void set_size(uint16_t count) { count_ = count; }
  Mbuf& operator[](uint16_t i) { return mbufs_[i]; }
  Mbuf take(uint16_t i) { return std::move(mbufs_[i]); }
  // Asks the cache for the mbufs' first lines, all that a plain packet needs; what they point to can be asked for when
  // these have come.
  void prefetch() const {
    for (uint16_t i = 0; i < count_; ++i) rte_mbuf_prefetch_part1(mbufs_[i].get());
  }
  MbufView peek(uint16_t i) const { return mbufs_[i].view(); }
  void push(Mbuf mbuf) { mbufs_[count_++] = std::move(mbuf); }

  // Frees what is left.
  void clear() {
    free_bulk(data(), count_);
    std::fill_n(data(), count_, nullptr);
    count_ = 0;
  }

 private:
  static_assert(sizeof(Mbuf) == sizeof(rte_mbuf*));
  std::array<Mbuf, kSize> mbufs_;
  uint16_t count_ = 0;
};

}  // namespace estab::buf
