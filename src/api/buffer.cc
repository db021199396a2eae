#include "estab/buffer.h"

#include "api/buffer_access.h"

namespace estab {

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this != &other) {
    BufferAccess::unwrap(*this).reset();
    packet_ = std::exchange(other.packet_, nullptr);
  }
  return *this;
}

Buffer::~Buffer() {
  BufferAccess::unwrap(*this).reset();
}

size_t Buffer::size() const {
  const rte_mbuf* packet = BufferAccess::look(*this);
  return packet == nullptr ? 0 : packet->pkt_len;
}

void Buffer::for_each(const std::function<void(std::span<const uint8_t>)>& visit) const {
  for (const rte_mbuf* segment = BufferAccess::look(*this); segment != nullptr; segment = segment->next) {
    visit({rte_pktmbuf_mtod(segment, const uint8_t*), segment->data_len});
  }
}

void Buffer::append_to(std::string& text) const {
  for_each([&text](std::span<const uint8_t> bytes) {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
}

}  // namespace estab
