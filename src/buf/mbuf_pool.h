// A mempool of mbufs, and what is asked of it.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>
#include <span>
#include <string>

#include "buf/mbuf.h"
#include "estab/result.h"

namespace estab::buf {

class MbufPool {
 public:
  // `count` mbufs, each with room for a frame of the usual MTU.
  static Result<MbufPool> create(const std::string& name, uint32_t count);

  MbufPool() = default;
  MbufPool(MbufPool&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)) {}
  MbufPool& operator=(MbufPool&& other) noexcept;
  ~MbufPool();

  rte_mempool* get() const { return pool_; }
  // An empty packet of one segment; nothing when the pool is empty. Mbufs in a pool are direct, unshared and unchained,
  // so only the first cache line needs to be written: the second may then stay shared between the cores.
  Mbuf allocate() {
    rte_mbuf* mbuf = rte_mbuf_raw_alloc(pool_);
    if (mbuf == nullptr) return Mbuf();
    mbuf->data_off = RTE_PKTMBUF_HEADROOM;
    mbuf->data_len = 0;
    mbuf->pkt_len = 0;
    mbuf->ol_flags = 0;
    mbuf->port = RTE_MBUF_PORT_INVALID;
    return Mbuf(mbuf);
  }
  uint32_t size() const { return pool_->size; }
  // What this thread could allocate now: what lies in the caches of others does not count.
  uint32_t available() const {
    const rte_mempool_cache* cache = rte_mempool_default_cache(pool_, rte_lcore_id());
    return rte_mempool_get_ops(pool_->ops_index)->get_count(pool_) + (cache == nullptr ? 0 : cache->len);
  }
  uint32_t in_use() const { return pool_ == nullptr ? 0 : rte_mempool_in_use_count(pool_); }

  // A packet with a copy of `bytes`, in as many segments as it takes. Empty when the pool is.
  Mbuf copy(std::span<const uint8_t> bytes);

  // Another reference to `length` bytes of a packet from `offset` on: its memory is shared, not copied. Empty when the
  // pool is.
  Mbuf reference(const rte_mbuf* packet, uint32_t offset, uint32_t length);

 private:
  explicit MbufPool(rte_mempool* pool) : pool_(pool) {}
  rte_mempool* pool_ = nullptr;
};

}  // namespace estab::buf
