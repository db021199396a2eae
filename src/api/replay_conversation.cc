#include "api/replay_conversation.h"

#include <algorithm>

namespace estab::capture {
namespace {

int64_t end_of(const ByteStream& stream, const ServerSegment& segment) {
  const int64_t begin = segment.syn ? 0 : stream.place(segment.seq);
  return begin + segment.text + (segment.fin ? 1 : 0);
}

// Timestamps, like sequence numbers, are compared modulo 2^32 (RFC 7323 §5.2).
bool is_later(uint32_t a, uint32_t b) {
  return Seq(a) > Seq(b);
}

}  // namespace

void RecordedServer::note(const ServerSegment& segment, const wire::TcpOptions& options) {
  if (segment.syn) {
    stream.begin(segment.seq);
    answered = true;
    timestamps = options.has_timestamps;
    window_scale = options.has_window_scale;
    sack = options.sack_permitted;
  }
  if (!stream.begun()) return;
  const int64_t end = end_of(stream, segment);
  stream.note_sent(end);
  if (segment.fin) fin = end - 1;
}

void RecordedServer::note_client(Seq ack, const wire::TcpOptions& options) {
  if (answered) return;
  if (!stream.begun()) {
    stream.begin(ack - 1);
    timestamps = options.has_timestamps;
    window_scale = sack = true;
  }
  // What the client acknowledges is all that is known of the server.
  stream.note_sent(stream.place(ack));
}

void Conversation::recorded_sent(const ServerSegment& segment) {
  if (segment.syn) theirs_.begin(segment.seq);
  if (!theirs_.begun()) return;
  theirs_.note_sent(end_of(theirs_, segment));
  if (!segment.has_timestamps || !ours_stamped_) return;
  if (echoes_.empty() || is_later(segment.ts_value, echoes_.back().theirs))
    echoes_.push_back({segment.ts_value, ts_value_});
}

void Conversation::ours_sent(const ServerSegment& segment) {
  if (segment.syn) ours_.begin(segment.seq);
  if (!ours_.begun()) return;
  const int64_t end = end_of(ours_, segment);
  if (end > ours_.sent()) is_behind_ = !segment.psh && !segment.fin;
  ours_.note_sent(end);
  ours_fin_sent_ = ours_fin_sent_ || segment.fin;
  if (!segment.has_timestamps) return;
  ts_value_ = segment.ts_value;
  ours_stamped_ = true;
}

std::optional<Seq> Conversation::acknowledge(Seq ack) {
  if (!theirs_.begun() || !ours_.begun()) return std::nullopt;
  const int64_t place = theirs_.place(ack);
  if (place < 0 || place > recorded_.stream.sent()) return std::nullopt;
  // Captures have packets out of order, and some were not recorded: what the client acknowledges was sent.
  theirs_.note_sent(place);
  if (place < acknowledged_) return ours_.number(std::min(place, translated_));
  // Only news are of all: the handshake's ACK, or the same one again, says nothing of what ours may have sent since.
  const bool of_all = place > std::max<int64_t>(acknowledged_, 0) && place == theirs_.sent();
  acknowledged_ = place;
  translated_ = std::max(translated_, of_all || is_of_fin(place) ? reach(place) : std::min(place, reach(place)));
  // What ours sends after this is late if it was held up. If it had no more to say, what it says next is an answer to
  // more than the client has sent yet, and a later ACK is for that; but none is later than the one of the FIN.
  if (is_of_fin(place)) {
    due_ = std::max(place, translated_) + kBeyondFin;
  } else if (is_behind_) {
    due_ = place;
  }
  return ours_.number(translated_);
}

uint8_t Conversation::selectively(const wire::TcpOptions& options,
                                  std::array<wire::SackBlock, wire::kMaxSackBlocks>& blocks) const {
  uint8_t count = 0;
  for (uint8_t i = 0; i < options.sack_count; ++i) {
    const int64_t begin = theirs_.place(options.sack[i].begin);
    const int64_t end = theirs_.place(options.sack[i].end);
    // Beyond the ACK, or a duplicate's block wholly below it (RFC 2883).
    const bool is_above = begin > translated_ && begin < end && end <= ours_.sent();
    const bool is_duplicate = begin >= 0 && begin < end && end <= translated_;
    if (is_above || is_duplicate) blocks[count++] = {ours_.number(begin), ours_.number(end)};
  }
  return count;
}

uint32_t Conversation::echo(uint32_t ts_echo) const {
  if (!ours_stamped_) return ts_echo;
  const auto after = std::upper_bound(echoes_.begin(), echoes_.end(), ts_echo,
                                      [](uint32_t value, const Echo& echo) { return is_later(echo.theirs, value); });
  if (after != echoes_.begin()) return std::prev(after)->ours;
  // Where the server's side was not recorded, the latest; else older than all that it sent: no echo of anything.
  return echoes_.empty() ? ts_value_ : ts_echo;
}

std::optional<Seq> Conversation::late_acknowledgment() {
  if (translated_ < 0) return std::nullopt;
  const int64_t reached = std::min(reach(acknowledged_), due_);
  if (reached <= translated_) return std::nullopt;
  translated_ = reached;
  return ours_.number(reached);
}

}  // namespace estab::capture
