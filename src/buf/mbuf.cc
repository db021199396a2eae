#include "buf/mbuf.h"

namespace estab::buf {

void free_bulk(rte_mbuf** mbufs, uint32_t count) {
  rte_mempool* pool = nullptr;
  uint32_t gathered = 0;  // plain ones of `pool`, at the front
  const auto put = [&] {
    if (gathered > 0) rte_mempool_put_bulk(pool, reinterpret_cast<void**>(mbufs), gathered);
    gathered = 0;
  };
  for (uint32_t i = 0; i < count; ++i) {
    rte_mbuf* mbuf = mbufs[i];
    if (mbuf == nullptr) continue;
    if (!is_plain(mbuf)) [[unlikely]] {
      rte_pktmbuf_free(mbuf);
      continue;
    }
    if (mbuf->pool != pool) [[unlikely]] {
      put();
      pool = mbuf->pool;
    }
    mbufs[gathered++] = mbuf;
  }
  put();
}

void Mbuf::keep(uint32_t offset, uint32_t length) {
  rte_mbuf* head = release();
  while (offset >= head->data_len) {
    offset -= head->data_len;
    rte_mbuf* next = head->next;
    head->next = nullptr;
    head->nb_segs = 1;
    rte_pktmbuf_free_seg(head);
    head = next;
  }
  head->data_off = static_cast<uint16_t>(head->data_off + offset);
  head->data_len = static_cast<uint16_t>(head->data_len - offset);
  head->pkt_len = length;
  head->nb_segs = 1;
  rte_mbuf* last = head;
  for (uint32_t left = length; left > last->data_len; last = last->next) {
    left -= last->data_len;
    length = left;
    ++head->nb_segs;
  }
  last->data_len = static_cast<uint16_t>(length);
  if (last->next != nullptr) {
    rte_pktmbuf_free(last->next);
    last->next = nullptr;
  }
  mbuf_ = head;
}

}  // namespace estab::buf
