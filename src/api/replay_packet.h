// A captured frame: found in it is what replay needs, and changed in it is what has to become ours.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "buf/mbuf.h"
#include "wire/ipv4.h"
#include "wire/tcp_header.h"
#include "wire/tcp_options.h"

namespace estab::capture {

// Whose frame it is, by its IPv4 or ARP header.
struct Addresses {
  wire::Ipv4Address source;
  wire::Ipv4Address destination;
};
std::optional<Addresses> find_addresses(std::span<const uint8_t> frame);

struct CapturedTcp {
  uint16_t ip_offset = 0;
  uint16_t tcp_offset = 0;
  uint16_t tcp_length = 0;  // header and text, as IPv4's total length says
  bool whole = false;       // the capture has all of it
  wire::Ipv4 ip;
  wire::TcpHeader header;
  wire::TcpOptions options;
  uint32_t text = 0;  // bytes

  // Header, text and both control bits: how far the sender's numbers go.
  uint32_t length() const { return text + (header.flags.syn() ? 1 : 0) + (header.flags.fin() ? 1 : 0); }
};

// `frame` has at least the headers of a frame of `length` bytes. Nothing where there is no TCP header to be read.
std::optional<CapturedTcp> find_tcp(std::span<const uint8_t> frame, size_t length);

// Completes what the recording host had left to its NIC: total lengths and checksums of segments that were captured
// before they were segmented and summed. A checksum that is simply wrong stays so. True if the packet was changed.
bool finish_offloads(buf::Mbuf& packet);

bool tcp_checksum_right(const buf::Mbuf& packet, const CapturedTcp& tcp);

// --- changes; fill_tcp_checksum makes them good
void set_ack(buf::Mbuf& packet, const CapturedTcp& tcp, wire::Seq ack);
void set_ts_echo(buf::Mbuf& packet, const CapturedTcp& tcp, uint32_t ts_echo);
void set_sack(buf::Mbuf& packet, const CapturedTcp& tcp, std::span<const wire::SackBlock> blocks);
void remove_option(buf::Mbuf& packet, const CapturedTcp& tcp, wire::TcpOptionKind kind);
void fill_tcp_checksum(buf::Mbuf& packet, const CapturedTcp& tcp);

}  // namespace estab::capture
