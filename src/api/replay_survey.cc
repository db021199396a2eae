#include "api/replay_survey.h"

#include "wire/ethernet.h"

namespace estab::capture {
namespace {

class Surveyor {
 public:
  Surveyor(Survey& survey, wire::Ipv4Address server) : survey_(survey), server_(server) {}

  void look(const device::PcapReader::Packet& packet) {
    if (survey_.packets++ == 0) survey_.first_us = packet.us;
    if (packet.cut_short) ++survey_.cut_short;
    const auto addresses = find_addresses(packet.frame);
    if (!addresses) return;
    const bool from_server = addresses->source == server_;
    const bool to_server = addresses->destination == server_;
    if (from_server && !is_server_mac_sure_) {
      survey_.server_mac = wire::ethernet_source(packet.frame.data());
      is_server_mac_sure_ = true;
    } else if (to_server && !survey_.server_mac && !wire::ethernet_destination(packet.frame.data()).is_group()) {
      survey_.server_mac = wire::ethernet_destination(packet.frame.data());
    }
    if (to_server) (from_server ? survey_.to_itself : survey_.for_us) = true;
    const auto tcp = find_tcp(packet.frame, packet.frame.size());
    if (!tcp) return;
    Survey::Received& received = survey_.destinations[{tcp->ip.destination, tcp->header.destination}];
    ++received.packets;
    received.syn |= tcp->header.flags.syn() && !tcp->header.flags.ack();
    if (from_server) {
      look_at_server(*tcp);
    } else if (to_server) {
      look_at_client(*tcp);
    }
  }

 private:
  void look_at_server(const CapturedTcp& tcp) {
    const auto found = current_.find(client_key(tcp.ip.destination, tcp.header.destination, tcp.header.source));
    if (found == current_.end() || tcp.header.flags.rst()) return;
    found->second->note(server_segment(tcp), tcp.options);
  }

  void look_at_client(const CapturedTcp& tcp) {
    const ClientKey key = client_key(tcp.ip.source, tcp.header.source, tcp.header.destination);
    const wire::TcpFlags flags = tcp.header.flags;
    if (flags.syn() && !flags.ack()) {
      current_[key] = &survey_.conversations[{key, tcp.header.seq.value()}];
    } else if (const auto found = current_.find(key); found != current_.end() && flags.ack() && !flags.rst()) {
      found->second->note_client(tcp.header.ack, tcp.options);
    }
  }

  Survey& survey_;
  wire::Ipv4Address server_;
  bool is_server_mac_sure_ = false;  // seen on a frame of its own, not only on one that was for its address
  std::unordered_map<ClientKey, RecordedServer*> current_;
};

}  // namespace

std::optional<std::pair<wire::Ipv4Address, wire::Port>> Survey::busiest(
    std::optional<wire::Ipv4Address> address) const {
  std::optional<std::pair<wire::Ipv4Address, wire::Port>> most;
  Received best;
  for (const auto& [destination, received] : destinations) {
    if (received <= best || (address && destination.first != *address)) continue;
    most = destination;
    best = received;
  }
  return most;
}

Survey survey(device::PcapReader& reader, wire::Ipv4Address server, device::PcapWriter* copy) {
  Survey out;
  Surveyor surveyor(out, server);
  device::PcapReader::Packet packet;
  while (reader.next(packet)) {
    surveyor.look(packet);
    if (copy != nullptr) copy->write(packet.us, packet.frame);
  }
  out.cut_off = reader.error();
  return out;
}

ServerSegment server_segment(const CapturedTcp& tcp) {
  return {.seq = tcp.header.seq,
          .text = tcp.text,
          .syn = tcp.header.flags.syn(),
          .psh = tcp.header.flags.psh(),
          .fin = tcp.header.flags.fin(),
          .has_timestamps = tcp.options.has_timestamps,
          .ts_value = tcp.options.ts_value};
}

}  // namespace estab::capture
