#include "support/two_stacks.h"

namespace estab::test {
namespace {

using stack::ConnectionId;

class Connections : public TwoStacks {
 public:
  Recorder ours{client};
  Recorder theirs{server};

  void open_server(uint32_t backlog = 1024) { ASSERT_TRUE(server->listen(kPort, theirs, backlog)); }
};

TEST_F(Connections, PassiveHandshakeAndClose_AllocatesNoMbuf) {
  start();
  open_server();
  ours.do_established = [&](ConnectionId id) { client->close(id); };
  constexpr int kCount = 100;
  for (int i = 0; i < kCount; ++i) {
    connect(ours);
    settle();
  }
  EXPECT_EQ(theirs.established, kCount);
  EXPECT_EQ(ours.closed, kCount);
  EXPECT_EQ(theirs.closed, kCount);
  EXPECT_EQ(ours.errors[tcp::Error::None], kCount);
  EXPECT_EQ(server->counters().mbufs_allocated, 0u);
  EXPECT_EQ(server->counters().tx_packets, 2u * kCount + 1);  // SYN-ACK and FIN-ACK each, and one ARP reply
  EXPECT_EQ(server->counters().replies_in_place, 2u * kCount + 1);
}

TEST_F(Connections, KeepaliveTurnedOn_PeerIsGone_TimedOut_AndWithoutItNobodyAsks) {
  Options options;
  options.tcp.keepalive_idle = Duration::seconds(30);
  options.tcp.keepalive_interval = Duration::seconds(5);
  start(options);
  open_server();
  connect(ours);
  settle();
  const ConnectionId watched = theirs.last;
  connect(ours);
  settle();
  server->set_keepalive(watched, true);
  settle();
  advance(Duration::seconds(100), Duration::milliseconds(500));  // the peer answers
  EXPECT_EQ(server->counters().keepalives_sent, 3u);
  EXPECT_EQ(theirs.closed, 0);
  on_wire = [&] { client_link->arriving().clear(); };
  advance(Duration::seconds(100), Duration::milliseconds(500));
  EXPECT_EQ(server->counters().keepalives_sent, 3u + 9u);
  EXPECT_EQ(theirs.errors[tcp::Error::TimedOut], 1);
  EXPECT_EQ(server->find(watched), nullptr);
  EXPECT_EQ(server->counters().by_state[static_cast<size_t>(tcp::State::Established)], 1u);
}

TEST_F(Connections, NodelayTurnedOn_WhatNagleHeldBackGoesAtOnce) {
  start();
  open_server();
  const ConnectionId id = connect(ours);
  settle();
  on_wire = [&] { client_link->arriving().clear(); };  // no ACK comes
  for (int i = 0; i < 2; ++i) {
    size_t at = 0;
    send_some(*client, id, "words", at);
    settle();
  }
  EXPECT_EQ(theirs.text[theirs.last.index], "words");
  client->set_nodelay(id, true);
  settle();
  EXPECT_EQ(theirs.text[theirs.last.index], "wordswords");
}

TEST_F(Connections, ActiveOpenAndClose_AllocatesSynAndFinOnly) {
  start();
  open_server();
  ours.do_established = [&](ConnectionId id) { client->close(id); };
  connect(ours);
  settle();
  EXPECT_EQ(client->counters().mbufs_allocated, 3u);   // ARP request, SYN, FIN
  EXPECT_EQ(client->counters().replies_in_place, 2u);  // the handshake's ACK, and that of the FIN
}

TEST_F(Connections, TimeWait_StaysOnTheSideThatClosedFirst_ThenGoes) {
  start();
  open_server();
  ours.do_established = [&](ConnectionId id) { client->close(id); };
  connect(ours);
  settle();
  EXPECT_EQ(client->connections(), 1u);
  EXPECT_EQ(client->counters().by_state[static_cast<size_t>(tcp::State::TimeWait)], 1u);
  EXPECT_EQ(server->connections(), 0u);
  advance(Duration::milliseconds(990));
  EXPECT_EQ(client->connections(), 1u);
  advance(Duration::milliseconds(30));
  EXPECT_EQ(client->connections(), 0u);
}

TEST_F(Connections, Echo_RoundTripsEveryByte) {
  start();
  open_server();
  theirs.do_text = [&](ConnectionId id) {
    size_t at = 0;
    send_some(*server, id, theirs.text[id.index], at);
    theirs.text[id.index].clear();
  };
  const std::string data = bytes(100'000);
  size_t at = 0;
  ours.do_established = [&](ConnectionId id) { send_some(*client, id, data, at); };
  const ConnectionId id = connect(ours);
  for (int i = 0; i < 50 && ours.text[id.index].size() < data.size(); ++i) {
    settle();
    send_some(*client, id, data, at);
  }
  EXPECT_TRUE(ours.text[id.index] == data);
  client->close(id);
  advance(Duration::seconds(2));
  EXPECT_EQ(client->connections() + server->connections(), 0u);
  EXPECT_EQ(client->counters().retransmitted + server->counters().retransmitted, 0u);
}

TEST_F(Connections, SlowReader_ClosesTheWindow_AndNothingIsLost) {
  start();
  open_server();
  theirs.hold_text = true;
  const std::string data = bytes(2'000'000);
  size_t at = 0;
  const ConnectionId id = connect(ours);
  settle();
  for (int i = 0; i < 20; ++i) {
    send_some(*client, id, data, at);
    advance(Duration::milliseconds(100));
  }
  EXPECT_LT(at, data.size());
  EXPECT_EQ(client->find(id)->tcb.snd.wnd, 0u);
  theirs.hold_text = false;
  ours.do_sendable = [&](ConnectionId c) { send_some(*client, c, data, at); };
  for (int i = 0; i < 2000 && at < data.size(); ++i) {
    theirs.take(theirs.last);
    send_some(*client, id, data, at);
    advance(Duration::milliseconds(10));
  }
  theirs.take(theirs.last);
  EXPECT_TRUE(theirs.text[theirs.last.index] == data);
}

TEST_F(Connections, ClosedPort_RefusesWithRst) {
  start();
  connect(ours);
  settle();
  EXPECT_EQ(ours.errors[tcp::Error::Refused], 1);
  EXPECT_EQ(client->connections(), 0u);
}

TEST_F(Connections, DeadPeer_TimesOutAndSaysSo) {
  Options options;
  options.tcp.syn_retries = 3;
  start(options);
  open_server();
  on_wire = [&] { server_link->arriving().clear(); };
  connect(ours);
  advance(Duration::seconds(60), Duration::milliseconds(100));
  EXPECT_EQ(ours.errors[tcp::Error::TimedOut], 1);
  EXPECT_EQ(client->connections(), 0u);
}

TEST_F(Connections, Abort_ResetsThePeer) {
  start();
  open_server();
  const ConnectionId id = connect(ours);
  settle();
  client->abort(id);
  settle();
  EXPECT_EQ(ours.errors[tcp::Error::Aborted], 1);
  EXPECT_EQ(theirs.errors[tcp::Error::Reset], 1);
  EXPECT_EQ(client->connections() + server->connections(), 0u);
}

TEST_F(Connections, StaleHandle_IsRefused) {
  start();
  open_server();
  const ConnectionId old = connect(ours);
  settle();
  client->abort(old);
  settle();
  const ConnectionId fresh = connect(ours);
  settle();
  EXPECT_EQ(old.index, fresh.index);
  EXPECT_EQ(client->find(old), nullptr);
  client->abort(old);
  settle();
  EXPECT_NE(client->find(fresh), nullptr);
}

TEST_F(Connections, HalfClose_TheOtherDirectionGoesOn) {
  start();
  open_server();
  theirs.do_peer_close = [](ConnectionId) {};
  const ConnectionId id = connect(ours);
  settle();
  client->shutdown_send(id);
  settle();
  EXPECT_EQ(theirs.peer_closed, 1);
  const std::string data = bytes(5000);
  size_t at = 0;
  send_some(*server, theirs.last, data, at);
  settle();
  EXPECT_TRUE(ours.text[id.index] == data);
  server->close(theirs.last);
  settle();
  EXPECT_EQ(ours.errors[tcp::Error::None], 1);
}

TEST_F(Connections, SimultaneousClose_BothReachTimeWait) {
  start();
  open_server();
  const ConnectionId id = connect(ours);
  settle();
  client->close(id);
  server->close(theirs.last);
  settle();
  EXPECT_EQ(client->counters().by_state[static_cast<size_t>(tcp::State::TimeWait)], 1u);
  EXPECT_EQ(server->counters().by_state[static_cast<size_t>(tcp::State::TimeWait)], 1u);
  advance(Duration::seconds(2));
  EXPECT_EQ(client->connections() + server->connections(), 0u);
}

TEST_F(Connections, HalfOpenProbe_IsAnsweredWithRst_AndLeavesNothing) {
  start();
  open_server();
  connect(ours, {.probe_only = true});
  settle();
  EXPECT_EQ(ours.established, 1);
  EXPECT_EQ(ours.errors[tcp::Error::None], 1);
  EXPECT_EQ(theirs.established, 0);
  EXPECT_EQ(client->connections() + server->connections(), 0u);
}

TEST_F(Connections, CloseWithUnreadText_Resets) {
  start();
  open_server();
  theirs.hold_text = true;
  const ConnectionId id = connect(ours);
  settle();
  size_t at = 0;
  send_some(*client, id, "unread", at);
  settle();
  server->close(theirs.last);
  settle();
  EXPECT_EQ(ours.errors[tcp::Error::Reset], 1);
}

TEST_F(Connections, TimeWaitWithUnreadText_TellsTheEndWhenItIsRead) {
  start();
  open_server();
  ours.hold_text = true;
  ours.do_peer_close = [](ConnectionId) {};
  const ConnectionId id = connect(ours);
  settle();
  client->shutdown_send(id);
  theirs.do_peer_close = [&](ConnectionId c) {
    size_t at = 0;
    send_some(*server, c, "last words", at);
    server->close(c);
  };
  settle();
  EXPECT_EQ(client->find(id)->tcb.state, tcp::State::TimeWait);
  EXPECT_EQ(ours.closed, 0);
  ours.take(id);
  EXPECT_EQ(ours.text[id.index], "last words");
  settle();
  EXPECT_EQ(ours.closed, 1);
}

// The peer closes first, the user stops reading and shuts down: from CLOSE-WAIT over LAST-ACK, without TIME-WAIT.
TEST_F(Connections, LastAckWithUnreadText_TellsTheEndWhenItIsRead) {
  start();
  open_server();
  theirs.hold_text = true;
  theirs.do_peer_close = [&](ConnectionId c) { server->shutdown_send(c); };
  const ConnectionId id = connect(ours);
  settle();
  size_t at = 0;
  send_some(*client, id, "last words", at);
  client->close(id);
  settle();
  EXPECT_EQ(ours.closed, 1);
  EXPECT_EQ(theirs.closed, 0);
  theirs.take(theirs.last);
  EXPECT_EQ(theirs.text[theirs.last.index], "last words");
  settle();
  EXPECT_EQ(theirs.closed, 1);
  EXPECT_EQ(server->connections(), 0u);
}

TEST_F(Connections, TimeWaitExpiresWithUnreadText_ItCanStillBeRead) {
  start();
  open_server();
  ours.hold_text = true;
  ours.do_peer_close = [](ConnectionId) {};
  theirs.do_peer_close = [&](ConnectionId c) {
    size_t at = 0;
    send_some(*server, c, "last words", at);
    server->close(c);
  };
  const ConnectionId id = connect(ours);
  settle();
  client->shutdown_send(id);
  advance(Duration::seconds(5));
  EXPECT_EQ(ours.closed, 0);
  ours.take(id);
  EXPECT_EQ(ours.text[id.index], "last words");
  settle();
  EXPECT_EQ(ours.errors[tcp::Error::None], 1);
  EXPECT_EQ(client->connections(), 0u);
}

TEST_F(Connections, UnreadTextAfterTheEnd_CloseAndAbortLetGoOfIt) {
  for (const bool aborts : {false, true}) {
    close_all();
    start();
    open_server();
    const int before = theirs.closed;
    theirs.hold_text = true;
    theirs.do_peer_close = [&](ConnectionId c) { server->shutdown_send(c); };
    const ConnectionId id = connect(ours);
    settle();
    size_t at = 0;
    send_some(*client, id, "nobody wants this", at);
    client->close(id);
    settle();
    ASSERT_EQ(theirs.closed, before);
    aborts ? server->abort(theirs.last) : server->close(theirs.last);
    settle();
    EXPECT_EQ(theirs.closed, before + 1);
    EXPECT_EQ(server->connections(), 0u);
    EXPECT_EQ(pool().in_use(), 0u);
  }
}

TEST_F(Connections, ShutdownBeforeItIsEstablished_TextThatWasQueuedIsSaidToBeLost) {
  start();
  open_server();
  const ConnectionId id = connect(ours);
  size_t at = 0;
  send_some(*client, id, "too early", at);
  client->shutdown_send(id);
  settle();
  EXPECT_EQ(ours.errors[tcp::Error::Aborted], 1);
}

}  // namespace
}  // namespace estab::test
