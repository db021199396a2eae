// RFC 5961 §7: answers to what an outsider may have sent come out of a budget, and nobody can count what is left of it.
#include "rfc/one_stack.h"

namespace estab::test {
namespace {

constexpr uint32_t kLimit = 20;

class Challenge : public OneStack {
 public:
  void start_limited(bool timestamps = false) {
    stack::StackConfig config = plain_config();
    config.challenge_acks = kLimit;
    config.tcp.timestamps = timestamps;
    start(config);
    ASSERT_TRUE(stack->listen(kServed, user, 8));
  }
  // How many answers so many of it get within a second.
  size_t answers(const Sending& s, int count = 100) {
    now = Instant::from_ns((now.ns() / 1'000'000'000 + 1) * 1'000'000'000);
    size_t answers = 0;
    for (int i = 0; i < count; ++i) answers += give(s).size();
    return answers;
  }
  void expect_limited(const Sending& s, const char* what) {
    for (int second = 0; second < 3; ++second) {
      const size_t n = answers(s);
      EXPECT_GE(n, kLimit) << what;
      EXPECT_LT(n, 2 * kLimit) << what;
    }
    EXPECT_EQ(states(tcp::State::Established), 1u) << what;
  }
  uint64_t withheld() const { return stack->counters().drops[static_cast<size_t>(stack::Drop::ChallengeLimit)]; }
};
using Rfc5961_7 = Challenge;

Sending with(Sending s, int flags, int32_t seq_ahead = 0, int32_t ack_ahead = 0) {
  s.flags = flags;
  s.seq = s.seq + static_cast<uint32_t>(seq_ahead);
  s.ack = s.ack + static_cast<uint32_t>(ack_ahead);
  return s;
}

TEST_F(Rfc5961_7, EachKindOfChallenge_ComesOutOfTheBudget) {
  start_limited();
  const Sending s = established();
  expect_limited(with(s, kRst, 100), "a RST in the window");
  expect_limited(with(s, kSyn), "a SYN in the window");
  expect_limited(with(s, kSyn, -1'000'000), "a SYN elsewhere");
  expect_limited(with(s, kAck, 0, 1'000), "an ACK of what was never sent");
  expect_limited(with(s, kAck, 100'000'000), "a bare ACK right of the window");
  EXPECT_GT(withheld(), 5u * 3 * (100 - 2 * kLimit));
}

TEST_F(Rfc5961_7, BareAckWithAnOldTimestamp_ComesOutOfTheBudget) {
  start_limited(true);
  Sending s;
  s.options = {1, 1, 8, 10, 0, 1, 0, 0, 0, 0, 0, 0};
  s = established(s);
  s.options = {1, 1, 8, 10, 0, 0, 255, 255, 0, 0, 0, 0};
  expect_limited(s, "an old timestamp");
}

// Without its answer a peer that lost our ACK would not know to stop.
TEST_F(Rfc5961_7, TextOrFinThatCameBefore_IsAlwaysAnswered) {
  start_limited();
  Sending s = established();
  s.text = "text";
  give(s);
  EXPECT_EQ(answers(s), 100u);
  s = with(s, kFin | kAck, 4);
  s.text = "";
  user.do_peer_close = [](stack::ConnectionId) {};
  give(s);
  EXPECT_EQ(answers(s), 100u);
  EXPECT_EQ(withheld(), 0u);
}

}  // namespace
}  // namespace estab::test
