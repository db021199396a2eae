// The client's numbers, translated from the recorded server's to ours.
#include "api/replay_conversation.h"

#include <gtest/gtest.h>

namespace estab::capture {
namespace {

constexpr Seq kTheirs(0xfffffff0);  // so that the numbers wrap
constexpr Seq kOurs(5000);

ServerSegment text(Seq isn, int64_t place, uint32_t bytes) {
  return {.seq = isn + 1 + static_cast<uint32_t>(place), .text = bytes, .psh = true};
}

ServerSegment fin(Seq isn, int64_t place) {
  ServerSegment segment = text(isn, place, 0);
  segment.fin = true;
  return segment;
}

ServerSegment stamped(ServerSegment segment, uint32_t ts_value) {
  segment.has_timestamps = true;
  segment.ts_value = ts_value;
  return segment;
}

Seq theirs(int64_t place) {
  return kTheirs + 1 + static_cast<uint32_t>(place);
}

Seq ours(int64_t place) {
  return kOurs + 1 + static_cast<uint32_t>(place);
}

// A conversation whose SYN-ACKs have been sent. The whole capture has `bytes` bytes of the recorded server, and its
// FIN.
class ReplayConversation : public testing::Test {
 protected:
  static RecordedServer recorded(uint32_t bytes) {
    RecordedServer server;
    server.note({.seq = kTheirs, .syn = true}, {});
    server.note(text(kTheirs, 0, bytes), {});
    server.note(fin(kTheirs, bytes), {});
    return server;
  }

  explicit ReplayConversation(uint32_t bytes = 1000) : conversation(recorded(bytes)) {
    conversation.recorded_sent({.seq = kTheirs, .syn = true});
    conversation.ours_sent({.seq = kOurs, .syn = true});
  }

  Conversation conversation;
};

TEST_F(ReplayConversation, HandshakeAck_IsShifted) {
  EXPECT_EQ(conversation.acknowledge(theirs(0)), ours(0));
}

TEST_F(ReplayConversation, HandshakeAck_CoversNotWhatOursSentBehindTheSynAck) {
  conversation.ours_sent(text(kOurs, 0, 500));
  EXPECT_EQ(conversation.acknowledge(theirs(0)), ours(0));
}

TEST_F(ReplayConversation, AckOfWhatTheRecordedServerNeverSent_IsLeftAlone) {
  EXPECT_EQ(conversation.acknowledge(theirs(1002)), std::nullopt);
  EXPECT_EQ(conversation.acknowledge(theirs(-1)), std::nullopt);
}

TEST_F(ReplayConversation, AckBeforeOurSynAck_IsLeftAlone) {
  Conversation early(recorded(1000));
  EXPECT_EQ(early.acknowledge(theirs(0)), std::nullopt);
}

TEST_F(ReplayConversation, AckOfPart_IsOfTheSamePart) {
  conversation.recorded_sent(text(kTheirs, 0, 1000));
  conversation.ours_sent(text(kOurs, 0, 1000));
  EXPECT_EQ(conversation.acknowledge(theirs(400)), ours(400));
}

TEST_F(ReplayConversation, AckOfMoreThanOursSent_IsOfWhatOursSent) {
  conversation.recorded_sent(text(kTheirs, 0, 1000));
  conversation.ours_sent(text(kOurs, 0, 300));
  EXPECT_EQ(conversation.acknowledge(theirs(400)), ours(300));
}

TEST_F(ReplayConversation, AckOfAllTheirs_IsOfAllOursWhereItIsLonger) {
  conversation.recorded_sent(text(kTheirs, 0, 600));
  conversation.ours_sent(text(kOurs, 0, 900));
  EXPECT_EQ(conversation.acknowledge(theirs(600)), ours(900));
  EXPECT_EQ(conversation.acknowledge(theirs(600)), ours(900)) << "said again";
  EXPECT_EQ(conversation.acknowledge(theirs(100)), ours(100)) << "an old one that came late";
}

TEST_F(ReplayConversation, AckOfTheirFin_IsOfOurFin) {
  conversation.recorded_sent(text(kTheirs, 0, 1000));
  conversation.ours_sent(text(kOurs, 0, 200));
  conversation.ours_sent(fin(kOurs, 200));
  EXPECT_EQ(conversation.acknowledge(theirs(1000)), ours(200)) << "their FIN is still to come";
  conversation.recorded_sent(fin(kTheirs, 1000));
  EXPECT_EQ(conversation.acknowledge(theirs(1001)), ours(201));
}

TEST_F(ReplayConversation, OurFinAfterTheAckOfTheirs_IsAcknowledgedLate) {
  conversation.recorded_sent(text(kTheirs, 0, 1000));
  conversation.recorded_sent(fin(kTheirs, 1000));
  EXPECT_EQ(conversation.acknowledge(theirs(1001)), ours(0));
  EXPECT_EQ(conversation.late_acknowledgment(), std::nullopt);
  conversation.ours_sent(text(kOurs, 0, 5000));
  EXPECT_EQ(conversation.late_acknowledgment(), ours(5000));
  conversation.ours_sent(fin(kOurs, 5000));
  EXPECT_EQ(conversation.late_acknowledgment(), ours(5001));
  EXPECT_EQ(conversation.late_acknowledgment(), std::nullopt) << "once";
}

TEST_F(ReplayConversation, ServiceWithoutEnd_IsNotAcknowledgedWithoutEnd) {
  conversation.recorded_sent(fin(kTheirs, 1000));
  conversation.acknowledge(theirs(1001));
  int64_t sent = 0;
  while (sent < 4 << 20) {
    conversation.ours_sent(text(kOurs, sent, 1000));
    sent += 1000;
    if (!conversation.late_acknowledgment()) break;
  }
  EXPECT_LT(sent, 2 << 20);
}

TEST_F(ReplayConversation, OursBehind_IsAcknowledgedWhenItSends) {
  conversation.recorded_sent(text(kTheirs, 0, 1000));
  ServerSegment held_up = text(kOurs, 0, 300);
  held_up.psh = false;
  conversation.ours_sent(held_up);
  EXPECT_EQ(conversation.acknowledge(theirs(1000)), ours(300));
  conversation.ours_sent(text(kOurs, 300, 900));
  EXPECT_EQ(conversation.late_acknowledgment(), ours(1000)) << "as far as the client had acknowledged";
}

TEST_F(ReplayConversation, OursShorter_IsNotAcknowledgedAhead) {
  conversation.recorded_sent(text(kTheirs, 0, 1000));
  conversation.ours_sent(text(kOurs, 0, 300));
  EXPECT_EQ(conversation.acknowledge(theirs(1000)), ours(300));
  conversation.ours_sent(text(kOurs, 300, 200));  // the answer to the next request
  EXPECT_EQ(conversation.late_acknowledgment(), std::nullopt);
}

TEST_F(ReplayConversation, SackBlocks_AreShiftedAsFarAsOursSent) {
  conversation.recorded_sent(text(kTheirs, 0, 1000));
  conversation.ours_sent(text(kOurs, 0, 800));
  conversation.acknowledge(theirs(100));
  wire::TcpOptions options;
  options.sack_count = 3;
  options.sack = {{{theirs(50), theirs(100)}, {theirs(200), theirs(400)}, {theirs(700), theirs(1000)}}};
  std::array<wire::SackBlock, wire::kMaxSackBlocks> blocks;
  ASSERT_EQ(conversation.selectively(options, blocks), 2);
  EXPECT_EQ(blocks[0], (wire::SackBlock{ours(50), ours(100)})) << "a duplicate, RFC 2883";
  EXPECT_EQ(blocks[1], (wire::SackBlock{ours(200), ours(400)}));
}

TEST_F(ReplayConversation, Echo_IsOfTheLastTimestampOfOursAtThatTime) {
  conversation.ours_sent(stamped({.seq = kOurs, .syn = true}, 70));
  conversation.recorded_sent(stamped({.seq = kTheirs, .syn = true}, 100));
  conversation.recorded_sent(stamped(text(kTheirs, 0, 10), 105));
  conversation.ours_sent(stamped(text(kOurs, 0, 10), 80));
  conversation.recorded_sent(stamped(text(kTheirs, 10, 10), 110));
  EXPECT_EQ(conversation.echo(100), 70u);
  EXPECT_EQ(conversation.echo(107), 70u);
  EXPECT_EQ(conversation.echo(110), 80u);
  EXPECT_EQ(conversation.echo(90), 90u) << "never sent: left alone";
}

TEST_F(ReplayConversation, ServerNotRecorded_IsKnownByTheClientsAcks) {
  RecordedServer server;
  server.note_client(theirs(0), {});
  server.note_client(theirs(700), {});
  Conversation one_sided(server);
  one_sided.ours_sent({.seq = kOurs, .syn = true});
  EXPECT_EQ(one_sided.acknowledge(theirs(0)), ours(0));
  one_sided.ours_sent(text(kOurs, 0, 900));
  EXPECT_EQ(one_sided.acknowledge(theirs(700)), ours(900));
  EXPECT_EQ(one_sided.acknowledge(theirs(701)), std::nullopt);
}

}  // namespace
}  // namespace estab::capture
