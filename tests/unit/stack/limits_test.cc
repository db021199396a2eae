// What happens when something runs out: counted, and recovered from.
#include "support/two_stacks.h"

namespace estab::test {
namespace {

using stack::ConnectionId;

class Limits : public TwoStacks {
 public:
  Recorder ours{client};
  Recorder theirs{server};

  uint64_t dropped(stack::Drop why) const { return server->counters().drops[static_cast<size_t>(why)]; }
};

TEST_F(Limits, BacklogFullWithoutCookies_SynIsDroppedAndCounted_AndThePortRecovers) {
  Options options;
  options.syn_cookies = stack::SynCookies::Never;
  start(options);
  ASSERT_TRUE(server->listen(kPort, theirs, 4));
  connect(ours);
  settle();
  on_wire = [&] { client_link->arriving().clear(); };  // no SYN-ACK arrives
  for (int i = 0; i < 10; ++i) connect(ours);
  settle();
  EXPECT_EQ(server->counters().by_state[static_cast<size_t>(tcp::State::SynReceived)], 4u);
  EXPECT_EQ(dropped(stack::Drop::BacklogFull), 6u);
  on_wire = nullptr;
  advance(Duration::seconds(20), Duration::milliseconds(50));
  EXPECT_EQ(theirs.established, 11);
}

TEST_F(Limits, NoRecordLeft_SynIsDroppedAndCounted_EstablishedOnesStay) {
  Options options;
  options.max_connections = 8;
  start(options);
  ASSERT_TRUE(server->listen(kPort, theirs, 100));
  for (int i = 0; i < 8; ++i) connect(ours);
  settle();
  EXPECT_EQ(theirs.established, 8);
  ConnectionId id;
  EXPECT_EQ(client->connect(server_address(), kPort, ours, {}, id), stack::ConnectFailure::NoRecord);
  EXPECT_EQ(server->connections(), 8u);
}

TEST_F(Limits, FullDevice_PacketsAreCountedAndSentAgain) {
  start();
  ASSERT_TRUE(server->listen(kPort, theirs, 100));
  connect(ours);
  settle();
  server_link->set_room(0);
  for (int i = 0; i < 5; ++i) connect(ours);
  settle();
  EXPECT_EQ(theirs.established, 1);
  EXPECT_GT(dropped(stack::Drop::TransmitFull), 0u);
  server_link->set_room(UINT16_MAX);
  advance(Duration::seconds(10), Duration::milliseconds(50));
  EXPECT_EQ(theirs.established, 6);
}

TEST_F(Limits, NoMbufs_ConnectionsSurviveAndGoOnWhenThereAreSomeAgain) {
  Options options;
  options.mbufs = 1023;
  start(options);
  ASSERT_TRUE(server->listen(kPort, theirs, 100));
  const ConnectionId id = connect(ours);
  settle();
  std::vector<buf::Mbuf> hoard;
  for (;;) {
    buf::Mbuf taken = pool().allocate();
    if (!taken) break;
    hoard.push_back(std::move(taken));
  }
  hoard.pop_back();  // for the bytes themselves
  size_t at = 0;
  send_some(*client, id, "hello", at);
  settle();
  EXPECT_EQ(at, 5u);
  EXPECT_GT(client->counters().drops[static_cast<size_t>(stack::Drop::NoMbuf)], 0u);
  hoard.clear();
  advance(Duration::seconds(5), Duration::milliseconds(50));
  EXPECT_EQ(theirs.text[theirs.last.index], "hello");
}

TEST_F(Limits, ByteByByteToOneWhoDoesNotRead_PinsFewMbufs) {
  Options options;
  options.tcp.nagle = false;
  start(options);
  ASSERT_TRUE(server->listen(kPort, theirs, 100));
  theirs.hold_text = true;
  const ConnectionId id = connect(ours);
  settle();
  const uint32_t before = pool().in_use();
  for (int i = 0; i < 10'000; ++i) {
    size_t at = 0;
    send_some(*client, id, "x", at);
    settle();
  }
  EXPECT_LT(pool().in_use() - before, 20u);
  theirs.take(theirs.last);
  EXPECT_EQ(theirs.text[theirs.last.index], std::string(10'000, 'x'));
}

TEST_F(Limits, HolesOfManyConnections_AreBoundedTogether_AndAllArrivesInTheEnd) {
  Options options;
  options.mbufs = 2047;  // so 255 pieces
  start(options);
  ASSERT_TRUE(server->listen(kPort, theirs, 100));
  constexpr int kConnections = 40;
  std::vector<ConnectionId> ids;
  for (int i = 0; i < kConnections; ++i) ids.push_back(connect(ours));
  settle();
  // The first segment of each never arrives: what follows it has to be held.
  std::map<uint16_t, uint32_t> first;
  on_wire = [&] {
    std::erase_if(server_link->arriving(), [&](const buf::Mbuf& packet) {
      if (packet.length() < 1000) return false;
      const uint8_t* tcp = packet.data() + 34;
      return first.try_emplace(load_be<uint16_t>(tcp), load_be<uint32_t>(tcp + 4)).first->second ==
             load_be<uint32_t>(tcp + 4);
    });
  };
  const std::string data = bytes(14'000);
  for (const ConnectionId id : ids) {
    size_t at = 0;
    send_some(*client, id, data, at);
    settle();
  }
  EXPECT_EQ(first.size(), static_cast<size_t>(kConnections));
  EXPECT_GT(dropped(stack::Drop::HoldFull), 50u);
  on_wire = nullptr;
  advance(Duration::seconds(30), Duration::milliseconds(100));
  EXPECT_EQ(theirs.text.size(), static_cast<size_t>(kConnections));
  for (const auto& [index, text] : theirs.text) EXPECT_TRUE(text == data);
}

// A FIN alone beyond a hole pins no mbuf, but what remembers it is bounded too.
TEST_F(Limits, BareFinsBeyondHoles_AreBoundedTogether_AndAllCloseInTheEnd) {
  Options options;
  options.mbufs = 1023;  // so 127 holes
  start(options);
  ASSERT_TRUE(server->listen(kPort, theirs, 300));
  constexpr int kConnections = 200;
  std::vector<ConnectionId> ids;
  for (int i = 0; i < kConnections; ++i) ids.push_back(connect(ours));
  settle();
  ASSERT_EQ(theirs.established, kConnections);
  on_wire = [&] {  // of what follows, only FINs without text arrive
    std::erase_if(server_link->arriving(), [](const buf::Mbuf& packet) { return packet.length() > 100; });
  };
  const std::string data = bytes(1'448);
  for (const ConnectionId id : ids) {
    size_t at = 0;
    send_some(*client, id, data, at);
    settle();
    client->shutdown_send(id);
    settle();
  }
  EXPECT_EQ(dropped(stack::Drop::HoldFull), static_cast<uint64_t>(kConnections - 127));
  EXPECT_EQ(theirs.peer_closed, 0);
  on_wire = nullptr;
  advance(Duration::seconds(20), Duration::milliseconds(100));
  EXPECT_EQ(theirs.peer_closed, kConnections);
  EXPECT_EQ(server->connections(), 0u);
}

TEST_F(Limits, TimeWaitOfMonths_IsNotOverAtOnce) {
  Options options;
  options.tcp.time_wait = Duration::seconds(60LL * 24 * 3600);
  start(options);
  ASSERT_TRUE(server->listen(kPort, theirs, 100));
  const ConnectionId id = connect(ours);
  settle();
  client->close(id);
  settle();
  advance(Duration::seconds(10), Duration::milliseconds(500));
  EXPECT_EQ(client->counters().by_state[static_cast<size_t>(tcp::State::TimeWait)], 1u);
}

TEST_F(Limits, MbufsScarce_NewConnectionsAreRefused_ThoseThatStandGoOn) {
  for (const auto cookies : {stack::SynCookies::Auto, stack::SynCookies::Always}) {
    Options options;
    options.mbufs = 1023;
    options.syn_cookies = cookies;
    start(options);
    ASSERT_TRUE(server->listen(kPort, theirs, 100));
    theirs.established = 0;
    const ConnectionId first = connect(ours);
    settle();
    ASSERT_EQ(theirs.established, 1);
    std::vector<buf::Mbuf> hoard;
    while (pool().size() - pool().in_use() > 40) hoard.push_back(pool().allocate());
    now = now + Duration::milliseconds(1);
    settle();
    connect(ours);
    settle();
    EXPECT_EQ(theirs.established, 1);
    EXPECT_GT(dropped(stack::Drop::LowOnMbufs), 0u);
    const std::string data = bytes(3'000);
    size_t at = 0;
    theirs.text.clear();
    send_some(*client, first, data, at);
    settle();
    EXPECT_TRUE(theirs.text[theirs.last.index] == data);
    hoard.clear();
    advance(Duration::seconds(5), Duration::milliseconds(100));  // the SYN comes again
    EXPECT_EQ(theirs.established, 2);
    close_all();
  }
}

TEST_F(Limits, ManyHoles_InOrderTextIsNeverRefused) {
  start();
  ASSERT_TRUE(server->listen(kPort, theirs, 100));
  const ConnectionId id = connect(ours);
  settle();
  // Every other segment is lost the first time.
  Random random(7);
  const std::string data = bytes(600'000);
  size_t at = 0;
  int count = 0;
  on_wire = [&] {
    auto& arriving = server_link->arriving();
    for (auto it = arriving.begin(); it != arriving.end();)
      it = (it->length() > 1000 && ++count % 2 == 0) ? arriving.erase(it) : it + 1;
  };
  for (int i = 0; i < 3000 && theirs.text[theirs.last.index].size() < data.size(); ++i) {
    send_some(*client, id, data, at);
    advance(Duration::milliseconds(50), Duration::milliseconds(50));
    if (i > 200) on_wire = nullptr;
  }
  EXPECT_TRUE(theirs.text[theirs.last.index] == data);
}

}  // namespace
}  // namespace estab::test
