#include "buf/mbuf_queue.h"

#include <algorithm>
#include <cstring>

namespace estab::buf {
namespace {

// Frees one segment of a list. Packets on their way may still refer to its memory, so it must not keep its place in the
// list.
rte_mbuf* free_first(rte_mbuf* segment) {
  rte_mbuf* next = segment->next;
  segment->next = nullptr;
  segment->nb_segs = 1;
  rte_pktmbuf_free_seg(segment);
  return next;
}

}  // namespace

void MbufQueue::push_compact(Mbuf packet) {
  constexpr uint32_t kFew = 256;
  const uint32_t length = packet ? packet.length() : 0;
  const bool room = tail_ != nullptr && RTE_MBUF_DIRECT(tail_) && rte_mbuf_refcnt_read(tail_) == 1 &&
                    rte_pktmbuf_tailroom(tail_) >= length;
  if (length == 0 || length > kFew || packet.get()->nb_segs != 1 || !room) {
    push(std::move(packet));
    return;
  }
  std::memcpy(rte_pktmbuf_mtod_offset(tail_, uint8_t*, tail_->data_len), packet.data(), length);
  tail_->data_len = static_cast<uint16_t>(tail_->data_len + length);
}

void MbufQueue::clear() {
  rte_mbuf* segment = head_;
  *this = MbufQueue();
  while (segment != nullptr) segment = free_first(segment);
}

void MbufQueue::pop(uint32_t bytes) {
  if (bytes >= cursor_offset_) {  // equal: where it was an empty segment it goes too
    cursor_ = nullptr;
  } else {
    cursor_offset_ -= bytes;
  }
  while (head_ != nullptr && bytes >= head_->data_len) {
    bytes -= head_->data_len;
    head_ = free_first(head_);
  }
  if (head_ == nullptr) {
    tail_ = nullptr;
    cursor_ = nullptr;
  } else if (bytes > 0) {
    head_->data_off = static_cast<uint16_t>(head_->data_off + bytes);
    head_->data_len = static_cast<uint16_t>(head_->data_len - bytes);
    cursor_ = nullptr;
  }
}

const rte_mbuf* MbufQueue::seek(uint32_t& offset) {
  if (cursor_ == nullptr || offset < cursor_offset_) {
    cursor_ = head_;
    cursor_offset_ = 0;
  }
  while (cursor_ != nullptr && offset - cursor_offset_ >= cursor_->data_len) {
    if (cursor_->next == nullptr) break;
    cursor_offset_ += cursor_->data_len;
    cursor_ = cursor_->next;
  }
  offset -= cursor_offset_;
  return cursor_;
}

Mbuf MbufQueue::reference(MbufPool& pool, uint32_t offset, uint32_t length) {
  const rte_mbuf* segment = seek(offset);
  return pool.reference(segment, offset, length);
}

void MbufQueue::copy_out(uint32_t offset, uint32_t length, uint8_t* to) {
  for (const rte_mbuf* segment = seek(offset); segment != nullptr && length > 0; segment = segment->next, offset = 0) {
    const uint32_t n = std::min<uint32_t>(length, segment->data_len - offset);
    std::memcpy(to, rte_pktmbuf_mtod_offset(segment, const uint8_t*, offset), n);
    to += n;
    length -= n;
  }
}

Mbuf MbufQueue::take_all() {
  if (head_ == nullptr) return Mbuf();
  uint32_t length = 0;
  uint16_t segments = 0;
  for (const rte_mbuf* segment = head_; segment != nullptr; segment = segment->next) {
    length += segment->data_len;
    ++segments;
  }
  rte_mbuf* first = head_;
  first->pkt_len = length;
  first->nb_segs = segments;
  *this = MbufQueue();
  return Mbuf(first);
}

}  // namespace estab::buf
