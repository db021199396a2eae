// The bridge between the public Buffer and the mbufs behind it.
#pragma once

#include "buf/mbuf.h"
#include "estab/buffer.h"

namespace estab {

struct BufferAccess {
  static Buffer wrap(buf::Mbuf packet) { return Buffer(packet.release()); }
  static buf::Mbuf unwrap(Buffer& buffer) {
    return buf::Mbuf(static_cast<rte_mbuf*>(std::exchange(buffer.packet_, nullptr)));
  }
  static const rte_mbuf* look(const Buffer& buffer) { return static_cast<const rte_mbuf*>(buffer.packet_); }
};

}  // namespace estab
