#include "estab/replay.h"

#include <rte_mbuf_dyn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>

#include "api/endpoint_access.h"
#include "api/replay_feed.h"

namespace estab {
namespace {

// A file in memory, for net_pcap to read what had to be converted.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(memfd_create("estab-replay", MFD_CLOEXEC)) {}
  ~MemoryFile() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

// net_pcap takes any link type for Ethernet, and its device string has no way to quote a comma.
bool needs_copy(const device::PcapReader& reader, const std::string& path) {
  return !reader.is_ethernet() || path.find_first_of(",[]\"=") != std::string::npos;
}

std::string nobody_for_us(const ReplayConfig& config, const capture::Survey& survey) {
  std::string text = "no packet in " + config.in + " is for " + config.address.address.to_string();
  if (survey.to_itself)
    return text + " but its own: record conversations between two addresses, not one host's with itself";
  const auto busiest = survey.busiest(std::nullopt);
  if (!busiest) return text + ", and none is TCP over IPv4: name a capture of the server's conversations";
  const SocketAddress socket{Address{busiest->first.value()}, busiest->second.value()};
  return text + ": give the recorded server's address with --address (the busiest TCP destination is " +
         socket.to_string() + ")";
}

// The first look, which also makes the copy that `copy` is for.
Result<capture::Survey> look_through(const ReplayConfig& config, device::PcapReader& reader, const std::string& copy) {
  const wire::Ipv4Address server(config.address.address.value);
  capture::Survey survey;
  if (copy.empty()) {
    survey = capture::survey(reader, server, nullptr);
  } else {
    auto writer = device::PcapWriter::create(copy);
    if (!writer) return writer.failure();
    survey = capture::survey(reader, server, &*writer);
    if (!writer->flush()) return Failure{"cannot keep a copy of " + config.in + " in memory: replay a part of it"};
  }
  if (survey.packets == 0) {
    return Failure{"the capture " + config.in + " has no packets" +
                   (survey.cut_off.empty() ? "" : " that can be read (" + survey.cut_off + ")") +
                   ": record again, until after the connections' end"};
  }
  if (!survey.for_us) return Failure{nobody_for_us(config, survey)};
  return survey;
}

Config endpoint_config(const ReplayConfig& config, const std::string& path) {
  static unsigned count = 0;
  Config out;
  out.device = "net_pcap_replay" + std::to_string(count++) + ",rx_pcap=" + path;
  out.address = config.address;
  out.time_wait = config.time_wait;
  out.seed = config.seed == 0 ? UINT64_MAX : config.seed;  // 0 would mean secrets from the system: never the same twice
  // The recorded client was told another window than ours: it should fit in whatever it was.
  out.receive_buffer = 16 * 1024 * 1024;
  out.eal_arguments = config.eal_arguments;
  out.lcores = 0;  // the calling thread does it all
  return out;
}

// Takes the whole capture from the device, and then lets the connections end.
void run(device::Port& port, capture::Feed& feed, int timestamp_offset, const ReplayConfig& config,
         ReplaySummary& summary) {
  buf::MbufBurst burst;
  const Instant first = feed.now();
  uint64_t taken = 0;
  // An empty burst may be for want of mbufs; at the end all are. Where a capture is damaged libpcap may find more
  // behind it.
  for (int empty = 0; empty < 2 && taken < summary.packets;) {
    port.receive(burst);
    empty = burst.size() == 0 ? empty + 1 : 0;
    for (uint16_t i = 0; i < burst.size() && taken < summary.packets; ++i, ++taken) {
      const auto* us = RTE_MBUF_DYNFIELD(burst.peek(i).get(), timestamp_offset, const rte_mbuf_timestamp_t*);
      const Instant captured = capture::Feed::instant(*us);
      feed.packet(burst.take(i), captured);
    }
    burst.clear();
  }
  feed.drain(feed.now() + config.linger);
  summary.duration = feed.now() - first;
}

}  // namespace

Result<ReplaySummary> replay(const ReplayConfig& config, const std::function<void(Endpoint&)>& set_up) {
  auto reader = device::PcapReader::open(config.in);
  if (!reader) return reader.failure();
  std::error_code error;
  if (std::filesystem::equivalent(config.in, config.out, error)) {
    return Failure{"the output " + config.out + " is the capture itself: name another file"};
  }
  const MemoryFile copy;
  const bool copied = needs_copy(*reader, config.in);
  auto survey = look_through(config, *reader, copied ? copy.path() : "");
  if (!survey) return survey.failure();
  auto writer = device::PcapWriter::create(config.out);
  if (!writer) return writer.failure();

  ReplaySummary summary;
  summary.packets = survey->packets;
  summary.cut_short = survey->cut_short;
  summary.cut_off = survey->cut_off;
  const wire::Ipv4Address server(config.address.address.value);
  if (const auto busiest = survey->busiest(server)) summary.busiest_port = busiest->second.value();

  capture::Feed feed(*survey, server, *writer, summary);
  device::Port* port = nullptr;
  EndpointAccess::Virtual in_virtual_time;
  in_virtual_time.start = capture::Feed::instant(survey->first_us);
  in_virtual_time.link = [&](device::Port& opened) {
    port = &opened;
    return std::make_unique<capture::OutletLink>(feed, survey->server_mac.value_or(opened.mac()), opened.mtu());
  };
  auto endpoint = EndpointAccess::create(endpoint_config(config, copied ? copy.path() : config.in), &in_virtual_time);
  if (!endpoint) return endpoint.failure();
  int timestamp_offset = -1;
  uint64_t flag = 0;
  if (rte_mbuf_dyn_rx_timestamp_register(&timestamp_offset, &flag) != 0) {
    return Failure{"DPDK has no room for timestamps in its mbufs: replay without EAL options that take it"};
  }
  feed.attach(EndpointAccess::stack(**endpoint));
  set_up(**endpoint);
  run(*port, feed, timestamp_offset, config, summary);
  (*endpoint)->release();
  summary.stats = (*endpoint)->stats();
  if (!writer->flush()) return Failure{"cannot write all of " + config.out + ": make room on its disk"};
  return summary;
}

}  // namespace estab
