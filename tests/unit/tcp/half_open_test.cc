// A handshake in 32 bytes stands for a TCB in SYN-RECEIVED, and the short way out of it leads where the long one does.
#include "tcp/half_open.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "tcp/output.h"
#include "tcp/segment_arrives.h"
#include "tcp/timeouts.h"

namespace estab::tcp {
namespace {

constexpr Instant kNow = Instant::from_ns(7'200'123'456'789);

struct Handshake {
  Parameters parameters;
  HalfOpen half;
  Instant now;
};

// Of any SYN, answered at kNow, and maybe answered again.
Handshake random_handshake(Random& random) {
  Handshake h;
  h.parameters.keepalive = random.below(2) == 0;
  h.parameters.nagle = random.below(2) == 0;
  h.parameters.timestamps = random.below(4) != 0;
  h.parameters.sack = random.below(4) != 0;
  h.parameters.receive_buffer = 1'000 + random.below(300'000);
  Segment syn;
  syn.seq = Seq(static_cast<uint32_t>(random.next()));
  syn.flags = TcpFlags(TcpFlags::kSyn);
  syn.window = static_cast<uint16_t>(random.next());
  syn.options.has_mss = random.below(4) != 0;
  syn.options.mss = static_cast<uint16_t>(random.next());
  syn.options.has_timestamps = random.below(2) == 0;
  syn.options.ts_value = static_cast<uint32_t>(random.next());
  syn.options.has_window_scale = random.below(2) == 0;
  syn.options.window_scale = static_cast<uint8_t>(random.below(15));
  syn.options.sack_permitted = random.below(2) == 0;
  const InitialNumbers numbers{Seq(static_cast<uint32_t>(random.next())), static_cast<uint32_t>(random.next())};
  h.half = answer_syn(numbers, syn, {kNow, h.parameters});
  h.now = kNow;
  for (uint32_t times = random.below(3); times > 0; --times) {
    Tcb tcb;
    expand(h.half, {h.now, h.parameters}, tcb);
    h.now = tcb.retransmit_at;
    expand(h.half, {h.now, h.parameters}, tcb = {});
    static_cast<void>(timeout(tcb, {h.now, h.parameters}));
    static_cast<void>(next_segment(tcb, {h.now, h.parameters}));
    h.half = half_open(tcb);
  }
  h.now = h.now + Duration::microseconds(random.below(900'000));
  return h;
}

TEST(HalfOpen, ExpandedAndBack_SaysTheSame) {
  Random random(11);
  for (int i = 0; i < 2'000; ++i) {
    const Handshake h = random_handshake(random);
    Tcb once;
    expand(h.half, {h.now, h.parameters}, once);
    Tcb twice;
    expand(half_open(once), {h.now, h.parameters}, twice);
    ASSERT_EQ(once, twice) << i;
  }
}

TEST(HalfOpen, PlainAck_EstablishedAsTheStateMachineHasIt) {
  Random random(12);
  for (int i = 0; i < 5'000; ++i) {
    const Handshake h = random_handshake(random);
    const Context context{h.now, h.parameters};
    Segment ack;
    ack.seq = h.half.irs + 1;
    ack.ack = h.half.iss + 1;
    ack.flags = TcpFlags(TcpFlags::kAck | (random.below(2) == 0 ? TcpFlags::kPsh : 0));
    ack.window = static_cast<uint16_t>(random.below(4) == 0 ? 0 : random.next());
    ack.options.has_timestamps = h.half.timestamps;
    ack.options.ts_value = h.half.ts_recent + random.below(100'000);
    ack.options.ts_echo = static_cast<uint32_t>(random.next());
    ASSERT_TRUE(completes_plainly(h.half, ack));
    Tcb long_way;
    expand(h.half, context, long_way);
    const Actions actions = segment_arrives(long_way, ack, context);
    ASSERT_EQ(actions, Actions{.established = true}) << i;
    Tcb short_way;
    establish(h.half, ack, context, short_way);
    ASSERT_EQ(short_way, long_way) << i;
  }
}

TEST(HalfOpen, WhatIsMoreThanAnAck_IsNotPlain) {
  HalfOpen half;
  half.timestamps = true;
  Segment ack;
  ack.seq = half.irs + 1;
  ack.ack = half.iss + 1;
  ack.flags = TcpFlags(TcpFlags::kAck);
  ack.options.has_timestamps = true;
  ASSERT_TRUE(completes_plainly(half, ack));
  const auto but = [&ack](auto change) {
    Segment other = ack;
    change(other);
    return other;
  };
  EXPECT_FALSE(completes_plainly(half, but([](Segment& s) { s.text = 1; })));
  EXPECT_FALSE(completes_plainly(half, but([](Segment& s) { s.flags = TcpFlags(TcpFlags::kAck | TcpFlags::kFin); })));
  EXPECT_FALSE(completes_plainly(half, but([](Segment& s) { s.flags = TcpFlags(TcpFlags::kAck | TcpFlags::kSyn); })));
  EXPECT_FALSE(completes_plainly(half, but([](Segment& s) { s.flags = TcpFlags(TcpFlags::kAck | TcpFlags::kRst); })));
  EXPECT_FALSE(completes_plainly(half, but([](Segment& s) { s.flags = TcpFlags(TcpFlags::kPsh); })));
  EXPECT_FALSE(completes_plainly(half, but([](Segment& s) { s.seq += 1; })));
  EXPECT_FALSE(completes_plainly(half, but([](Segment& s) { s.ack += 1; })));
  EXPECT_FALSE(completes_plainly(half, but([](Segment& s) { s.options.has_timestamps = false; })));
  EXPECT_FALSE(completes_plainly(half, but([](Segment& s) { s.options.ts_value -= 1; })));
}

}  // namespace
}  // namespace estab::tcp
