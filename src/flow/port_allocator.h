// Source ports for connections that we open: RFC 6056 §3.3.4, the double-hash algorithm. The ports that one remote
// socket sees follow each other, so the longest unused comes first, and nobody else can tell where they are.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/siphash.h"
#include "wire/address.h"

namespace estab::flow {

class PortAllocator {
 public:
  static constexpr uint16_t kFirst = 1024;
  static constexpr uint32_t kCount = 65536 - kFirst;

  explicit PortAllocator(const SipKey& secret) : secret_(secret) {}

  // A port for which free(port) holds; nothing after `tries` that were taken.
  template <typename Free>
  std::optional<wire::Port> allocate(wire::Ipv4Address local, wire::Ipv4Address remote, wire::Port remote_port,
                                     Free&& free, uint32_t tries = 128) {
    const uint64_t words[2] = {static_cast<uint64_t>(local.value()) << 32 | remote.value(), remote_port.value()};
    const uint64_t f = siphash_words<1, 3>(secret_, words);
    uint32_t& counter = counters_[f >> 54];
    for (uint32_t i = 0; i < tries; ++i) {
      const uint32_t offset = static_cast<uint32_t>(f) + counter++;
      const wire::Port port(static_cast<uint16_t>(kFirst + offset % kCount));
      if (free(port)) return port;
    }
    return std::nullopt;
  }

 private:
  SipKey secret_;
  std::array<uint32_t, 1024> counters_{};
};

}  // namespace estab::flow
