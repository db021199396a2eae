#include "trace.h"

#include <fmt/core.h>

#include <algorithm>

namespace estab::app {
namespace {

constexpr uint8_t kFin = 1, kSyn = 2, kRst = 4, kAck = 16;
// No retransmission follows so soon, and between two ends in one process few segments are under way for so long.
constexpr Duration kPatience = Duration::milliseconds(150);
constexpr size_t kArrow = 78;  // columns between the states

size_t index(bool is_server) {
  return is_server ? 1 : 0;
}

std::string state_text(ConnectionState state) {
  std::string name = state_name(state);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

std::string flags_text(uint8_t flags) {
  static constexpr const char* kNames[] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
  // As they are said: SYN,ACK and FIN,PSH,ACK.
  std::string text;
  for (size_t bit = 0; bit < 8; ++bit) {
    if ((flags >> bit & 1) != 0) text += (text.empty() ? "" : ",") + std::string(kNames[bit]);
  }
  return text.empty() ? "-" : text;
}

// "m+1 (2801223342)": relative to its sender's ISN, and raw.
std::string number_text(char name, std::optional<uint32_t> isn, uint32_t number) {
  if (!isn) return fmt::format("{}", number);
  const auto beyond = static_cast<int32_t>(number - *isn);
  if (beyond == 0) return fmt::format("{} ({})", name, number);
  return fmt::format("{}{:+} ({})", name, beyond, number);
}

bool same(const ObservedSegment& a, const ObservedSegment& b) {
  return a.seq == b.seq && a.ack == b.ack && a.text == b.text && a.flags == b.flags && a.window == b.window;
}

// The state that the received segment led to. What the user's calls then made of it is seen when they send something.
ConnectionState caused_state(const ObservedSegment& segment) {
  const ConnectionState after = segment.after;
  if ((segment.flags & kRst) != 0) return after == ConnectionState::Listen ? ConnectionState::Closed : after;
  switch (segment.before) {
    case ConnectionState::SynSent:
    case ConnectionState::SynReceived:
      if (after == ConnectionState::FinWait1) return ConnectionState::Established;
      if (after == ConnectionState::LastAck) return ConnectionState::CloseWait;
      if (after == ConnectionState::Closed || after == ConnectionState::Listen) return ConnectionState::Established;
      return after;
    case ConnectionState::Established:
      if ((segment.flags & kFin) != 0 && after == ConnectionState::LastAck) return ConnectionState::CloseWait;
      if ((segment.flags & kFin) == 0) return ConnectionState::Established;
      return after;
    case ConnectionState::Listen:
    case ConnectionState::Closed:
      return after;
    case ConnectionState::FinWait1:
    case ConnectionState::FinWait2:
    case ConnectionState::CloseWait:
    case ConnectionState::Closing:
    case ConnectionState::LastAck:
    case ConnectionState::TimeWait:
      break;
  }
  // The connection is gone, and only its port's listener is left.
  return after == ConnectionState::Listen ? ConnectionState::Closed : after;
}

// The state in which the segment was sent: a FIN that is still to come has changed the state already.
ConnectionState sender_state(const ObservedSegment& segment, bool fin_sent) {
  const bool final = (segment.flags & (kFin | kRst)) != 0;
  // A connection that is gone leaves its port's listener, or nothing; a SYN-ACK may be a listener's own.
  const bool is_gone = segment.after == ConnectionState::Listen || segment.after == ConnectionState::Closed;
  if (is_gone && (segment.flags & kSyn) == 0) {
    return final || fin_sent ? ConnectionState::Closed : ConnectionState::Established;  // the RST is still to come
  }
  if (final || fin_sent) return segment.after;
  if (segment.after == ConnectionState::FinWait1) return ConnectionState::Established;
  if (segment.after == ConnectionState::LastAck) return ConnectionState::CloseWait;
  return segment.after;
}

}  // namespace

Trace::Trace(uint64_t connections, std::FILE* out)
    : connections_(connections), out_(out), ends_{End(*this, Side::Client), End(*this, Side::Server)} {}

Trace::~Trace() {
  for (auto& [key, ladder] : ladders_) {
    for (const Side side : {Side::Client, Side::Server}) {
      while (!ladder.under_way[index(side == Side::Server)].empty()) draw_lost(ladder, side);
    }
  }
  std::fflush(out_);
}

Observer* Trace::client_end() {
  seen_[0] = true;
  return &ends_[0];
}

Observer* Trace::server_end() {
  seen_[1] = true;
  return &ends_[1];
}

void Trace::observe(Side side, const ObservedSegment& segment) {
  const std::lock_guard lock(mutex_);
  Ladder* ladder = ladder_for(side, segment);
  if (ladder == nullptr) return;
  segment.received ? received(*ladder, side, segment) : sent(*ladder, side, segment);
}

// The segment's ladder; a new one for a new connection, as long as there are to be any. Null: it is not drawn.
Trace::Ladder* Trace::ladder_for(Side side, const ObservedSegment& segment) {
  const Key key = side == Side::Client ? Key(segment.local, segment.remote) : Key(segment.remote, segment.local);
  const bool by_client = (side == Side::Client) != segment.received;
  const bool opens = by_client && (segment.flags & (kSyn | kAck)) == kSyn;
  auto found = ladders_.find(key);
  if (found != ladders_.end() && opens && found->second.isn[0] != segment.seq) {  // the port is used again
    ladders_.erase(found);
    found = ladders_.end();
  }
  if (found == ladders_.end()) {
    if (begun_ == connections_) return nullptr;
    found = ladders_.try_emplace(key).first;
    found->second.number = ++begun_;
    found->second.key = key;
    if (start_.is_never()) start_ = segment.at;
  }
  if ((segment.flags & kSyn) != 0) found->second.isn[index(!by_client)] = segment.seq;
  return &found->second;
}

void Trace::sent(Ladder& ladder, Side side, const ObservedSegment& segment) {
  bool& fin_sent = ladder.fin_sent[index(side == Side::Server)];
  const ConnectionState state = sender_state(segment, fin_sent);
  fin_sent = fin_sent || (segment.flags & kFin) != 0;
  if (seen_[0] && seen_[1]) {  // drawn when the other end has it
    ladder.under_way[index(side == Side::Server)].push_back({segment, state});
    return;
  }
  const std::string text = state_text(state);
  draw(ladder, side, segment, side == Side::Client ? text : "", side == Side::Server ? text : "", false);
}

void Trace::received(Ladder& ladder, Side side, const ObservedSegment& segment) {
  const Side sender = side == Side::Client ? Side::Server : Side::Client;
  auto& under_way = ladder.under_way[index(sender == Side::Server)];
  const auto is_it = [&segment](const Sent& s) { return same(s.segment, segment); };
  auto it = std::find_if(under_way.begin(), under_way.end(), is_it);
  // Of two that are alike, and sent long ago, the second is the first one's retransmission.
  while (it != under_way.end() && segment.at - it->segment.at > kPatience) {
    const auto again = std::find_if(it + 1, under_way.end(), is_it);
    if (again == under_way.end()) break;
    it = again;
  }
  ObservedSegment shown = segment;
  std::string sender_text;
  if (it != under_way.end()) {
    // They arrive in order: what was sent before it is not to come.
    for (auto lost = it - under_way.begin(); lost > 0; --lost) draw_lost(ladder, sender);
    sender_text = state_text(under_way.front().state);
    shown.at = under_way.front().segment.at;
    under_way.pop_front();
  }
  const std::string receiver_text = state_text(caused_state(segment));
  draw(ladder, sender, shown, side == Side::Client ? receiver_text : sender_text,
       side == Side::Server ? receiver_text : sender_text, false);
}

void Trace::draw_lost(Ladder& ladder, Side sender) {
  auto& under_way = ladder.under_way[index(sender == Side::Server)];
  const Sent lost = under_way.front();
  under_way.pop_front();
  const std::string text = state_text(lost.state);
  draw(ladder, sender, lost.segment, sender == Side::Client ? text : "", sender == Side::Server ? text : "", true);
}

void Trace::draw(Ladder& ladder, Side sender, const ObservedSegment& segment, const std::string& client,
                 const std::string& server, bool lost) {
  if (!std::exchange(ladder.titled, true)) draw_title(ladder, sender, segment);
  const bool by_server = sender == Side::Server;
  const auto own = ladder.isn[index(by_server)];
  const auto others = ladder.isn[index(!by_server)];
  const bool has_ack = (segment.flags & kAck) != 0;
  std::string text =
      fmt::format("{}  seq={}", flags_text(segment.flags), number_text(by_server ? 'n' : 'm', own, segment.seq));
  if (has_ack) text += fmt::format("  ack={}", number_text(by_server ? 'm' : 'n', others, segment.ack));
  // The handshake's two acknowledgments are what both ends check (RFC 9293 §3.5).
  const bool checked = (segment.flags & kSyn) != 0 || segment.before == ConnectionState::SynReceived;
  if (has_ack && checked && others) text += segment.ack == *others + 1 ? " ✓" : " ✗";
  size_t columns = text.size() - (text.ends_with("✓") || text.ends_with("✗") ? 2 : 0);
  if (segment.text > 0) {
    const std::string length = fmt::format("  len={}", segment.text);
    text += length;
    columns += length.size();
  }
  std::string line;
  for (size_t i = columns + 7; i < kArrow; ++i) line += "─";
  const std::string arrow = by_server ? fmt::format("{}─ {} {}──", lost ? "✗" : "◀", text, line)
                                      : fmt::format("── {} {}─{}", text, line, lost ? "✗" : "▶");
  draw_row(ladder, fmt::format("{:.6f}", (segment.at - start_).to_seconds()), by_server && lost ? "lost" : client,
           arrow, !by_server && lost ? "lost" : server);
}

// A column for the states of each end that is seen.
void Trace::draw_row(const Ladder& ladder, const std::string& time, const std::string& client,
                     const std::string& middle, const std::string& server) {
  const std::string left = seen_[0] ? fmt::format("{:<12} ", client) : "";
  fmt::print(out_, "#{:<3}{:>11} {}{} {}\n", ladder.number, time, left, middle, seen_[1] ? server : "");
  std::fflush(out_);
}

// Names the ends, and says in which states they were before the first segment, if that is a SYN.
void Trace::draw_title(const Ladder& ladder, Side sender, const ObservedSegment& first) {
  fmt::print(out_, "#{:<3}    seconds {}client {}, its ISN is m; server {}, its ISN is n\n", ladder.number,
             seen_[0] ? fmt::format("{:<13}", "client") : "", ladder.key.first.to_string(),
             ladder.key.second.to_string());
  if ((first.flags & (kSyn | kAck)) != kSyn || sender != Side::Client) return;
  draw_row(ladder, "", "CLOSED", std::string(kArrow, ' '), first.received ? state_text(first.before) : "");
}

}  // namespace estab::app
