#include "buf/mbuf_pool.h"

#include <rte_errno.h>
#include <rte_lcore.h>

#include <algorithm>
#include <cstring>

namespace estab::buf {

Result<MbufPool> MbufPool::create(const std::string& name, uint32_t count) {
  const unsigned cache = std::min(256u, count / 2);  // the library refuses more than two thirds of the pool
  // A stack hands out the mbuf that came back last, whose lines are still in the cache; the default ring hands out the
  // coldest.
  const auto create = [&](const char* ops) {
    return rte_pktmbuf_pool_create_by_ops(name.c_str(), count, cache, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
                                          static_cast<int>(rte_socket_id()), ops);
  };
  rte_mempool* pool = create("stack");
  if (pool == nullptr) pool = create(nullptr);  // without that driver
  if (pool == nullptr) {
    return Failure{"cannot set up a pool of " + std::to_string(count) + " mbufs (" + rte_strerror(rte_errno) +
                   "): ask for fewer, or give the EAL more memory with -m MEGABYTES"};
  }
  return MbufPool(pool);
}

MbufPool& MbufPool::operator=(MbufPool&& other) noexcept {
  std::swap(pool_, other.pool_);
  return *this;
}

MbufPool::~MbufPool() {
  if (pool_ != nullptr) rte_mempool_free(pool_);
}

Mbuf MbufPool::copy(std::span<const uint8_t> bytes) {
  Mbuf packet = allocate();
  if (!packet) return packet;
  size_t done = 0;
  for (rte_mbuf* segment = packet.get();;) {
    const size_t n = std::min<size_t>(rte_pktmbuf_tailroom(segment), bytes.size() - done);
    if (n > 0) std::memcpy(rte_pktmbuf_mtod(segment, void*), bytes.data() + done, n);  // an empty span has no address
    segment->data_len = static_cast<uint16_t>(n);
    packet.get()->pkt_len += static_cast<uint32_t>(n);
    done += n;
    if (done == bytes.size()) return packet;
    rte_mbuf* next = rte_pktmbuf_alloc(pool_);
    if (next == nullptr) return Mbuf();
    segment->next = next;
    segment = next;
    ++packet.get()->nb_segs;
  }
}

Mbuf MbufPool::reference(const rte_mbuf* packet, uint32_t offset, uint32_t length) {
  Mbuf head;
  rte_mbuf* last = nullptr;
  for (const rte_mbuf* segment = packet; segment != nullptr && length > 0; segment = segment->next) {
    if (offset >= segment->data_len) {
      offset -= segment->data_len;
      continue;
    }
    rte_mbuf* reference = rte_pktmbuf_alloc(pool_);
    if (reference == nullptr) return Mbuf();
    rte_pktmbuf_attach(reference, const_cast<rte_mbuf*>(segment));
    const uint32_t n = std::min<uint32_t>(segment->data_len - offset, length);
    reference->data_off = static_cast<uint16_t>(reference->data_off + offset);
    reference->data_len = static_cast<uint16_t>(n);
    reference->pkt_len = n;
    reference->next = nullptr;
    reference->nb_segs = 1;
    offset = 0;
    length -= n;
    if (last == nullptr) {
      head = Mbuf(reference);
    } else {
      last->next = reference;
      head.get()->pkt_len += n;
      ++head.get()->nb_segs;
    }
    last = reference;
  }
  return head;
}

}  // namespace estab::buf
