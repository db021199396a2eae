// The load: opens connections as the workload says, and counts what becomes of each. Lives on the client's worker.
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "histogram.h"
#include "options.h"

namespace estab::app {

class Generator final : public Service {
 public:
  struct Counts {
    uint64_t attempted = 0;
    uint64_t established = 0;
    uint64_t closed = 0;    // ended as the workload wants it
    uint64_t requests = 0;  // answered
    std::map<std::string, uint64_t> failures;

    uint64_t failed() const {
      uint64_t sum = 0;
      for (const auto& [reason, count] : failures) sum += count;
      return sum;
    }
  };

  Generator(Endpoint& endpoint, const SocketAddress& server, const BenchOptions& options);

  // From now on opens what is due; call once, then every poll calls work().
  void start();
  void work();
  // Opens no more; standing connections are closed.
  void finish();

  bool reached() const {
    return reached_.load(std::memory_order_relaxed);
  }  // as many as were asked for have ended (hold: stand)
  bool idle() const { return under_way_.load(std::memory_order_relaxed) == 0; }

  // To be read on the worker's thread.
  const Counts& counts() const { return counts_; }
  const Histogram& handshakes() const { return handshakes_; }
  const Histogram& round_trips() const { return round_trips_; }

  void on_connect(Connection connection) override;
  void on_receive(Connection connection) override;
  void on_peer_close(Connection connection) override;
  void on_close(Connection connection, Error error) override;

 private:
  // What a connection's word points to.
  struct Slot {
    Instant due;
    uint32_t received = 0;
    bool established = false;
    bool finished = false;  // it may end now, however
    bool waiting = false;   // for a response
    Connection connection;
  };

  void open(Instant due);
  void open_due(Instant now);
  void end(Connection connection, Slot& slot);
  void send_request(Connection connection, Slot& slot, Instant due);
  bool wants_more() const;
  bool reconnects() const { return options_.workload != Workload::Rr && options_.workload != Workload::Hold; }
  void note_progress();
  void close_standing();

  Endpoint& endpoint_;
  SocketAddress server_;
  const BenchOptions& options_;
  std::vector<uint8_t> request_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  std::vector<uint32_t> standing_;  // rr at a rate: connections without a request under way
  Counts counts_;
  Histogram handshakes_;
  Histogram round_trips_;
  Instant next_due_;
  Instant blocked_until_;
  Duration interval_;  // zero: not at a rate
  bool started_ = false;
  bool finishing_ = false;
  size_t closing_at_ = 0;
  std::atomic<bool> reached_ = false;
  std::atomic<uint64_t> under_way_ = 0;
};

}  // namespace estab::app
