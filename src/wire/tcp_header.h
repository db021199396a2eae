// The TCP header (RFC 9293 §3.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/byte_order.h"
#include "wire/address.h"
#include "wire/seq.h"

namespace estab::wire {

inline constexpr size_t kTcpHeaderSize = 20;

// The control bits.
class TcpFlags {
 public:
  static constexpr uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAck = 0x10, kUrg = 0x20, kEce = 0x40,
                           kCwr = 0x80;

  constexpr TcpFlags() = default;
  explicit constexpr TcpFlags(int bits) : bits_(static_cast<uint8_t>(bits)) {}
  constexpr uint8_t bits() const { return bits_; }
  constexpr bool fin() const { return bits_ & kFin; }
  constexpr bool syn() const { return bits_ & kSyn; }
  constexpr bool rst() const { return bits_ & kRst; }
  constexpr bool psh() const { return bits_ & kPsh; }
  constexpr bool ack() const { return bits_ & kAck; }
  constexpr bool urg() const { return bits_ & kUrg; }
  constexpr bool operator==(const TcpFlags&) const = default;

 private:
  uint8_t bits_ = 0;
};

enum class TcpFault : uint8_t { None, Truncated, BadDataOffset };

struct TcpHeader {
  Port source;
  Port destination;
  Seq seq;
  Seq ack;
  uint16_t window = 0;
  uint16_t urgent = 0;
  uint8_t header_length = 0;
  TcpFlags flags;
  TcpFault fault = TcpFault::None;
};

// `segment` starts at the header and ends, at the latest, where the datagram ends.
inline TcpHeader parse_tcp(std::span<const uint8_t> segment) {
  TcpHeader tcp;
  if (segment.size() < kTcpHeaderSize) {
    tcp.fault = TcpFault::Truncated;
    return tcp;
  }
  const uint8_t* p = segment.data();
  tcp.source = Port(load_be<uint16_t>(p));
  tcp.destination = Port(load_be<uint16_t>(p + 2));
  tcp.seq = Seq(load_be<uint32_t>(p + 4));
  tcp.ack = Seq(load_be<uint32_t>(p + 8));
  tcp.header_length = static_cast<uint8_t>((p[12] >> 4) * 4);
  tcp.flags = TcpFlags(p[13]);
  tcp.window = load_be<uint16_t>(p + 14);
  tcp.urgent = load_be<uint16_t>(p + 18);
  if (tcp.header_length < kTcpHeaderSize || tcp.header_length > segment.size()) tcp.fault = TcpFault::BadDataOffset;
  return tcp;
}

// Writes the 20 fixed bytes with a zero checksum; the options follow at p + 20.
inline void write_tcp(uint8_t* p, Port source, Port destination, Seq seq, Seq ack, TcpFlags flags, uint16_t window,
                      size_t options_size) {
  store_be(p, source.value());
  store_be(p + 2, destination.value());
  store_be(p + 4, seq.value());
  store_be(p + 8, ack.value());
  p[12] = static_cast<uint8_t>((kTcpHeaderSize + options_size) / 4 << 4);
  p[13] = flags.bits();
  store_be(p + 14, window);
  store_be<uint32_t>(p + 16, 0);
}

}  // namespace estab::wire
