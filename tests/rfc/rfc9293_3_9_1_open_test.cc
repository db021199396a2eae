// RFC 9293 §3.9.1.1 (OPEN) and §3.5 as the shell carries them out: listeners, addresses, simultaneous open.
#include "rfc/one_stack.h"

namespace estab::test {
namespace {

using stack::ConnectFailure;
using stack::ConnectionId;

using Rfc9293_3_5_Must10 = OneStack;
using Rfc9293_3_9_1_1_Must41 = OneStack;
using Rfc9293_3_9_1_1_Must42 = OneStack;
using Rfc9293_3_9_1_1_Must43 = OneStack;
using Rfc9293_3_9_1_1_Must44 = OneStack;
using Rfc9293_3_9_1_1_Must45 = OneStack;
using Rfc9293_3_9_1_1_Must46 = OneStack;

stack::StackConfig with_addresses(uint32_t count) {
  auto config = OneStack::plain_config();
  config.interface.addresses = count;
  return config;
}
Sending answer_to(const Seen& seen, int flags) {
  return {.destination = seen.ip.source,
          .source_port = seen.tcp.destination,
          .destination_port = seen.tcp.source,
          .ack = seen.tcp.seq + 1,
          .flags = flags};
}

TEST_F(Rfc9293_3_5_Must10, SynSent_SynCrosses_SynAckThenEstablished) {
  start();
  ConnectionId id;
  const Seen syn = connect(id);
  Sending theirs = answer_to(syn, kSyn);
  theirs.ack = wire::Seq(0);
  const auto syn_ack = give(theirs);
  ASSERT_EQ(syn_ack.size(), 1u);
  EXPECT_TRUE(syn_ack[0].is(kSyn | kAck));
  EXPECT_EQ(syn_ack[0].tcp.seq, syn.tcp.seq);
  EXPECT_EQ(states(tcp::State::SynReceived), 1u);
  give(answer_to(syn, kSyn | kAck));
  EXPECT_EQ(user.established, 1);
  EXPECT_EQ(states(tcp::State::Established), 1u);
}

TEST_F(Rfc9293_3_9_1_1_Must41, PortHasAListener_RefusedAndTheFirstOneServesOn) {
  start();
  ASSERT_TRUE(stack->listen(kServed, user, 8));
  Sending s = established();
  give({.source_port = wire::Port(40'001), .flags = kSyn});
  Recorder other{stack};
  EXPECT_FALSE(stack->listen(kServed, other, 1));
  EXPECT_TRUE(stack->listen(wire::Port(8), other, 1));
  EXPECT_EQ(states(tcp::State::Established), 1u);
  EXPECT_EQ(states(tcp::State::SynReceived), 1u);
  s.text = "text";
  give(s);
  EXPECT_EQ(user.text[user.last.index], "text");
  EXPECT_EQ(other.established, 0);
}

TEST_F(Rfc9293_3_9_1_1_Must42, SynSentFromThatPort_ListenWorks) {
  start();
  ConnectionId id;
  const Seen syn = connect(id);
  Recorder server{stack};
  ASSERT_TRUE(stack->listen(syn.tcp.source, server, 8));
  EXPECT_EQ(states(tcp::State::SynSent), 1u);
  established({.destination_port = syn.tcp.source});
  EXPECT_EQ(server.established, 1);
  EXPECT_EQ(states(tcp::State::SynSent), 1u);
}

TEST_F(Rfc9293_3_9_1_1_Must42, SynReceivedOnThatPort_ListensOn) {
  start();
  ASSERT_TRUE(stack->listen(kServed, user, 8));
  give({.source_port = wire::Port(40'001), .flags = kSyn});
  EXPECT_EQ(states(tcp::State::SynReceived), 1u);
  established();
  EXPECT_EQ(user.established, 1);
  EXPECT_EQ(states(tcp::State::SynReceived), 1u);
}

// Of the stack: the library's own connect() has no such parameter (docs/rfc9293.md).
TEST_F(Rfc9293_3_9_1_1_Must43, LocalAddressGiven_SynComesFromIt) {
  start(with_addresses(4));
  for (const uint8_t last : std::initializer_list<uint8_t>{5, 3, 5}) {
    ConnectionId id;
    EXPECT_EQ(connect(id, {.local = wire::Ipv4Address(198, 18, 0, last)}).ip.source,
              wire::Ipv4Address(198, 18, 0, last));
  }
}

TEST_F(Rfc9293_3_9_1_1_Must44, NoLocalAddressGiven_OneOfTheInterface) {
  start(with_addresses(4));
  for (int i = 0; i < 6; ++i) {
    ConnectionId id;
    EXPECT_TRUE(stack->config().interface.is_ours(connect(id).ip.source));
  }
}

TEST_F(Rfc9293_3_9_1_1_Must45, SynToTheThirdAddress_AllAnswersComeFromIt) {
  start(with_addresses(4));
  ASSERT_TRUE(stack->listen(kServed, user, 8));
  constexpr wire::Ipv4Address kThird(198, 18, 0, 4);
  const auto syn_ack = give({.destination = kThird, .flags = kSyn});
  ASSERT_EQ(syn_ack.size(), 1u);
  EXPECT_EQ(syn_ack[0].ip.source, kThird);
  Sending s = answer_to(syn_ack[0], kAck);
  s.seq = wire::Seq(5001);
  give(s);
  send_text(user.last, "text");
  stack->shutdown_send(user.last);
  auto sent = turn();
  for (const Seen& again : advance(Duration::seconds(2))) sent.push_back(again);
  EXPECT_GE(sent.size(), 2u);
  for (const Seen& seen : sent) EXPECT_EQ(seen.ip.source, kThird);
}

TEST_F(Rfc9293_3_9_1_1_Must45, ActiveOpen_LaterSegmentsComeFromTheSynsAddress) {
  start(with_addresses(4));
  ConnectionId id;
  connect(id);
  const Seen syn = connect(id);
  const auto ack = give(answer_to(syn, kSyn | kAck));
  ASSERT_EQ(ack.size(), 1u);
  EXPECT_EQ(ack[0].ip.source, syn.ip.source);
}

TEST_F(Rfc9293_3_9_1_1_Must46, InvalidRemoteAddress_OpenIsRefused) {
  auto config = plain_config();
  config.interface.gateway = wire::Ipv4Address(198, 18, 0, 1);
  start(config);
  const wire::Ipv4Address invalid[] = {{0, 0, 0, 0},   {127, 0, 0, 1},       {224, 0, 0, 1},
                                       {239, 1, 2, 3}, {255, 255, 255, 255}, {198, 18, 0, 255}};
  for (const wire::Ipv4Address remote : invalid) {
    ConnectionId id;
    EXPECT_NE(stack->connect(remote, kServed, user, {}, id), ConnectFailure::None) << remote.value();
  }
  EXPECT_TRUE(turn().empty());
  EXPECT_EQ(stack->connections(), 0u);
}

}  // namespace
}  // namespace estab::test
