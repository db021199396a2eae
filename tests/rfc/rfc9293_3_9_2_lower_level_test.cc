// RFC 9293 §3.9.2: what IPv4 and ICMP hand up; and what of §3.6.1, §3.8.3 and §3.10.7.4 shows only on the wire.
#include "rfc/one_stack.h"

namespace estab::test {
namespace {

using stack::ConnectionId;

using Rfc9293_3_6_1_May2 = OneStack;
using Rfc9293_3_8_3_Shld10 = OneStack;
using Rfc9293_3_9_2_Must50 = OneStack;
using Rfc9293_3_9_2_3_Must57 = OneStack;
using Rfc9293_3_9_2_3_Must63 = OneStack;
using Rfc9293_3_10_7_4_Must59 = OneStack;

class Icmp : public OneStack {
 public:
  // An ICMP error that quotes the first bytes of what we sent.
  Bytes error(wire::IcmpType type, uint8_t code, const Seen& about) const {
    Bytes f(14 + 20 + 8 + 28);
    wire::write_ethernet(f.data(), wire::MacAddress{{2, 0, 0, 0, 0, 2}}, kRemoteMac, wire::EtherType::Ipv4);
    wire::write_ipv4(f.data() + 14, wire::Ipv4Address(198, 18, 0, 1), kLocal, wire::kProtocolIcmp, 56);
    f[34] = static_cast<uint8_t>(type);
    f[35] = code;
    std::copy_n(about.datagram.begin(), 28, f.begin() + 42);
    wire::ChecksumSum sum;
    sum.add({f.data() + 34, 36});
    store_be(f.data() + 36, sum.checksum());
    return f;
  }
  // In ESTABLISHED, SYN-RECEIVED and SYN-SENT: not answered, nobody is closed. `noted`: by the connections that a user
  // knows.
  void expect_harmless(wire::IcmpType type, uint8_t code, bool noted) {
    const uint64_t ignored = dropped(net::Drop::IcmpIgnored);
    const uint64_t believed = stack->counters().icmp_errors;
    ASSERT_EQ(dropped(net::Drop::IcmpMalformed), 0u);
    for (const Seen& about : sent_) EXPECT_TRUE(give_frame(error(type, code, about)).empty());
    EXPECT_EQ(stack->counters().icmp_errors, believed + (noted ? 2 : 0)) << int{code};
    EXPECT_EQ(dropped(net::Drop::IcmpIgnored), ignored + (noted ? 1 : 3)) << int{code};
    EXPECT_EQ(user.closed, 0);
    EXPECT_EQ(stack->connections(), 3u);
  }
  void start_three() {
    start();
    ASSERT_TRUE(stack->listen(kServed, user, 8));
    Sending s = established();
    send_text(user.last, "text");
    for (const Seen& seen : turn()) sent_.push_back(seen);
    for (const Seen& seen : give({.source_port = wire::Port(40'001), .flags = kSyn})) sent_.push_back(seen);
    ConnectionId id;
    sent_.push_back(connect(id));
    ASSERT_EQ(sent_.size(), 3u);
  }

 private:
  std::vector<Seen> sent_;
};
using Rfc9293_3_9_2_2_Must55 = Icmp;
using Rfc9293_3_9_2_2_Must54 = Icmp;
using Rfc9293_3_9_2_2_Must56 = Icmp;
using Rfc5927_4_1 = Icmp;

// (1) of the conditions: the new incarnation's numbers lie beyond the old one's.
TEST_F(Rfc9293_3_6_1_May2, TimeWait_NewSyn_ReopenedWithLargerNumbers) {
  start();
  ASSERT_TRUE(stack->listen(kServed, user, 8));
  Sending s = established();
  const std::string text(50'000, 'x');  // more than the ISN's clock moves by in the meantime
  size_t at = 0;
  while (at < text.size()) {
    send_text(user.last, text.substr(at, 5'000));
    at += 5'000;
    for (const Seen& seen : turn()) s.ack = seen.tcp.seq + static_cast<uint32_t>(seen.text);
    give(s);
  }
  stack->close(user.last);
  const auto fin = turn();
  ASSERT_EQ(fin.size(), 1u);
  s.ack = fin[0].tcp.seq + 1;
  s.flags = kFin | kAck;
  give(s);
  ASSERT_EQ(states(tcp::State::TimeWait), 1u);
  s.flags = kSyn;
  const wire::Seq old = s.ack;
  s.seq = s.seq + 100'000;
  s.ack = wire::Seq(0);
  const auto syn_ack = give(s);
  ASSERT_EQ(syn_ack.size(), 1u);
  EXPECT_TRUE(syn_ack[0].is(kSyn | kAck));
  EXPECT_TRUE(old < syn_ack[0].tcp.seq);
  EXPECT_EQ(states(tcp::State::TimeWait), 0u);
}

// The advice to IP at R1: who is the next hop? (RFC 1122 §3.3.1.4)
TEST_F(Rfc9293_3_8_3_Shld10, TextUnanswered_NextHopIsDoubtedAtTheThirdRetransmission) {
  start();
  ConnectionId id;
  const Seen syn = connect(id);
  Sending s{.destination = syn.ip.source,
            .source_port = kServed,
            .destination_port = syn.tcp.source,
            .ack = syn.tcp.seq + 1,
            .flags = kSyn | kAck};
  give(s);
  ASSERT_EQ(user.established, 1);
  advance(Duration::seconds(61));  // what ARP told is old now
  ASSERT_EQ(arp_requests, 0);
  send_text(id, "text");
  EXPECT_EQ(turn().size(), 1u);
  for (int retransmissions = 0; retransmissions < 3;) {
    EXPECT_EQ(arp_requests, 0) << retransmissions;
    retransmissions += static_cast<int>(advance(Duration::milliseconds(50)).size());
  }
  EXPECT_EQ(arp_requests, 1);
}

// Router alert, record route, timestamp, a loose source route, one that nobody knows.
TEST_F(Rfc9293_3_9_2_Must50, Ipv4Options_SegmentTakenAllTheSame) {
  const Bytes lists[] = {{0x94, 4, 0, 0},
                         {7, 7, 4, 0, 0, 0, 0, 0},
                         {68, 8, 9, 0, 0, 0, 0, 0},
                         {131, 7, 8, 198, 18, 0, 77, 0},
                         {0xde, 4, 1, 2}};
  start();
  ASSERT_TRUE(stack->listen(kServed, user, 8));
  uint16_t port = 41'000;
  for (const Bytes& list : lists) {
    const auto syn_ack = give({.source_port = wire::Port(++port), .flags = kSyn, .ip_options = list});
    ASSERT_EQ(syn_ack.size(), 1u) << int{list[0]};
    Sending s{.source_port = wire::Port(port),
              .seq = wire::Seq(5001),
              .ack = syn_ack[0].tcp.seq + 1,
              .flags = kAck,
              .text = "text",
              .ip_options = list};
    give(s);
    EXPECT_EQ(user.text[user.last.index], "text") << int{list[0]};
  }
}

TEST_F(Rfc9293_3_9_2_2_Must55, SourceQuench_SilentlyDiscarded) {
  start_three();
  expect_harmless(wire::IcmpType::SourceQuench, 0, false);
}

TEST_F(Rfc9293_3_9_2_2_Must56, DestinationUnreachable_NetHostOrRoute_ConnectionLives) {
  constexpr uint8_t kCodes[] = {0, 1, 5};
  start_three();
  for (const uint8_t code : kCodes) expect_harmless(wire::IcmpType::DestinationUnreachable, code, true);
}

TEST_F(Rfc9293_3_9_2_2_Must56, TimeExceeded_ConnectionLives) {
  constexpr uint8_t kCodes[] = {0, 1};
  start_three();
  for (const uint8_t code : kCodes) expect_harmless(wire::IcmpType::TimeExceeded, code, true);
}

TEST_F(Rfc9293_3_9_2_2_Must56, ParameterProblem_ConnectionLives) {
  start_three();
  expect_harmless(wire::IcmpType::ParameterProblem, 0, true);
}

TEST_F(Rfc5927_4_1, WrongSequenceNumber_DroppedAndCounted) {
  start();
  ConnectionId id;
  Seen about = connect(id);
  store_be(about.datagram.data() + 24, about.tcp.seq.value() + 1);
  EXPECT_TRUE(give_frame(error(wire::IcmpType::DestinationUnreachable, 3, about)).empty());
  EXPECT_EQ(user.closed, 0);
  EXPECT_EQ(stack->counters().icmp_errors, 0u);
  EXPECT_EQ(stack->counters().tcp_drops[static_cast<size_t>(tcp::Drop::IcmpNotInFlight)], 1u);
}

TEST_F(Rfc9293_3_9_2_2_Must54, PortUnreachableForASyn_UserHearsUnreachable) {
  start();
  ConnectionId id;
  const Seen about = connect(id);
  EXPECT_TRUE(give_frame(error(wire::IcmpType::DestinationUnreachable, 3, about)).empty());
  EXPECT_EQ(user.errors[tcp::Error::Unreachable], 1);
  EXPECT_EQ(stack->connections(), 0u);
}

// Whatever it quotes, and however much of it: counted, and nothing else.
TEST_F(Rfc9293_3_9_2_2_Must54, ErrorsAboutNonsense_Ignored) {
  start();
  ConnectionId id;
  const Seen about = connect(id);
  const Bytes good = error(wire::IcmpType::DestinationUnreachable, 3, about);
  uint64_t bad = 0;
  for (size_t at = 0; at < 28; ++at) {  // of the quoted datagram, each byte
    Bytes f = good;
    if (at != 0 && at != 6 && at != 7 && at != 9 && at < 12) continue;  // lengths, TTL, checksum: routers change these
    if (at >= 24) continue;                                             // the sequence number: see above
    f[42 + at] ^= at == 6 ? 0x1f : 0xff;
    store_be<uint16_t>(f.data() + 36, 0);
    wire::ChecksumSum sum;
    sum.add({f.data() + 34, 36});
    store_be(f.data() + 36, sum.checksum());
    give_frame(f);
    ++bad;
  }
  for (size_t length = 8; length < 36; ++length) {
    Bytes f(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(34 + length));
    wire::write_ipv4(f.data() + 14, wire::Ipv4Address(198, 18, 0, 1), kLocal, wire::kProtocolIcmp,
                     static_cast<uint16_t>(20 + length));
    store_be<uint16_t>(f.data() + 36, 0);
    wire::ChecksumSum sum;
    sum.add({f.data() + 34, length});
    store_be(f.data() + 36, sum.checksum());
    give_frame(f);
    ++bad;
  }
  EXPECT_EQ(dropped(net::Drop::IcmpIgnored), bad);
  EXPECT_EQ(user.closed, 0);
  EXPECT_EQ(stack->connections(), 1u);
}

TEST_F(Rfc9293_3_9_2_3_Must57, ToBroadcastOrMulticast_SilentlyDropped) {
  start();
  ASSERT_TRUE(stack->listen(kServed, user, 8));
  const wire::Ipv4Address destinations[] = {{255, 255, 255, 255}, {198, 18, 0, 255}, {224, 0, 0, 1}, {239, 9, 9, 9}};
  uint64_t count = 0;
  for (const wire::Ipv4Address destination : destinations) {
    for (const int flags : {kSyn, kAck, kFin | kAck, 0}) {
      EXPECT_TRUE(give({.destination = destination, .flags = flags}).empty());
      EXPECT_EQ(dropped(net::Drop::OtherDestination), ++count);
    }
  }
  Bytes f = frame({.flags = kSyn});
  for (const uint8_t first :
       std::initializer_list<uint8_t>{0xff, 0x01}) {  // the frame's own address: a broadcast, a multicast
    std::fill_n(f.begin(), 6, first);
    EXPECT_TRUE(give_frame(f).empty());
  }
  EXPECT_EQ(dropped(net::Drop::OtherMac), 2u);
  EXPECT_EQ(stack->connections(), 0u);
}

TEST_F(Rfc9293_3_9_2_3_Must63, SynFromInvalidSource_Ignored) {
  start();
  ASSERT_TRUE(stack->listen(kServed, user, 8));
  const wire::Ipv4Address sources[] = {{0, 0, 0, 0},   {127, 0, 0, 1},       {224, 0, 0, 1},    {239, 9, 9, 9},
                                       {240, 0, 0, 1}, {255, 255, 255, 255}, {198, 18, 0, 255}, kLocal};
  uint64_t count = 0;
  for (const wire::Ipv4Address source : sources) {
    EXPECT_TRUE(give({.source = source, .flags = kSyn}).empty()) << source.value();
    EXPECT_EQ(dropped(net::Drop::BadSource), ++count) << source.value();
  }
  EXPECT_EQ(stack->connections(), 0u);
}

TEST_F(Rfc9293_3_10_7_4_Must59, BurstOfSegments_OneAckForAll) {
  start();
  ASSERT_TRUE(stack->listen(kServed, user, 8));
  Sending s = established();
  s.text = "0123456789";
  for (int i = 0; i < 20; ++i) {
    put(frame(s));
    s.seq = s.seq + 10;
  }
  const auto sent = turn();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_TRUE(sent[0].is(kAck));
  EXPECT_EQ(sent[0].tcp.ack, s.seq);
  EXPECT_EQ(user.text[user.last.index].size(), 200u);
}

}  // namespace
}  // namespace estab::test
