// Two stacks on a wire in memory, under a clock that only the test moves.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>

#include "base/random.h"
#include "device/eal.h"
#include "device/memory_link.h"
#include "stack/stack.h"

namespace estab::test {

// The EAL, once for the test program.
inline void need_eal() {
  static const bool started = [] {
    device::EalOptions options;
    options.arguments = {"--no-huge", "--no-shconf", "-m", "512"};
    auto eal = device::start_eal(options);
    EXPECT_TRUE(eal) << (eal ? "" : eal.error());
    return static_cast<bool>(eal);
  }();
  ASSERT_TRUE(started);
}

// Notes all that it is told, and does what a test hangs in.
class Recorder : public stack::Handler {
 public:
  explicit Recorder(stack::Stack*& stack) : stack_(stack) {}

  void on_established(stack::ConnectionId id) override {
    ++established;
    last = id;
    if (do_established) do_established(id);
  }
  void on_text(stack::ConnectionId id) override {
    if (hold_text) return;
    take(id);
    if (do_text) do_text(id);
  }
  void on_sendable(stack::ConnectionId id) override {
    ++sendable;
    if (do_sendable) do_sendable(id);
  }
  void on_peer_close(stack::ConnectionId id) override {
    ++peer_closed;
    if (do_peer_close) {
      do_peer_close(id);
    } else {
      stack_->close(id);
    }
  }
  void on_close(stack::ConnectionId id, tcp::Error error) override {
    ++closed;
    errors[error]++;
    if (do_close) do_close(id);
  }

  void take(stack::ConnectionId id) {
    const buf::Mbuf data = stack_->take_received(id);
    for (const rte_mbuf* s = data.get(); s != nullptr; s = s->next) {
      text[id.index].append(rte_pktmbuf_mtod(s, const char*), s->data_len);
    }
  }

  int established = 0, sendable = 0, peer_closed = 0, closed = 0;
  std::map<tcp::Error, int> errors;
  std::map<uint32_t, std::string> text;  // by record
  stack::ConnectionId last;
  bool hold_text = false;
  std::function<void(stack::ConnectionId)> do_established, do_text, do_sendable, do_peer_close, do_close;

 private:
  stack::Stack*& stack_;
};

struct TwoStacksOptions {
  TwoStacksOptions() { tcp.time_wait = Duration::seconds(1); }
  tcp::Parameters tcp;
  uint32_t max_connections = 4096;
  uint32_t mbufs = 8192;
  uint64_t seed = 1;
  stack::SynCookies syn_cookies = stack::SynCookies::Auto;
};

class TwoStacks : public ::testing::Test {
 public:
  static constexpr wire::Port kPort{7};

  using Options = TwoStacksOptions;

  void SetUp() override { need_eal(); }
  void TearDown() override { close_all(); }

  void start(const Options& options = Options()) {
    static int count = 0;
    auto made = buf::MbufPool::create("test" + std::to_string(count++), options.mbufs);
    ASSERT_TRUE(made) << made.error();
    pool_ = std::make_unique<buf::MbufPool>(std::move(*made));
    auto pair = device::MemoryLink::create_pair();
    client_link = std::move(pair.first);
    server_link = std::move(pair.second);
    client_owner_ = std::make_unique<stack::Stack>(config(options, *client_link, 1), *client_link, *pool_, now);
    server_owner_ = std::make_unique<stack::Stack>(config(options, *server_link, 2), *server_link, *pool_, now);
    client = client_owner_.get();
    server = server_owner_.get();
  }

  static stack::StackConfig config(const Options& options, const device::Link& link, uint8_t host) {
    stack::StackConfig config;
    config.interface.mac = link.mac();
    config.interface.address = wire::Ipv4Address(198, 18, 0, host);
    config.tcp = options.tcp;
    config.max_connections = options.max_connections;
    config.syn_cookies = options.syn_cookies;
    Random random(options.seed * 2 + host);
    for (SipKey* key : {&config.secrets.isn, &config.secrets.flow, &config.secrets.port, &config.secrets.cookie})
      *key = {random.next(), random.next()};
    return config;
  }

  wire::Ipv4Address server_address() const { return server->config().interface.address; }

  stack::ConnectionId connect(stack::Handler& handler, const stack::ConnectOptions& options = {}) {
    stack::ConnectionId id;
    EXPECT_EQ(client->connect(server_address(), kPort, handler, options, id), stack::ConnectFailure::None);
    return id;
  }

  // One turn of both: what is on the wire arrives, and is answered onto it.
  void turn() {
    for (auto [stack, link] : {std::pair{client, client_link.get()}, std::pair{server, server_link.get()}}) {
      buf::MbufBurst burst;
      link->receive(burst);
      if (burst.size() > 0) stack->receive(burst, now);
      stack->advance(now);
      stack->flush();
      if (on_wire) on_wire();
    }
  }

  // Turns until nothing is on the wire.
  void settle(int most = 10'000) {
    do {
      turn();
    } while (!(client_link->idle() && server_link->idle()) && --most > 0);
    ASSERT_GT(most, 0) << "the two never fall silent";
  }

  // Moves time in small steps, settling at each.
  void advance(Duration span, Duration step = Duration::milliseconds(10)) {
    for (const Instant end = now + span; now < end;) {
      now = now + step;
      settle();
    }
  }

  std::string bytes(size_t n, uint64_t seed = 1) {
    Random random(seed);
    std::string out(n, '\0');
    for (char& c : out) c = static_cast<char>(random.next());
    return out;
  }

  // Queues as much of `data` from `at` on as there is room for.
  void send_some(stack::Stack& stack, stack::ConnectionId id, const std::string& data, size_t& at) {
    while (at < data.size()) {
      const size_t n = std::min<size_t>({stack.sendable(id), data.size() - at, 4000});
      if (n == 0) return;
      buf::Mbuf packet = pool_->copy({reinterpret_cast<const uint8_t*>(data.data()) + at, n});
      if (!packet || !stack.send(id, packet)) return;
      at += n;
    }
  }

  void close_all() {
    if (client_owner_ == nullptr) return;
    client_owner_.reset();
    server_owner_.reset();
    client_link.reset();
    server_link.reset();
    EXPECT_EQ(pool_->in_use(), 0u) << "mbufs leaked";
    pool_.reset();
  }

  Instant now = Instant::from_ns(3'600'000'000'000);
  stack::Stack* client = nullptr;
  stack::Stack* server = nullptr;
  std::unique_ptr<device::MemoryLink> client_link, server_link;
  std::function<void()> on_wire;  // called whenever packets were put on the wire: may change what is there
  buf::MbufPool& pool() { return *pool_; }

 private:
  std::unique_ptr<buf::MbufPool> pool_;
  std::unique_ptr<stack::Stack> client_owner_, server_owner_;
};

}  // namespace estab::test
