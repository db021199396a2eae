// One recorded conversation, replayed: what the recorded server sent, what ours sent instead, and how the client's view
// of the one becomes a view of the other. Pure: no packet, no clock.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "wire/seq.h"
#include "wire/tcp_options.h"

namespace estab::capture {

using wire::Seq;

// What one server sends, counted in bytes from the first: the SYN is at -1, and a FIN counts as a byte.
class ByteStream {
 public:
  bool begun() const { return begun_; }
  void begin(Seq isn) {
    if (begun_) return;
    begun_ = true;
    isn_ = isn;
  }
  int64_t sent() const { return sent_; }
  void note_sent(int64_t end) { sent_ = end > sent_ ? end : sent_; }

  // The nearest place to what was sent so far that has this number.
  int64_t place(Seq seq) const { return sent_ + (seq - number(sent_)); }
  Seq number(int64_t place) const { return isn_ + 1 + static_cast<uint32_t>(place); }

 private:
  bool begun_ = false;
  Seq isn_;
  int64_t sent_ = 0;
};

// A server's segment, as far as its numbers go.
struct ServerSegment {
  Seq seq;
  uint32_t text = 0;  // bytes
  bool syn = false;
  bool psh = false;  // of ours: nothing is queued behind it
  bool fin = false;
  bool has_timestamps = false;
  uint32_t ts_value = 0;
};

// What the whole capture tells about a conversation before any of it is replayed.
struct RecordedServer {
  bool answered = false;  // its SYN-ACK was recorded
  ByteStream stream;      // all that it ever sent
  int64_t fin = -1;       // the place of its FIN; -1: it sent none
  // What both SYNs offered. Ours would agree to all of it, and then miss in the client's segments what that server
  // declined.
  bool timestamps = false;
  bool window_scale = false;
  bool sack = false;

  void note(const ServerSegment& segment, const wire::TcpOptions& options);
  // A client's segment where the SYN-ACK was not recorded: its first acknowledgment is of the SYN.
  void note_client(Seq ack, const wire::TcpOptions& options);
};

class Conversation {
 public:
  explicit Conversation(const RecordedServer& recorded) : recorded_(recorded) {
    if (recorded.stream.begun()) theirs_.begin(recorded.stream.number(-1));
  }

  const RecordedServer& recorded() const { return recorded_; }

  void recorded_sent(const ServerSegment& segment);
  void ours_sent(const ServerSegment& segment);

  // The client's ACK in our numbers. Nothing when it makes no sense: it acknowledges what the recorded server never
  // sent.
  //
  // An ACK of byte k becomes one of byte k, as far as ours has sent it. Where it is for all that the recorded server
  // had sent, it is for all that ours has: so answers of other lengths are acknowledged as well. Our FIN is
  // acknowledged with theirs.
  std::optional<Seq> acknowledge(Seq ack);
  // The client's SACK blocks in our numbers; those that ours has not sent are left out.
  uint8_t selectively(const wire::TcpOptions& options, std::array<wire::SackBlock, wire::kMaxSackBlocks>& blocks) const;
  // The TSecr for the client's: the last TSval that ours had sent when the recorded server sent the one that is echoed.
  uint32_t echo(uint32_t ts_echo) const;
  uint32_t last_ts_value() const { return ts_value_; }

  // Ours, which was behind the recorded server, has now sent what the client had acknowledged before: the
  // acknowledgment to make up for it, once.
  std::optional<Seq> late_acknowledgment();

 private:
  // What of ours beyond the recorded server's own length an acknowledgment of its FIN covers. Bounded: a service that
  // sends without end would be acknowledged without end.
  static constexpr int64_t kBeyondFin = 1 << 20;

  struct Echo {
    uint32_t theirs;
    uint32_t ours;
  };

  bool is_of_fin(int64_t place) const { return recorded_.fin >= 0 && place > recorded_.fin; }
  // How far an ACK may go now; our FIN is left out where theirs is still to come.
  int64_t reach(int64_t place) const {
    return ours_.sent() - (ours_fin_sent_ && recorded_.fin >= 0 && !is_of_fin(place) ? 1 : 0);
  }

  RecordedServer recorded_;
  ByteStream theirs_;  // of the recorded server, as far as it has been replayed
  ByteStream ours_;
  int64_t acknowledged_ = -1;  // of theirs: the client's highest ACK
  int64_t translated_ = -1;    // of ours: what it was translated to
  int64_t due_ = -1;           // of ours: as much as the client would have acknowledged, had it been sent in time
  bool ours_fin_sent_ = false;
  bool is_behind_ = false;  // ours: has more queued than it could send yet
  bool ours_stamped_ = false;
  uint32_t ts_value_ = 0;     // ours, the latest
  std::vector<Echo> echoes_;  // in the order of the recorded server's TSval
};

}  // namespace estab::capture
