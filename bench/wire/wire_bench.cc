// Checksums and parsing, against DPDK's own checksum.
#include <rte_ip.h>

#include <array>

#include "base/random.h"
#include "bench/support/frames.h"
#include "bench/support/meter.h"
#include "bench/support/run.h"
#include "net/frame.h"

namespace estab::bench {
namespace {

constexpr size_t kBuffers = 64;  // a burst of packets, all in the first cache levels
using Buffers = std::array<std::array<uint8_t, 2048>, kBuffers>;

const Buffers& random_bytes() {
  static const Buffers buffers = [] {
    Buffers b;
    Random random(1);
    for (auto& buffer : b) {
      for (uint8_t& byte : buffer) byte = static_cast<uint8_t>(random.next());
    }
    return b;
  }();
  return buffers;
}

template <typename Sum>
void checksum(benchmark::State& state, Sum sum) {
  const Buffers& buffers = random_bytes();
  const auto length = static_cast<size_t>(state.range(0));
  Meter meter;
  for (auto _ : state) {
    meter.start();
    for (const auto& buffer : buffers) benchmark::DoNotOptimize(sum(buffer.data(), length));
    meter.stop();
    meter.next(state);
  }
  for (const auto& buffer : buffers) {
    if (rte_raw_cksum(buffer.data(), length) != sum(buffer.data(), length)) state.SkipWithError("the sums differ");
  }
  report(state, meter, kBuffers);
}

void checksum_dpdk(benchmark::State& state) {
  checksum(state, [](const uint8_t* p, size_t n) { return rte_raw_cksum(p, n); });
}
void checksum_estab(benchmark::State& state) {
  checksum(state, [](const uint8_t* p, size_t n) {
    wire::ChecksumSum sum;
    sum.add({p, n});
    return byte_swap(sum.folded());
  });
}

// Frames of one kind, parsed from Ethernet to the last option. The argument: whether they carry a timestamp.
void parse(benchmark::State& state) {
  static Buffers frames;
  net::Interface interface;
  interface.mac = kOurMac;
  interface.address = wire::Ipv4Address(198, 18, 0, 1);
  std::array<rte_mbuf, kBuffers> mbufs{};
  for (size_t i = 0; i < kBuffers; ++i) {
    PeerSegment segment{{wire::Ipv4Address(198, 18, 0, 2), interface.address,
                         wire::Port(static_cast<uint16_t>(1024 + i)), wire::Port(80)},
                        wire::Seq(1),
                        wire::Seq(2),
                        wire::TcpFlags::kAck,
                        {}};
    segment.options.has_timestamps = state.range(0) != 0;
    mbufs[i].buf_addr = frames[i].data();
    write_packet(&mbufs[i], segment);
  }
  Meter meter;
  uint64_t wrong = 0;
  for (auto _ : state) {
    meter.start();
    for (const rte_mbuf& mbuf : mbufs) {
      const buf::MbufView packet(&mbuf);
      const net::Frame frame = net::parse_frame(packet, interface, false);
      const auto bytes = packet.first_segment().subspan(frame.transport_offset);
      const wire::TcpHeader header = wire::parse_tcp(bytes);
      wire::TcpOptions options;
      const bool good = wire::parse_tcp_options(
          bytes.subspan(wire::kTcpHeaderSize, header.header_length - wire::kTcpHeaderSize), options);
      wire::ChecksumSum sum;
      sum.add_pseudo_header(frame.source, frame.destination, wire::kProtocolTcp, frame.transport_length);
      sum.add(bytes);
      if (!good || frame.protocol != net::Protocol::Tcp || header.fault != wire::TcpFault::None ||
          sum.folded() != 0xffff)
        ++wrong;
      benchmark::DoNotOptimize(options);
    }
    meter.stop();
    meter.next(state);
  }
  if (wrong != 0) state.SkipWithError("a frame was refused");
  report(state, meter, kBuffers);
}

BENCHMARK(checksum_dpdk)
    ->Name("checksum/rte_raw_cksum")
    ->Arg(20)
    ->Arg(60)
    ->Arg(1460)
    ->Iterations(20000)
    ->UseManualTime();
BENCHMARK(checksum_estab)->Name("checksum/estab")->Arg(20)->Arg(60)->Arg(1460)->Iterations(20000)->UseManualTime();
BENCHMARK(parse)->Name("parse/estab")->Arg(0)->Arg(1)->Iterations(20000)->UseManualTime();

}  // namespace
}  // namespace estab::bench

int main(int argc, char** argv) {
  return estab::bench::run(argc, argv);
}
