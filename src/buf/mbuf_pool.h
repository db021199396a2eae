// A mempool of mbufs, and what is asked of it.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>
#include <span>
#include <string>

#include "estab/result.h"
#include "buf/mbuf.h"

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
  Mbuf allocate() { return Mbuf(rte_pktmbuf_alloc(pool_)); }
  uint32_t in_use() const { return pool_ == nullptr ? 0 : rte_mempool_in_use_count(pool_); }

  // A packet with a copy of `bytes`, in as many segments as it takes. Empty when the pool is.
  Mbuf copy(std::span<const uint8_t> bytes);

  // Another reference to `length` bytes of a packet from `offset` on: its memory is shared, not copied. Empty when the pool is.
  Mbuf reference(const rte_mbuf* packet, uint32_t offset, uint32_t length);

 private:
  explicit MbufPool(rte_mempool* pool) : pool_(pool) {}
  rte_mempool* pool_ = nullptr;
};

}  // namespace estab::buf
