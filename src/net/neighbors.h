// The ARP cache (RFC 826, RFC 1122 §2.3.2): resolve, hold packets meanwhile, age.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "buf/mbuf.h"
#include "estab/time.h"
#include "wire/address.h"

namespace estab::net {

class Neighbors {
 public:
  static constexpr size_t kMaxEntries = 4096;
  static constexpr size_t kMaxHeld = 1024;  // packets waiting for addresses, all together
  static constexpr Duration kLifetime = Duration::seconds(60);
  static constexpr Duration kRetry = Duration::seconds(1);  // RFC 1122 §2.3.2.1: at most one request a second
  static constexpr int kTries = 3;

  // The MAC address of `address`, if known. One that is older than its lifetime is still good, but is asked for again:
  // then `ask` is set.
  const wire::MacAddress* find(wire::Ipv4Address address, Instant now, bool& ask);

  // Keeps a packet until `address` is known. False when there is no room (the packet is dropped). Sets `ask` when a
  // request should go out now.
  bool hold(wire::Ipv4Address address, buf::Mbuf packet, Instant now, bool& ask);

  // What an ARP packet or a reply said. `create` where we were asked or had asked. Returns the packets that waited.
  std::vector<buf::Mbuf> learn(wire::Ipv4Address address, const wire::MacAddress& mac, Instant now, bool create);

  // Calls ask(address) for each unanswered address that is due again, and gives up on those asked often enough,
  // dropping what waited for them. Returns how many packets were dropped.
  template <typename Ask>
  size_t advance(Instant now, Ask&& ask) {
    size_t dropped = 0;
    for (auto it = entries_.begin(); it != entries_.end();) {
      Entry& entry = it->second;
      if (entry.tries == 0 || now < entry.ask_at) {
        ++it;
      } else if (entry.tries >= kTries) {
        dropped += entry.held.size();
        held_ -= entry.held.size();
        it = entries_.erase(it);
      } else {
        note_asked(entry, now);
        ask(it->first);
        ++it;
      }
    }
    return dropped;
  }

  size_t size() const { return entries_.size(); }

 private:
  struct Hash {
    size_t operator()(wire::Ipv4Address a) const { return a.value() * 0x9e3779b97f4a7c15ULL >> 16; }
  };
  struct Entry {
    wire::MacAddress mac;
    bool known = false;
    int tries = 0;  // requests without an answer; 0: none is open
    Instant fresh_until;
    Instant ask_at;
    std::vector<buf::Mbuf> held;
  };

  static void note_asked(Entry& entry, Instant now) {
    ++entry.tries;
    entry.ask_at = now + kRetry;
  }
  void make_room();

  std::unordered_map<wire::Ipv4Address, Entry, Hash> entries_;
  size_t held_ = 0;
};

}  // namespace estab::net
