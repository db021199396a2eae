#include "device/pcap_file.h"

#include <pcap/pcap.h>
#include <pcap/sll.h>

#include <algorithm>

#include "wire/ethernet.h"

namespace estab::device {
namespace {

constexpr int kSnapshotLength = 262144;  // as tcpdump's

// What stands for the addresses that a capture without Ethernet headers does not have: locally administered (IEEE 802).
constexpr wire::MacAddress kMadeUpSource = {{0x02, 0, 0, 0, 0, 1}};
constexpr wire::MacAddress kMadeUpDestination = {{0x02, 0, 0, 0, 0, 2}};

// What a link type's header says: how long it is, the EtherType behind it, and the sender's MAC where it has one.
struct LinkHeader {
  size_t size = 0;
  uint16_t type = 0;
  wire::MacAddress source = kMadeUpSource;
};

uint16_t type_of_ip(std::span<const uint8_t> bytes, size_t at) {
  const bool is_ipv6 = at < bytes.size() && bytes[at] >> 4 == 6;
  return static_cast<uint16_t>(is_ipv6 ? wire::EtherType::Ipv6 : wire::EtherType::Ipv4);
}

LinkHeader cooked(std::span<const uint8_t> bytes, size_t size, size_t type_at, size_t address_length_at,
                  size_t address_at) {
  LinkHeader header{.size = size};
  if (bytes.size() < size) return header;
  header.type = load_be<uint16_t>(bytes.data() + type_at);
  // The length is the last byte of its field. Loopback has an address of zeros.
  const wire::MacAddress source = wire::load_mac(bytes.data() + address_at);
  if (bytes[address_length_at] == source.bytes.size() && !source.is_zero()) header.source = source;
  return header;
}

LinkHeader parse_link_header(int link_type, std::span<const uint8_t> bytes) {
  switch (link_type) {
    case DLT_LINUX_SLL:  // packet type, ARPHRD, address length, address (8), protocol
      return cooked(bytes, SLL_HDR_LEN, 14, 5, 6);
    case DLT_LINUX_SLL2:  // protocol, zero, interface (4), ARPHRD, packet type, address length, address (8)
      return cooked(bytes, SLL2_HDR_LEN, 0, 11, 12);
    case DLT_NULL:  // BSD's loopback: an address family that differs from system to system
    case DLT_LOOP:
      return {.size = 4, .type = type_of_ip(bytes, 4)};
    default:  // raw IP
      return {.size = 0, .type = type_of_ip(bytes, 0)};
  }
}

bool is_known(int link_type) {
  constexpr int kKnown[] = {DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_NULL, DLT_LOOP, DLT_RAW, DLT_IPV4, DLT_IPV6};
  return std::find(std::begin(kKnown), std::end(kKnown), link_type) != std::end(kKnown);
}

}  // namespace

void PcapReader::Close::operator()(pcap* file) const {
  pcap_close(file);
}

Result<PcapReader> PcapReader::open(const std::string& path) {
  char error[PCAP_ERRBUF_SIZE] = "";
  return wrap(pcap_open_offline(path.c_str(), error), path, error);
}

Result<PcapReader> PcapReader::open(std::FILE* file, const std::string& name) {
  char error[PCAP_ERRBUF_SIZE] = "";
  pcap* const opened = pcap_fopen_offline(file, error);
  if (opened == nullptr) std::fclose(file);
  return wrap(opened, name, error);
}

Result<PcapReader> PcapReader::wrap(pcap* file, const std::string& name, const char* error) {
  PcapReader reader;
  reader.file_.reset(file);
  if (file == nullptr) {
    return Failure{"cannot read the capture " + name + " (" + error +
                   "): name a pcap or pcapng file, as tcpdump -w writes"};
  }
  reader.link_type_ = pcap_datalink(file);
  if (!is_known(reader.link_type_)) {
    const char* type = pcap_datalink_val_to_name(reader.link_type_);
    return Failure{"cannot replay " + name + ": its link type is " +
                   (type == nullptr ? std::to_string(reader.link_type_) : type) +
                   "; record on an Ethernet device, or with tcpdump -i any"};
  }
  return reader;
}

bool PcapReader::is_ethernet() const {
  return link_type_ == DLT_EN10MB;
}

bool PcapReader::next(Packet& packet) {
  pcap_pkthdr* header = nullptr;
  const uint8_t* bytes = nullptr;
  const int result = pcap_next_ex(file_.get(), &header, &bytes);
  if (result != 1) {
    if (result == PCAP_ERROR) error_ = pcap_geterr(file_.get());
    return false;
  }
  packet.us = static_cast<uint64_t>(header->ts.tv_sec) * 1'000'000 + static_cast<uint64_t>(header->ts.tv_usec);
  packet.cut_short = header->caplen < header->len;
  packet.frame = {bytes, header->caplen};
  if (!is_ethernet()) packet.frame = to_ethernet(packet.frame);
  return true;
}

std::span<const uint8_t> PcapReader::to_ethernet(std::span<const uint8_t> bytes) {
  const LinkHeader header = parse_link_header(link_type_, bytes);
  const std::span<const uint8_t> payload = bytes.subspan(std::min(header.size, bytes.size()));
  converted_.resize(wire::kEthernetHeaderSize);
  wire::write_ethernet(converted_.data(), kMadeUpDestination, header.source, wire::EtherType{header.type});
  converted_.insert(converted_.end(), payload.begin(), payload.end());
  return converted_;
}

void PcapWriter::Close::operator()(pcap* file) const {
  pcap_close(file);
}

void PcapWriter::Close::operator()(pcap_dumper* dumper) const {
  pcap_dump_close(dumper);
}

Result<PcapWriter> PcapWriter::create(const std::string& path) {
  PcapWriter writer;
  writer.format_.reset(pcap_open_dead(DLT_EN10MB, kSnapshotLength));
  if (writer.format_ != nullptr) writer.dumper_.reset(pcap_dump_open(writer.format_.get(), path.c_str()));
  if (writer.dumper_ == nullptr) {
    return Failure{"cannot write the capture " + path + " (" +
                   (writer.format_ == nullptr ? "no memory" : pcap_geterr(writer.format_.get())) +
                   "): name a file in a folder that exists and is writable"};
  }
  return writer;
}

void PcapWriter::write(uint64_t us, std::span<const uint8_t> frame) {
  pcap_pkthdr header{};
  header.ts.tv_sec = static_cast<time_t>(us / 1'000'000);
  header.ts.tv_usec = static_cast<suseconds_t>(us % 1'000'000);
  header.caplen = header.len = static_cast<uint32_t>(frame.size());
  pcap_dump(reinterpret_cast<uint8_t*>(dumper_.get()), &header, frame.data());
}

void PcapWriter::write(uint64_t us, buf::MbufView packet) {
  if (packet.get()->next == nullptr) {
    write(us, packet.first_segment());
    return;
  }
  joined_.clear();
  for (const rte_mbuf* segment = packet.get(); segment != nullptr; segment = segment->next) {
    const uint8_t* bytes = rte_pktmbuf_mtod(segment, const uint8_t*);
    joined_.insert(joined_.end(), bytes, bytes + segment->data_len);
  }
  write(us, joined_);
}

bool PcapWriter::flush() {
  return pcap_dump_flush(dumper_.get()) == 0 && ferror(pcap_dump_file(dumper_.get())) == 0;
}

}  // namespace estab::device
