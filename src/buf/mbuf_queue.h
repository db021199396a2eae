// Bytes in order, held in mbuf segments by reference: the queue of what is to be sent, or to be read.
#pragma once

#include <cstdint>

#include "buf/mbuf_pool.h"

namespace estab::buf {

// A FIFO of segments linked by their `next`. Trivially destructible, since it lives in pooled records: clear() it.
class MbufQueue {
 public:
  bool empty() const { return head_ == nullptr; }

  void push(Mbuf packet) {
    if (!packet) return;
    rte_mbuf* first = packet.release();
    (head_ == nullptr ? head_ : tail_->next) = first;
    tail_ = rte_pktmbuf_lastseg(first);
  }

  // Like push, but a packet of few bytes is copied behind the last segment where there is room for it: who sends byte
  // by byte must not pin a whole mbuf with each.
  void push_compact(Mbuf packet);

  // Frees `bytes` bytes at the front (no more than there are).
  void pop(uint32_t bytes);

  // All of it as one packet.
  Mbuf take_all();

  // A packet that refers to `length` bytes from `offset` on. Empty when the pool is.
  Mbuf reference(MbufPool& pool, uint32_t offset, uint32_t length);
  // Copies `length` bytes from `offset` on.
  void copy_out(uint32_t offset, uint32_t length, uint8_t* to);

  void clear();

 private:
  // The segment that holds byte `offset`; where in it is left in `offset`. Sequential callers pay no walk.
  const rte_mbuf* seek(uint32_t& offset);

  rte_mbuf* head_ = nullptr;
  rte_mbuf* tail_ = nullptr;
  const rte_mbuf* cursor_ = nullptr;  // the segment found last ...
  uint32_t cursor_offset_ = 0;        // ... and the place of its first byte
};

}  // namespace estab::buf
