// Somebody off the path who forges segments of the connections under way: everything that RFC 5961 and RFC 5927 promise
// to withstand, from one who knows the addresses and ports, and all numbers but those that would make it count.
#pragma once

#include "base/random.h"
#include "sim/world.h"

namespace estab::sim {

class Attacker {
 public:
  Attacker(World& world, uint64_t seed) : world_(world), random_(seed) {}

  // One forged packet reaches the stack of `victim`, if there is an mbuf for it.
  void strike(size_t victim);

 private:
  struct Forged {
    wire::Tuple tuple;  // the victim's view
    wire::Seq seq, ack;
    int flags = 0;
    uint32_t text = 0;
    bool timestamps = false;
    uint32_t ts_value = 0, ts_echo = 0;
  };

  const stack::Record* choose(size_t victim);
  Forged forge(const stack::Record& record);
  Forged forge_for_nobody(size_t victim);
  void break_number(Forged& forged, const tcp::Tcb& tcb);
  void give_segment(size_t victim, const Forged& forged);
  void give_icmp_error(size_t victim, const stack::Record& record);
  void give(size_t victim, std::span<const uint8_t> datagram);
  uint32_t any() { return static_cast<uint32_t>(random_.next()); }

  World& world_;
  Random random_;
};

}  // namespace estab::sim
