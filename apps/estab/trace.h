// Draws connections as a ladder while they happen, as RFC 9293's figure 6 draws the handshake: one line a segment, with
// the states of the ends that can be seen beside the arrow.
#pragma once

#include <cstdint>
#include <cstdio>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "estab/observer.h"

namespace estab::app {

class Trace {
 public:
  // Draws the first `connections` connections, onto `out`. It must outlive, or be taken from, the endpoints that it
  // observes.
  Trace(uint64_t connections, std::FILE* out);
  ~Trace();  // draws what was sent and never arrived
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  // For Endpoint::set_observer, on the end that connects and on the end that listens; ask for both before the first
  // segment. Both ends may be on different threads. An end that is never asked for is one that can't be seen.
  Observer* client_end();
  Observer* server_end();

 private:
  enum class Side : uint8_t { Client, Server };

  class End final : public Observer {
   public:
    End(Trace& trace, Side side) : trace_(trace), side_(side) {}
    void on_segment(const ObservedSegment& segment) override { trace_.observe(side_, segment); }

   private:
    Trace& trace_;
    Side side_;
  };

  // A segment that was sent, and the state that its sender was then in.
  struct Sent {
    ObservedSegment segment;
    ConnectionState state;
  };

  using Key = std::pair<SocketAddress, SocketAddress>;  // client, server

  struct Ladder {
    Key key;
    uint64_t number = 0;
    bool titled = false;
    std::optional<uint32_t> isn[2];  // by Side: m of the client, n of the server
    bool fin_sent[2] = {};
    std::deque<Sent> under_way[2];  // by the Side that sent them, where both ends are seen
  };

  void observe(Side side, const ObservedSegment& segment);
  Ladder* ladder_for(Side side, const ObservedSegment& segment);
  void sent(Ladder& ladder, Side side, const ObservedSegment& segment);
  void received(Ladder& ladder, Side side, const ObservedSegment& segment);
  void draw_lost(Ladder& ladder, Side sender);
  void draw(Ladder& ladder, Side sender, const ObservedSegment& segment, const std::string& client,
            const std::string& server, bool lost);
  void draw_row(const Ladder& ladder, const std::string& time, const std::string& client, const std::string& middle,
                const std::string& server);
  void draw_title(const Ladder& ladder, Side sender, const ObservedSegment& first);

  const uint64_t connections_;
  std::FILE* const out_;
  End ends_[2];
  bool seen_[2] = {};  // by Side

  std::mutex mutex_;
  std::map<Key, Ladder> ladders_;
  uint64_t begun_ = 0;
  Instant start_ = Instant::never();
};

}  // namespace estab::app
