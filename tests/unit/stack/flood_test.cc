// Floods (RFC 4987) as fast as one core can make them, with honest clients among them: who is honest is served, and
// nothing grows.
#include <unistd.h>

#include <chrono>
#include <fstream>

#include "support/two_stacks.h"
#include "wire/ethernet.h"
#include "wire/tcp_header.h"

namespace estab::test {
namespace {

using stack::ConnectionId;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
constexpr bool kSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

// Instrumented code takes some thirty times as long: a tenth has to do.
constexpr uint32_t kSyns = kSanitized ? 200'000 : 2'000'000;
constexpr uint32_t kHonest = kSyns / 200;

uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t total = 0;
  uint64_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

// Frames from anywhere in 198.19.0.0/16: a template whose fixed fields are summed up once.
class Spoofer {
 public:
  Spoofer(wire::MacAddress to, wire::Ipv4Address address, wire::Port port, wire::TcpFlags flags) {
    wire::write_ethernet(frame_.data(), to, {{2, 6, 6, 6, 6, 6}}, wire::EtherType::Ipv4);
    wire::write_ipv4(frame_.data() + 14, wire::Ipv4Address(), address, wire::kProtocolTcp, kSize - 14, false);
    wire::TcpOptions options;
    options.has_mss = true;
    options.mss = 1460;
    options.has_timestamps = true;
    options.has_window_scale = true;
    options.window_scale = 7;
    options.sack_permitted = true;
    const size_t size = flags.syn() ? wire::write_tcp_options(frame_.data() + 54, options) : 0;
    length_ = static_cast<uint16_t>(54 + size);
    store_be(frame_.data() + 16, static_cast<uint16_t>(length_ - 14));
    wire::write_tcp(frame_.data() + 34, wire::Port(), port, wire::Seq(0), wire::Seq(0), flags, 65535, size);
    ip_.add({frame_.data() + 14, 20});
    tcp_.add_pseudo_header(wire::Ipv4Address(), address, wire::kProtocolTcp, static_cast<uint16_t>(length_ - 34));
    tcp_.add({frame_.data() + 34, length_ - 34u});
  }

  void write(buf::Mbuf& to, Random& random) const {
    const uint64_t who = random.next();
    const uint64_t numbers = random.next();
    const uint32_t source = wire::Ipv4Address(198, 19, 0, 0).value() | static_cast<uint16_t>(who);
    const auto port = static_cast<uint16_t>(1024 + (who >> 16) % 64512);
    const auto seq = static_cast<uint32_t>(numbers);
    const uint32_t ack = (frame_[47] & wire::TcpFlags::kAck) != 0 ? static_cast<uint32_t>(numbers >> 32) : 0;
    to.rewrite(length_);
    uint8_t* f = to.data();
    std::memcpy(f, frame_.data(), length_);
    store_be(f + 26, source);
    store_be(f + 34, port);
    store_be(f + 38, seq);
    store_be(f + 42, ack);
    wire::ChecksumSum ip = ip_;
    ip.add32(source);
    store_be(f + 24, ip.checksum());
    wire::ChecksumSum tcp = tcp_;
    tcp.add32(source);
    tcp.add16(port);
    tcp.add32(seq);
    tcp.add32(ack);
    store_be(f + 50, tcp.checksum());
  }

 private:
  static constexpr uint16_t kSize = 94;
  std::array<uint8_t, kSize> frame_{};
  uint16_t length_ = 0;
  wire::ChecksumSum ip_, tcp_;
};

class Flood : public TwoStacks {
 public:
  static constexpr uint32_t kBacklog = 1024;
  static constexpr uint32_t kAtOnce = 40;  // spoofed ones a turn: what else is under way fits into the burst

  Recorder ours{client};
  Recorder theirs{server};
  Random random{11};

  void start_listening(stack::SynCookies cookies = stack::SynCookies::Auto) {
    Options options;
    options.max_connections = 16384;
    options.syn_cookies = cookies;
    start(options);
    ASSERT_TRUE(server->listen(kPort, theirs, kBacklog));
    connect(ours);  // the client learns the server's MAC address
    settle();
    client->close(ours.last);
    settle();
    ASSERT_EQ(theirs.closed, 1);
  }

  // `count` spoofed frames arrive at a million a second.
  void spoof(const Spoofer& spoofer, uint32_t count) {
    for (; count > 0; count -= std::min(count, kAtOnce)) {
      arrive(spoofer, std::min(count, kAtOnce));
      turn();
    }
  }
  void arrive(const Spoofer& spoofer, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
      buf::Mbuf packet = pool().allocate();
      ASSERT_TRUE(packet);
      spoofer.write(packet, random);
      server_link->arriving().push_back(std::move(packet));
    }
    now = now + Duration::microseconds(count);
  }

  Spoofer syns() const { return spoofer(wire::TcpFlags::kSyn); }
  Spoofer acks() const { return spoofer(wire::TcpFlags::kAck); }
  uint64_t half_open() const { return server->counters().by_state[static_cast<size_t>(tcp::State::SynReceived)]; }
  uint64_t dropped(stack::Drop why) const { return server->counters().drops[static_cast<size_t>(why)]; }

 private:
  Spoofer spoofer(uint8_t flags) const { return {server_link->mac(), server_address(), kPort, wire::TcpFlags(flags)}; }
};

// Clients that say a word, hear it back, stay for a while, and close.
class HonestClients {
 public:
  explicit HonestClients(Flood& flood) : flood_(flood) {
    flood.theirs.do_established = [this](ConnectionId id) { most_records = std::max(most_records, id.index + 1); };
    flood.theirs.do_text = [this](ConnectionId id) { echo(id); };
    flood.ours.do_established = [this](ConnectionId id) { say(*flood_.client, id, kWord); };
    flood.ours.do_text = [this](ConnectionId id) {
      std::string& text = flood_.ours.text[id.index];
      if (text.size() < kWord.size()) return;
      answered += text == kWord;
      text.clear();
      staying_.push_back(id);
    };
  }

  void open() {
    flood_.connect(flood_.ours);
    ++opened;
  }
  void close_all_but(size_t most) {
    for (; staying_.size() > most; staying_.pop_front()) flood_.client->close(staying_.front());
  }

  uint32_t opened = 0, answered = 0, most_records = 0;

 private:
  void say(stack::Stack& stack, ConnectionId id, const std::string& words) {
    size_t at = 0;
    flood_.send_some(stack, id, words, at);
  }
  void echo(ConnectionId id) {
    std::string& text = flood_.theirs.text[id.index];
    say(*flood_.server, id, text);
    text.clear();
  }

  const std::string kWord = "open, says me";
  Flood& flood_;
  std::deque<ConnectionId> staying_;
};

TEST_F(Flood, TwoMillionSyns_HonestClientsAllGetIn_AndNothingGrows) {
  start_listening();
  const uint32_t mbufs = pool().in_use();
  HonestClients honest(*this);
  const Spoofer flood = syns();
  uint64_t resident = 0;
  const auto begin = std::chrono::steady_clock::now();
  uint32_t sent = 0;
  for (uint32_t i = 0; sent < kSyns; ++i, sent += kAtOnce) {
    if (sent == kSyns / 10) resident = resident_bytes();
    if (i % 5 == 0) honest.open();
    honest.close_all_but(100);
    spoof(flood, kAtOnce);
    ASSERT_LE(half_open(), kBacklog);
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  const auto grown = static_cast<int64_t>(resident_bytes() - resident);
  RecordProperty("syns_a_second", static_cast<int>(kSyns / seconds.count()));
  RecordProperty("resident_kib_grown", static_cast<int>(grown / 1024));
  honest.close_all_but(0);
  settle();

  EXPECT_EQ(honest.opened, kHonest);
  EXPECT_EQ(honest.answered, kHonest);
  EXPECT_EQ(server->counters().accepted, kHonest + 1u);
  EXPECT_EQ(client->counters().connected, kHonest + 1u);
  EXPECT_EQ(theirs.closed, static_cast<int>(kHonest + 1));
  EXPECT_EQ(theirs.errors, (std::map<tcp::Error, int>{{tcp::Error::None, static_cast<int>(kHonest + 1)}}));
  EXPECT_EQ(ours.errors, theirs.errors);
  EXPECT_EQ(client->counters().retransmitted, 0u);
  // Each SYN took a place in the backlog or was answered with a cookie.
  EXPECT_EQ(half_open(), kBacklog);
  EXPECT_EQ(
      server->counters().cookies_sent + kBacklog + server->counters().accepted - server->counters().cookies_accepted,
      kSyns + kHonest + 1u);
  EXPECT_EQ(server->counters().cookies_refused, 0u);
  EXPECT_LE(server->counters().retransmitted, kBacklog);  // SYN-ACKs of the backlog, a second later
  // Those that stay, and those that open or close: no record was touched for the flood.
  EXPECT_LT(honest.most_records, 200u);
  EXPECT_EQ(pool().in_use(), mbufs);
  // The client's own TIME-WAIT is in it. AddressSanitizer holds back what is freed, so there it says nothing.
  EXPECT_LT(grown, kSanitized ? INT64_MAX : 8 << 20);
}

TEST_F(Flood, Over_BacklogDrainsByTimeouts_AndCookiesStop) {
  start_listening();
  const uint32_t mbufs = pool().in_use();
  spoof(syns(), 50'000);
  settle();
  ASSERT_EQ(half_open(), kBacklog);
  EXPECT_EQ(server->counters().cookies_sent, 50'000u - kBacklog);
  advance(Duration::seconds(30), Duration::milliseconds(100));
  EXPECT_EQ(half_open(), kBacklog);
  advance(Duration::seconds(34), Duration::milliseconds(100));  // 1 + 2 + 4 + 8 + 16 + 32 seconds have passed
  EXPECT_EQ(half_open(), 0u);
  EXPECT_EQ(server->connections(), 0u);
  // What the flood got out of us beyond an answer a SYN.
  EXPECT_EQ(server->counters().retransmitted, kBacklog * tcp::Parameters().syn_ack_retries);
  const uint64_t cookies = server->counters().cookies_sent;
  spoof(syns(), 1);
  settle();
  EXPECT_EQ(half_open(), 1u);
  connect(ours);
  settle();
  EXPECT_EQ(theirs.established, 2);
  EXPECT_EQ(server->counters().cookies_sent, cookies);
  EXPECT_EQ(pool().in_use(), mbufs);
}

TEST_F(Flood, AcksWithForgedCookies_AreCountedAndResetWithinTheBudget_AndHonestClientsGetIn) {
  constexpr uint32_t kAcks = kSanitized ? 500'000 : 900'000;  // within one second of the stack's time
  start_listening(stack::SynCookies::Always);
  const uint32_t mbufs = pool().in_use();
  const stack::Counters before = server->counters();
  HonestClients honest(*this);
  const Spoofer forger = acks();
  for (uint32_t sent = 0; sent < kAcks; sent += kAcks / 100) {
    honest.open();
    spoof(forger, kAcks / 100);
  }
  settle();
  honest.close_all_but(0);
  settle();
  EXPECT_EQ(honest.answered, 100u);
  EXPECT_EQ(client->counters().retransmitted, 0u);
  const stack::Counters& after = server->counters();
  EXPECT_EQ(after.cookies_refused, kAcks);
  EXPECT_EQ(after.cookies_accepted - before.cookies_accepted, 100u);
  const uint64_t resets = after.resets_sent - before.resets_sent;
  EXPECT_GE(resets, server->config().stray_resets);
  EXPECT_LE(resets, 2 * server->config().stray_resets);
  EXPECT_EQ(resets + dropped(stack::Drop::ResetLimit), kAcks);
  EXPECT_EQ(server->connections(), 0u);
  EXPECT_LE(honest.most_records, 100u);
  EXPECT_EQ(pool().in_use(), mbufs);
}

TEST_F(Flood, AcksWhileNoCookieIsOut_AreNotTakenForCookies) {
  start_listening();
  spoof(acks(), 10'000);
  EXPECT_EQ(server->counters().cookies_refused, 0u);
  EXPECT_EQ(server->counters().resets_sent, 10'000u);
  EXPECT_EQ(server->connections(), 0u);
}

}  // namespace
}  // namespace estab::test
