// A whole stack: frames that fit its connections and frames that fit nothing, the user's calls, time. At the end of
// each input no connection and no mbuf is left.
#include "stack/stack.h"

#include <algorithm>
#include <numeric>

#include "device/memory_link.h"
#include "fuzz/mbufs.h"
#include "fuzz/stack_peer.h"
#include "support/tcp_invariants.h"

using namespace estab;
using fuzz::must;

namespace {

constexpr uint32_t kMbufs = 192;
constexpr int kEvents = 64;

// Does what its manners say; they are the input's.
class User final : public stack::Handler {
 public:
  explicit User(stack::Stack*& stack, buf::MbufPool& pool) : stack_(stack), pool_(pool) {}

  void on_established(stack::ConnectionId id) override {
    must(stack_->find(id) != nullptr, "what is told of is there");
    if ((manners & 1) != 0) say(id, 700);
    if ((manners & 2) != 0) stack_->abort(id);
  }
  void on_text(stack::ConnectionId id) override {
    if ((manners & 4) != 0) return;  // does not read
    buf::Mbuf text = stack_->take_received(id);
    if ((manners & 8) != 0 && text) stack_->send(id, text);  // echo
    if ((manners & 16) != 0) stack_->close(id);
  }
  void on_sendable(stack::ConnectionId id) override { say(id, 100); }
  void on_peer_close(stack::ConnectionId id) override {
    if ((manners & 32) == 0) stack_->close(id);
  }
  void on_close(stack::ConnectionId id, tcp::Error) override {
    if ((manners & 64) != 0) stack_->close(id);
  }

  void say(stack::ConnectionId id, size_t n) {
    static constexpr std::array<uint8_t, 4'000> kText{};
    buf::Mbuf text = pool_.copy(std::span(kText).first(std::min(n, kText.size())));
    if (text) stack_->send(id, text);
  }

  uint8_t manners = 0;

 private:
  stack::Stack*& stack_;
  buf::MbufPool& pool_;
};

class World {
 public:
  explicit World(fuzz::Input& input) : input_(input), pool_(fuzz::mbufs(kMbufs)), user_(stack_, pool_) {
    auto pair = device::MemoryLink::create_pair();
    link_ = std::move(pair.first);
    peers_link_ = std::move(pair.second);
    owner_ = std::make_unique<stack::Stack>(config(), *link_, pool_, now_);
    stack_ = owner_.get();
    user_.manners = input_.u8();
    stack_->listen(fuzz::kPort, user_, 2);
  }

  void play() {
    for (int i = 0; i < kEvents && !input_.empty(); ++i) {
      const uint8_t what = input_.u8();
      event(what & 0x0f);
      if ((what & 0x80) == 0) turn();  // else it comes in one burst with what follows
    }
    turn();
  }

  void end() {
    user_.manners = 0;
    link_->set_room(UINT16_MAX);
    const bool abort = input_.flag();
    for (int i = 0; i < 80 && (stack_->connections() > 0 || pool_.in_use() > 0); ++i) {
      stack_->for_each_connection([&](stack::ConnectionId id) {
        stack_->take_received(id);
        abort ? stack_->abort(id) : stack_->close(id);
      });
      now_ = now_ + Duration::milliseconds(500);
      turn();
    }
    must(stack_->connections() == 0, "no connection is left");
    must(pool_.in_use() == 0, "no mbuf is left");
  }

 private:
  stack::StackConfig config() {
    const uint8_t how = input_.u8();
    stack::StackConfig c;
    c.interface.mac = link_->mac();
    c.interface.address = fuzz::kOurAddress;
    if ((how & 1) != 0) c.interface.gateway = wire::Ipv4Address(198, 18, 0, 3);
    c.tcp.timestamps = (how & 2) == 0;
    c.tcp.sack = (how & 4) == 0;
    c.tcp.nagle = (how & 8) == 0;
    if ((how & 16) != 0) c.tcp.receive_buffer = 4'000;
    c.max_connections = (how & 32) != 0 ? 3 : 16;
    c.syn_cookies = (how & 64) == 0    ? stack::SynCookies::Auto
                    : (how & 128) == 0 ? stack::SynCookies::Always
                                       : stack::SynCookies::Never;
    c.tcp.keepalive = (how & 192) == 128;
    c.tcp.keepalive_idle = Duration::seconds(2);
    c.tcp.keepalive_interval = Duration::seconds(1);
    c.tcp.keepalive_probes = 2;
    c.tcp.zero_window_limit = Duration::seconds(10);
    c.send_buffer = 8'000;
    c.challenge_acks = 10;
    c.stray_resets = 10;
    // So that every connection ends soon.
    c.tcp.max_rto = Duration::seconds(2);
    c.tcp.syn_retries = c.tcp.syn_ack_retries = c.tcp.data_retries = 2;
    c.tcp.time_wait = c.tcp.fin_wait_2_timeout = Duration::seconds(1);
    c.secrets = {{1, 2}, {3, 4}, {5, 6}, {7, 8}};
    return c;
  }

  uint32_t now_ms() const { return static_cast<uint32_t>(now_.ms()); }

  void event(uint8_t what) {
    switch (what) {
      case 0:
        return raw_frame();
      case 1:
        return arrives(peer_.arp(input_));
      case 2:
        if (input_.flag()) return arrives(peer_.icmp_error(peer_.flow(input_), input_));
        return arrives(peer_.datagram(input_, wire::kProtocolIcmp));
      case 3:
        return arrives(peer_.datagram(input_, input_.u8()));
      case 4:
        return user_calls();
      case 5:
        return time_passes();
      case 6:
        return odd_things();
      case 7:
      case 8: {
        fuzz::Flow& flow = peer_.flow(input_);
        arrives(peer_.syn(flow, input_, now_ms()));
        turn();
        return arrives(peer_.ack(flow, now_ms()));
      }
      case 9:
        return arrives(peer_.syn(peer_.flow(input_), input_, now_ms()));
      case 10:
        return changed_frame();
      default:
        return arrives(peer_.segment(peer_.flow(input_), input_, now_ms()));
    }
  }

  // Bytes without sense; half of them at least for our MAC address.
  void raw_frame() {
    const uint8_t how = input_.u8();
    const auto bytes = input_.take(input_.u8());
    std::vector<uint8_t> frame(bytes.begin(), bytes.end());
    if ((how & 1) != 0 && frame.size() >= 6) wire::store_mac(frame.data(), fuzz::kOurMac);
    arrives(frame);
  }

  // A segment that fits, but for one byte of it, its end, or how it lies in memory.
  void changed_frame() {
    std::vector<uint8_t> frame = peer_.segment(peer_.flow(input_), input_, now_ms());
    const uint8_t how = input_.u8();
    if ((how & 1) != 0) frame[input_.u8() % frame.size()] = input_.u8();
    if ((how & 2) != 0) frame.resize(input_.u8() % (frame.size() + 1));
    if ((how & 4) != 0) frame.resize(frame.size() + input_.u8());
    if ((how & 8) != 0 && frame.size() >= wire::kEthernetHeaderSize) {  // a priority tag
      const std::array<uint8_t, 4> tag = {0x81, 0, input_.u8(), 0};
      frame.insert(frame.begin() + 12, tag.begin(), tag.end());
    }
    (how & 16) != 0 ? arrives_in_two(frame, input_.u8() % (frame.size() + 1)) : arrives(frame);
  }

  void arrives(std::span<const uint8_t> frame) {
    if (buf::Mbuf packet = pool_.copy(frame)) link_->arriving().push_back(std::move(packet));
  }

  void arrives_in_two(std::span<const uint8_t> frame, size_t split) {
    buf::Mbuf packet = pool_.copy(frame.first(split));
    buf::Mbuf rest = pool_.copy(frame.subspan(split));
    if (!packet || !rest || packet.get()->nb_segs != 1) return;
    rte_pktmbuf_chain(packet.get(), rest.release());
    link_->arriving().push_back(std::move(packet));
  }

  void user_calls() {
    const uint8_t which = input_.u8();
    const uint32_t n = input_.u8();
    uint32_t i = 0;
    switch (which & 7) {
      case 0: {
        stack::ConnectionId id;
        stack::ConnectOptions options;
        options.probe_only = (which & 8) != 0;
        // Neighbours that answer, that do not, and hosts behind a gateway.
        const wire::Ipv4Address remote =
            (which & 16) != 0 ? wire::Ipv4Address(input_.u32()) : wire::Ipv4Address(fuzz::kPeerAddress.value() + n % 4);
        stack_->connect(remote, wire::Port(80), user_, options, id);
        return;
      }
      case 1:
        user_.manners = static_cast<uint8_t>(n);
        return;
      default:
        stack_->for_each_connection([&](stack::ConnectionId id) {
          if (i++ == n % 8) user_call(id, which);
        });
        return;
    }
  }

  void user_call(stack::ConnectionId id, uint8_t which) {
    switch (which & 7) {
      case 2:
        return stack_->close(id);
      case 3:
        return stack_->shutdown_send(id);
      case 4:
        return stack_->abort(id);
      case 5:
        stack_->take_received(id).reset();
        return;
      case 6:
        stack_->set_keepalive(id, (which & 8) != 0);
        return stack_->set_nodelay(id, (which & 16) != 0);
      default:
        return user_.say(id, size_t{16} * (which >> 1));
    }
  }

  void time_passes() {
    constexpr int64_t kMilliseconds[] = {1, 10, 200, 250, 1'000, 2'500};
    const uint32_t which = input_.below(8);
    if (which < std::size(kMilliseconds)) {
      now_ = now_ + Duration::milliseconds(kMilliseconds[which]);
    } else if (const Instant deadline = stack_->next_deadline(); deadline < now_ + Duration::seconds(5)) {
      now_ = std::max(now_, deadline);
    } else if (stack_->connections() == 0) {
      now_ = now_ + Duration::seconds(25LL * 24 * 3'600);
      stack_->advance(now_);  // as an idle worker does: with a connection it would take a step a millisecond
    }
  }

  void odd_things() {
    switch (input_.below(3)) {
      case 0:
        return link_->set_room(static_cast<uint16_t>(input_.below(3)));
      case 1:
        return link_->set_room(UINT16_MAX);
      default:
        if (!stack_->listen(fuzz::kPort, user_, 2)) stack_->stop_listening(fuzz::kPort);
        return;
    }
  }

  // What is on the wire arrives; what is sent is seen.
  void turn() {
    do {
      buf::MbufBurst burst;
      link_->receive(burst);
      if (burst.size() > 0) stack_->receive(burst, now_);
      stack_->advance(now_);
      stack_->flush();
      for (auto& sent = peers_link_->arriving(); !sent.empty(); sent.pop_front()) peer_.sees(sent.front().get());
    } while (!link_->arriving().empty());
    check();
  }

  void check() {
    const auto& by_state = stack_->counters().by_state;
    must(std::accumulate(by_state.begin(), by_state.end(), uint64_t{0}) == stack_->connections(),
         "every connection is counted in its state");
    stack_->for_each_connection([&](stack::ConnectionId id) {
      const char* const broken = tcp::broken_invariant(stack_->find(id)->tcb);
      if (broken != nullptr) must(false, broken);
    });
  }

  fuzz::Input& input_;
  buf::MbufPool& pool_;
  Instant now_ = Instant::from_ns(3'600'000'000'000);
  std::unique_ptr<device::MemoryLink> link_, peers_link_;
  stack::Stack* stack_ = nullptr;
  User user_;
  std::unique_ptr<stack::Stack> owner_;
  fuzz::StackPeer peer_;
};

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  fuzz::mbufs(kMbufs);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 1024) return 0;
  fuzz::Input input(data, size);
  World world(input);
  world.play();
  world.end();
  return 0;
}
