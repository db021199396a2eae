// SYN floods (RFC 4987): half-open records first, SYN cookies when they run out.
#include "support/two_stacks.h"
#include "wire/ethernet.h"
#include "wire/tcp_header.h"

namespace estab::test {
namespace {

using stack::ConnectionId;

class Cookies : public TwoStacks {
 public:
  Recorder ours{client};
  Recorder theirs{server};

  void start_with(stack::SynCookies cookies, uint32_t backlog = 16) {
    Options options;
    options.syn_cookies = cookies;
    start(options);
    ASSERT_TRUE(server->listen(kPort, theirs, backlog));
  }

  // A segment from somebody who never answers.
  void spoof(uint32_t host, uint16_t port, wire::TcpFlags flags, uint32_t seq, uint32_t ack) {
    std::array<uint8_t, 54> f{};
    wire::write_ethernet(f.data(), server_link->mac(), {{2, 6, 6, 6, 6, 6}}, wire::EtherType::Ipv4);
    const wire::Ipv4Address source(198, 18, static_cast<uint8_t>(host >> 8), static_cast<uint8_t>(host));
    wire::write_ipv4(f.data() + 14, source, server_address(), wire::kProtocolTcp, 40);
    wire::write_tcp(f.data() + 34, wire::Port(port), kPort, wire::Seq(seq), wire::Seq(ack), flags, 1000, 0);
    wire::ChecksumSum sum;
    sum.add_pseudo_header(source, server_address(), wire::kProtocolTcp, 20);
    sum.add({f.data() + 34, 20});
    store_be(f.data() + 50, sum.checksum());
    server_link->arriving().push_back(pool().copy(f));
  }
  void spoofed_syn(Random& random) {
    spoof(0x0100 + random.below(250), static_cast<uint16_t>(1024 + random.below(60000)),
          wire::TcpFlags(wire::TcpFlags::kSyn), static_cast<uint32_t>(random.next()), 0);
  }
};

TEST_F(Cookies, Flood_HonestClientsAllGetIn_AndNothingGrows) {
  start_with(stack::SynCookies::Auto);
  Random random(3);
  connect(ours);
  settle();
  for (int i = 0; i < 200; ++i) {
    for (int k = 0; k < 50; ++k) spoofed_syn(random);
    connect(ours);
    settle();
    // The backlog and what is established: nothing else is remembered.
    ASSERT_LE(server->connections(), 16u + static_cast<uint32_t>(theirs.established));
  }
  EXPECT_EQ(theirs.established, 201);
  EXPECT_EQ(ours.established, 201);
  EXPECT_GT(server->counters().cookies_sent, 9'000u);
  EXPECT_GE(server->counters().cookies_accepted, 190u);
}

TEST_F(Cookies, FloodOver_HalfOpenRecordsServeAgain) {
  start_with(stack::SynCookies::Auto);
  Random random(3);
  for (int k = 0; k < 100; ++k) spoofed_syn(random);
  settle();
  advance(Duration::seconds(200), Duration::milliseconds(250));
  EXPECT_EQ(server->connections(), 0u);
  const uint64_t sent = server->counters().cookies_sent;
  connect(ours);
  settle();
  EXPECT_EQ(theirs.established, 1);
  EXPECT_EQ(server->counters().cookies_sent, sent);
}

TEST_F(Cookies, Always_ConnectionKeepsItsOptions_AndCarriesData) {
  start_with(stack::SynCookies::Always);
  const ConnectionId id = connect(ours);
  settle();
  ASSERT_EQ(theirs.established, 1);
  const tcp::Tcb& tcb = server->find(theirs.last)->tcb;
  const tcp::Tcb& peer = client->find(id)->tcb;
  EXPECT_TRUE(tcb.timestamps);
  EXPECT_TRUE(tcb.sack);
  EXPECT_TRUE(tcb.scaling);
  EXPECT_EQ(tcb.snd.scale, peer.rcv.scale);
  EXPECT_EQ(tcb.snd.mss, 1448);
  const std::string data = bytes(200'000);
  size_t at = 0;
  for (int i = 0; i < 100 && theirs.text[theirs.last.index].size() < data.size(); ++i) {
    send_some(*client, id, data, at);
    settle();
  }
  EXPECT_TRUE(theirs.text[theirs.last.index] == data);
}

TEST_F(Cookies, ThirdAckLost_TheFirstDataBuildsTheConnection) {
  start_with(stack::SynCookies::Always);
  int from_client = 0;
  on_wire = [&] {  // ARP request, SYN, ACK: the ACK is lost
    for (auto it = server_link->arriving().begin(); it != server_link->arriving().end();) {
      it = ++from_client == 3 ? server_link->arriving().erase(it) : it + 1;
    }
  };
  const ConnectionId id = connect(ours);
  settle();
  EXPECT_EQ(theirs.established, 0);
  size_t at = 0;
  send_some(*client, id, "first words", at);
  settle();
  EXPECT_EQ(theirs.established, 1);
  EXPECT_EQ(theirs.text[theirs.last.index], "first words");
}

// The SYN goes to one host, the ACK to another with the same secret, whose clock began at another time.
TEST_F(Cookies, SharedSecret_AnotherHostCompletesTheHandshake) {
  start_with(stack::SynCookies::Always);
  on_wire = [] {};
  const ConnectionId id = connect(ours);
  for (int i = 0; i < 4 && client->find(id)->tcb.state != tcp::State::Established; ++i) {
    buf::MbufBurst burst;
    for (auto [stack, link] : {std::pair{client, client_link.get()}, std::pair{server, server_link.get()}}) {
      link->receive(burst);
      stack->receive(burst, now);
      stack->advance(now);
      stack->flush();
      if (client->find(id)->tcb.state == tcp::State::Established) break;
    }
  }
  ASSERT_EQ(client->find(id)->tcb.state, tcp::State::Established);
  client->flush();
  ASSERT_EQ(server->connections(), 0u);  // the last ACK is on the wire

  for (const bool shared : {false, true}) {
    stack::StackConfig config = server->config();
    config.secrets.isn = {11, 12};
    if (shared) config.shared_cookie_clock = Duration::seconds(-1000);
    const Instant there = now + Duration::seconds(1000);
    auto pair = device::MemoryLink::create_pair();
    stack::Stack other(config, *pair.second, pool(), there);
    Recorder accepted{server};
    ASSERT_TRUE(other.listen(kPort, accepted, 16));
    buf::MbufBurst burst;
    for (const buf::Mbuf& packet : server_link->arriving())
      pair.second->arriving().push_back(pool().copy(packet.first_segment()));
    pair.second->receive(burst);
    other.receive(burst, there);
    EXPECT_EQ(accepted.established, shared ? 1 : 0);
    if (!shared) continue;
    const tcp::Tcb& tcb = other.find(accepted.last)->tcb;
    const tcp::Tcb& peer = client->find(id)->tcb;
    EXPECT_TRUE(tcb.timestamps);
    EXPECT_EQ(tcb.snd.scale, peer.rcv.scale);
    EXPECT_GT(static_cast<int32_t>(tcb.ts_now(there) - peer.ts_recent), 0);  // or PAWS would refuse all that it sends
  }
}

// Its ACK is good, only there is no room: it must not be told that nobody is there.
TEST_F(Cookies, NoRecordForAGoodCookie_IsNotReset_AndGetsInLater) {
  Options options;
  options.syn_cookies = stack::SynCookies::Always;
  options.max_connections = 2;
  start(options);
  ASSERT_TRUE(server->listen(kPort, theirs, 16));
  const ConnectionId first = connect(ours);
  settle();
  // The server's other record goes to a connection of its own.
  stack::ConnectionId own;
  Recorder ignored{server};
  ASSERT_EQ(server->connect(wire::Ipv4Address(198, 18, 0, 9), kPort, ignored, {}, own), stack::ConnectFailure::None);
  const ConnectionId second = connect(ours);
  settle();
  EXPECT_EQ(client->find(second)->tcb.state, tcp::State::Established);  // as far as it knows
  EXPECT_EQ(theirs.established, 1);
  EXPECT_GT(server->counters().drops[static_cast<size_t>(stack::Drop::NoRecord)], 0u);
  EXPECT_EQ(server->counters().resets_sent, 0u);
  client->close(first);
  settle();
  size_t at = 0;
  send_some(*client, second, "words", at);
  advance(Duration::seconds(3));
  EXPECT_EQ(theirs.established, 2);
  EXPECT_EQ(theirs.text[theirs.last.index], "words");
  server->abort(own);
}

TEST_F(Cookies, ForgedAck_IsResetAndCounted) {
  start_with(stack::SynCookies::Always);
  spoof(0x0105, 2000, wire::TcpFlags(wire::TcpFlags::kSyn), 100, 0);
  turn();
  client_link->arriving().clear();
  for (uint32_t k = 0; k < 1000; ++k) spoof(0x0105, 2000, wire::TcpFlags(wire::TcpFlags::kAck), 101, k * 77777);
  turn();
  EXPECT_EQ(server->counters().cookies_refused, 64u);  // of the first burst
  while (!server_link->arriving().empty()) turn();
  EXPECT_EQ(server->counters().cookies_refused, 1000u);
  EXPECT_EQ(server->counters().cookies_accepted, 0u);
  EXPECT_EQ(server->connections(), 0u);
  client_link->arriving().clear();
}

TEST_F(Cookies, CookieOlderThanTwoMinutes_IsRefused) {
  start_with(stack::SynCookies::Always);
  spoof(0x0105, 2000, wire::TcpFlags(wire::TcpFlags::kSyn), 100, 0);
  turn();
  ASSERT_EQ(client_link->arriving().size(), 1u);
  const wire::Seq cookie = wire::parse_tcp(client_link->arriving()[0].first_segment().subspan(34)).seq;
  client_link->arriving().clear();
  for (int i = 0; i < 121; ++i) {
    now = now + Duration::seconds(1);
    spoof(0x0106, 2000, wire::TcpFlags(wire::TcpFlags::kSyn), 100, 0);  // others keep the cookies going
    turn();
    client_link->arriving().clear();
  }
  spoof(0x0105, 2000, wire::TcpFlags(wire::TcpFlags::kAck), 101, cookie.value() + 1);
  turn();
  EXPECT_EQ(server->counters().cookies_accepted, 0u);
  EXPECT_EQ(server->counters().cookies_refused, 1u);
  client_link->arriving().clear();
}

TEST_F(Cookies, HalfOpen_RetransmitsAndGivesUp) {
  start_with(stack::SynCookies::Auto);
  spoof(0x0105, 2000, wire::TcpFlags(wire::TcpFlags::kSyn), 100, 0);
  turn();
  EXPECT_EQ(server->connections(), 1u);
  size_t syn_acks = 0;
  for (int i = 0; i < 1500; ++i) {
    syn_acks += client_link->arriving().size();
    client_link->arriving().clear();
    now = now + Duration::milliseconds(100);
    turn();
  }
  EXPECT_EQ(syn_acks, 1u + tcp::Parameters().syn_ack_retries);
  EXPECT_EQ(server->connections(), 0u);
  EXPECT_EQ(theirs.closed, 0);
}

}  // namespace
}  // namespace estab::test
