// A capture, replayed to a stack: all of src/api/replay but the device that reads the file once more.
#include <algorithm>
#include <array>
#include <cstdio>

#include "api/replay_feed.h"
#include "fuzz/mbufs.h"

using namespace estab;
using fuzz::must;

namespace {

constexpr uint32_t kMbufs = 512;
constexpr wire::Ipv4Address kServer(198, 18, 7, 2);  // of the captures in tests/data
constexpr wire::MacAddress kMac = {{0x02, 0, 0, 0, 0, 1}};

class Echo final : public stack::Handler {
 public:
  explicit Echo(stack::Stack*& stack) : stack_(stack) {}
  void on_established(stack::ConnectionId) override {}
  void on_text(stack::ConnectionId id) override {
    buf::Mbuf text = stack_->take_received(id);
    if (text) stack_->send(id, text);
  }
  void on_sendable(stack::ConnectionId id) override { on_text(id); }
  void on_peer_close(stack::ConnectionId id) override { stack_->close(id); }
  void on_close(stack::ConnectionId, tcp::Error) override {}

 private:
  stack::Stack*& stack_;
};

std::optional<device::PcapReader> read(std::span<const uint8_t> bytes) {
  std::FILE* const file = fmemopen(const_cast<uint8_t*>(bytes.data()), bytes.size(), "rb");
  if (file == nullptr) return std::nullopt;
  auto reader = device::PcapReader::open(file, "the input");
  if (!reader) return std::nullopt;
  return std::move(*reader);
}

stack::StackConfig config() {
  stack::StackConfig c;
  c.interface.mac = kMac;
  c.interface.promiscuous = true;
  c.interface.address = kServer;
  c.max_connections = 16;
  c.secrets = {{1, 2}, {3, 4}, {5, 6}, {7, 8}};
  c.tcp.receive_buffer = 16 * 1024 * 1024;
  // So that every connection ends soon.
  c.tcp.max_rto = Duration::seconds(2);
  c.tcp.syn_ack_retries = c.tcp.data_retries = 2;
  c.tcp.time_wait = c.tcp.fin_wait_2_timeout = Duration::seconds(1);
  return c;
}

// The capture's own time, with its long gaps made shorter, and all but the first of them short: a stack with a
// connection passes them in small steps, and three seconds are enough for each of its timers.
class Clock {
 public:
  uint64_t operator()(uint64_t us) {
    constexpr uint64_t kLong = 50'000;
    constexpr uint64_t kLongest = 3'000'000;
    const uint64_t now = us + ahead_;
    if (started_ && now > last_ + kLong) {
      const uint64_t gap = now - last_;
      ahead_ -= gap - std::min(gap, --jumps_ < 0 ? kLong : kLongest);
    }
    started_ = true;
    return last_ = us + ahead_;
  }

 private:
  bool started_ = false;
  int jumps_ = 3;
  uint64_t last_ = 0;
  uint64_t ahead_ = 0;
};

void replay(const capture::Survey& survey, device::PcapReader& reader) {
  static auto writer = device::PcapWriter::create("/dev/null");
  must(static_cast<bool>(writer), "the output can be written");
  buf::MbufPool& pool = fuzz::mbufs(kMbufs);
  ReplaySummary summary;
  capture::Feed feed(survey, kServer, *writer, summary);
  capture::OutletLink link(feed, survey.server_mac.value_or(kMac), 1'500);
  stack::Stack stack(config(), link, pool, capture::Feed::instant(survey.first_us));
  stack::Stack* pointer = &stack;
  Echo echo(pointer);
  for (const uint16_t port : {uint16_t{7}, uint16_t{8}, uint16_t{80}}) stack.listen(wire::Port(port), echo, 4);
  feed.attach(stack);
  Clock clock;
  device::PcapReader::Packet packet;
  uint64_t packets = 0;
  while (reader.next(packet)) {
    if (buf::Mbuf mbuf = pool.copy(packet.frame)) {
      feed.packet(std::move(mbuf), capture::Feed::instant(clock(packet.us)));
      ++packets;
    }
  }
  must(summary.followed + summary.rewritten + summary.as_they_were == packets, "every packet is counted");
  stack.for_each_connection([&](stack::ConnectionId id) { stack.close(id); });
  feed.drain(feed.now() + Duration::seconds(30));
  // A window of one byte can keep what is queued for longer.
  stack.for_each_connection([&](stack::ConnectionId id) { stack.abort(id); });
  feed.drain(feed.now() + Duration::seconds(5));
  must(stack.connections() == 0, "no connection is left");
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  fuzz::mbufs(kMbufs);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > 8192) return 0;
  auto first = read({data, size});
  if (!first) return 0;
  const capture::Survey survey = capture::survey(*first, kServer, nullptr);
  (void)survey.busiest(std::nullopt);
  (void)survey.busiest(kServer);
  if (survey.packets == 0 || !survey.for_us) return 0;
  auto again = read({data, size});
  must(again.has_value(), "a capture can be read twice");
  replay(survey, *again);
  must(fuzz::mbufs(kMbufs).in_use() == 0, "no mbuf is left");
  return 0;
}
