#include "net/neighbors.h"

#include <algorithm>

namespace estab::net {

const wire::MacAddress* Neighbors::find(wire::Ipv4Address address, Instant now, bool& ask) {
  const auto it = entries_.find(address);
  if (it == entries_.end() || !it->second.known) return nullptr;
  Entry& entry = it->second;
  if (now >= entry.fresh_until && entry.tries == 0) {
    note_asked(entry, now);
    ask = true;
  }
  return &entry.mac;
}

bool Neighbors::hold(wire::Ipv4Address address, buf::Mbuf packet, Instant now, bool& ask) {
  if (held_ >= kMaxHeld) return false;
  auto it = entries_.find(address);
  if (it == entries_.end()) {
    make_room();
    it = entries_.try_emplace(address).first;
  }
  Entry& entry = it->second;
  if (entry.tries == 0) {
    note_asked(entry, now);
    ask = true;
  }
  entry.held.push_back(std::move(packet));
  ++held_;
  return true;
}

std::vector<buf::Mbuf> Neighbors::learn(wire::Ipv4Address address, const wire::MacAddress& mac, Instant now,
                                        bool create) {
  auto it = entries_.find(address);
  if (it == entries_.end()) {
    if (!create) return {};
    make_room();
    it = entries_.try_emplace(address).first;
  }
  Entry& entry = it->second;
  entry.mac = mac;
  entry.known = true;
  entry.tries = 0;
  entry.fresh_until = now + kLifetime;
  held_ -= entry.held.size();
  return std::exchange(entry.held, {});
}

// A full cache gives up the entry that will be stale first; one that packets wait for is spared.
void Neighbors::make_room() {
  if (entries_.size() < kMaxEntries) return;
  auto oldest = entries_.end();
  for (auto it = entries_.begin(); it != entries_.end(); ++it) {
    if (!it->second.held.empty()) continue;
    if (oldest == entries_.end() || it->second.fresh_until < oldest->second.fresh_until) oldest = it;
  }
  if (oldest != entries_.end()) entries_.erase(oldest);
}

}  // namespace estab::net
