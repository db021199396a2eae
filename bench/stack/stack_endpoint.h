// The stack under measurement: bursts go straight in, what it sends is kept for the peer to look at.
#pragma once

#include <memory>
#include <string>

#include "bench/support/null_link.h"
#include "stack/stack.h"

namespace estab::bench {

// Accepts, and closes when the peer has; or, as a client, closes as soon as it is connected.
class Closer final : public stack::Handler {
 public:
  explicit Closer(bool first) : first_(first) {}
  void set_stack(stack::Stack& stack) { stack_ = &stack; }

  void on_established(stack::ConnectionId id) override {
    if (first_) stack_->close(id);
  }
  void on_text(stack::ConnectionId) override {}
  void on_sendable(stack::ConnectionId) override {}
  void on_peer_close(stack::ConnectionId id) override {
    if (!first_) stack_->close(id);
  }
  void on_close(stack::ConnectionId, tcp::Error) override {}

 private:
  bool first_;
  stack::Stack* stack_ = nullptr;
};

struct EndpointOptions {
  uint32_t max_connections = 1 << 20;
  bool client = false;
  bool stateless = false;  // answer SYNs with cookies
  Duration time_wait = Duration::seconds(60);
};

class StackEndpoint {
 public:
  static constexpr bool kSpeaksTcp = true;
  static constexpr wire::Ipv4Address kAddress{198, 18, 0, 1};
  static constexpr wire::Ipv4Address kPeer{198, 19, 0, 0};  // and those after it
  static constexpr wire::Port kPort{80};

  explicit StackEndpoint(const EndpointOptions& options) : client_(options.client), closer_(options.client) {
    static int count = 0;
    auto made = buf::MbufPool::create("bench" + std::to_string(count++), 8191);
    if (!made) throw std::runtime_error(made.error());
    pool_ = std::move(*made);
    stack::StackConfig config;
    config.interface.mac = kOurMac;
    config.interface.address = kAddress;
    config.interface.addresses = options.client ? options.max_connections / 8192 + 1 : 1;
    config.interface.prefix_length = 15;
    config.tcp.time_wait = options.time_wait;
    // Ten million connections take their time, none of it the network's: nothing is to be sent again.
    config.tcp.initial_rto = config.tcp.min_rto = Duration::seconds(30);
    config.secrets = {.isn = {1, 2}, .flow = {3, 4}, .port = {5, 6}, .cookie = {7, 8}};
    config.syn_cookies = options.stateless ? stack::SynCookies::Always : stack::SynCookies::Never;
    config.max_connections = options.max_connections;
    stack_ = std::make_unique<stack::Stack>(config, link_, pool_, now_);
    closer_.set_stack(*stack_);
    if (!options.client) static_cast<void>(stack_->listen(kPort, closer_, options.max_connections));
  }
  ~StackEndpoint() {
    stack_.reset();
    link_.clear();
  }

  rte_mbuf* allocate() { return pool_.allocate().release(); }
  // Moves virtual time on: a run is the same each time.
  void tick(Duration span) { now_ = now_ + span; }

  // --- what is measured; functions of their own, so that callgrind can be told to look at nothing else
  [[gnu::noinline]] void receive(buf::MbufBurst& burst) {
    stack_->receive(burst, now_);
    stack_->advance(now_);
    stack_->flush();
  }
  [[gnu::noinline]] void expire() { stack_->advance(now_); }
  [[gnu::noinline]] void connect(uint32_t count) {
    stack::ConnectionId id;
    for (uint32_t i = 0; i < count; ++i) failed_connects_ += connect_one(id) ? 0 : 1;
    stack_->advance(now_);
    stack_->flush();
  }

  std::span<rte_mbuf* const> answers() const { return link_.sent(); }
  void clear_answers() { link_.clear(); }
  uint64_t finished() const { return stack_->counters().closed; }

  // Anything that went otherwise than it should; empty when all is well.
  std::string complaint() const {
    const stack::Counters& c = stack_->counters();
    std::string text;
    const auto want_zero = [&text](const char* what, const auto& counters, size_t first) {
      for (size_t i = first; i < counters.size(); ++i) {
        if (counters[i] != 0)
          text += std::string(what) + "[" + std::to_string(i) + "]=" + std::to_string(counters[i]) + " ";
      }
    };
    want_zero("net_drops", c.net_drops, 1);
    want_zero("tcp_drops", c.tcp_drops, 1);
    want_zero("drops", c.drops, 1);
    want_zero("failed", c.failed, 0);
    if (c.retransmitted != 0) text += "retransmitted=" + std::to_string(c.retransmitted) + " ";
    if (failed_connects_ != 0) text += "failed connects=" + std::to_string(failed_connects_) + " ";
    return text;
  }

 private:
  bool connect_one(stack::ConnectionId& id) {
    return stack_->connect(kPeer, kPort, closer_, {}, id) == stack::ConnectFailure::None;
  }

  bool client_;
  Instant now_ = Instant::from_ns(3'600'000'000'000);
  buf::MbufPool pool_;
  NullLink link_;
  Closer closer_;
  std::unique_ptr<stack::Stack> stack_;
  uint64_t failed_connects_ = 0;
};

}  // namespace estab::bench
