// The first of two looks at a capture: whose conversations are in it, and how they end.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "api/replay_conversation.h"
#include "api/replay_packet.h"
#include "device/pcap_file.h"
#include "estab/result.h"

namespace estab::capture {

// A client's socket and the server's port; the server's address is the same for all.
using ClientKey = uint64_t;

inline ClientKey client_key(wire::Ipv4Address client, wire::Port client_port, wire::Port server_port) {
  return uint64_t{client.value()} << 32 | uint64_t{client_port.value()} << 16 | server_port.value();
}

struct Survey {
  uint64_t packets = 0;
  uint64_t first_us = 0;  // when the first was recorded
  uint64_t cut_short = 0;
  std::string cut_off;     // why the end could not be read
  bool for_us = false;     // some packet has our address as its destination
  bool to_itself = false;  // some has it as its source as well
  std::optional<wire::MacAddress> server_mac;
  // By client and the client's ISN: a client may use a port again.
  std::map<std::pair<ClientKey, uint32_t>, RecordedServer> conversations;

  struct Received {
    bool syn = false;
    uint64_t packets = 0;
    auto operator<=>(const Received&) const = default;
  };
  std::map<std::pair<wire::Ipv4Address, wire::Port>, Received> destinations;  // of TCP

  // The TCP destination with the most packets, of `address` or of any; one that got a SYN is a server, and comes first.
  std::optional<std::pair<wire::Ipv4Address, wire::Port>> busiest(std::optional<wire::Ipv4Address> address) const;
};

// Reads to the end. Each frame is also written to `copy`, unless that is null.
Survey survey(device::PcapReader& reader, wire::Ipv4Address server, device::PcapWriter* copy);

ServerSegment server_segment(const CapturedTcp& tcp);

}  // namespace estab::capture
