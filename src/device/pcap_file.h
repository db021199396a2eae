// Capture files, by libpcap: read as Ethernet frames whatever their link type, and written with the times that the
// caller says.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "buf/mbuf.h"
#include "estab/result.h"

struct pcap;
struct pcap_dumper;

namespace estab::device {

class PcapReader {
 public:
  // pcap or pcapng; Ethernet, Linux cooked (SLL, SLL2), loopback or raw IP.
  static Result<PcapReader> open(const std::string& path);
  // The same of a file that is open already, and is now the reader's; `name` is for messages.
  static Result<PcapReader> open(std::FILE* file, const std::string& name);

  struct Packet {
    uint64_t us = 0;                 // since 1970
    std::span<const uint8_t> frame;  // an Ethernet frame; good until the next call
    bool cut_short = false;          // the capture has not all of it
  };
  // False at the end, and where the file can't be read further: then error() says why.
  bool next(Packet& packet);
  const std::string& error() const { return error_; }

  // False: the frames' Ethernet headers are made up from what the link type has.
  bool is_ethernet() const;

 private:
  struct Close {
    void operator()(pcap* file) const;
  };
  static Result<PcapReader> wrap(pcap* file, const std::string& name, const char* error);
  std::span<const uint8_t> to_ethernet(std::span<const uint8_t> bytes);

  std::unique_ptr<pcap, Close> file_;
  int link_type_ = 0;
  std::vector<uint8_t> converted_;
  std::string error_;
};

class PcapWriter {
 public:
  // An Ethernet capture with microseconds; a file that is there is replaced.
  static Result<PcapWriter> create(const std::string& path);

  void write(uint64_t us, std::span<const uint8_t> frame);
  void write(uint64_t us, buf::MbufView packet);
  // Writes what is buffered; false when not all could be written.
  bool flush();

 private:
  struct Close {
    void operator()(pcap* file) const;
    void operator()(pcap_dumper* dumper) const;
  };

  std::unique_ptr<pcap, Close> format_;
  std::unique_ptr<pcap_dumper, Close> dumper_;
  std::vector<uint8_t> joined_;
};

}  // namespace estab::device
