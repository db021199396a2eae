// The poll loop of one lcore: receive, process, expire, send; and what to do when there is nothing to do.
#pragma once

#include "device/clock.h"
#include "stack/stack.h"

namespace estab::stack {

struct WorkerCounters {
  uint64_t polls = 0;
  uint64_t idle_polls = 0;
  uint64_t busy_cycles = 0;
};

class Worker {
 public:
  Worker(Stack& stack, device::Link& link, const device::Clock& clock) : stack_(stack), link_(link), clock_(clock) {}

  // One turn. `extra` is called after the packets, may make user calls, and says whether it had something to do. True
  // when anything had.
  template <typename Extra>
  bool poll(Extra&& extra) {
    const uint64_t begin = device::Clock::cycles();
    const Instant now = clock_.at(begin);
    ++counters_.polls;
    const uint64_t sent = stack_.counters().tx_packets;
    link_.receive(burst_);
    bool busy = burst_.size() > 0;
    if (busy) stack_.receive(burst_, now);
    busy |= extra();
    stack_.advance(now);
    stack_.flush();
    busy |= stack_.counters().tx_packets != sent;
    if (busy) {
      counters_.busy_cycles += device::Clock::cycles() - begin;
      idle_since_ = Instant::never();
    } else {
      ++counters_.idle_polls;
      if (idle_since_.is_never()) idle_since_ = now;
    }
    return busy;
  }

  // After an idle poll: on a software device, spins for a while, then sleeps for moments, so as not to burn a shared
  // core.
  void back_off();

  const WorkerCounters& counters() const { return counters_; }

 private:
  Stack& stack_;
  device::Link& link_;
  const device::Clock& clock_;
  buf::MbufBurst burst_;
  WorkerCounters counters_;
  Instant idle_since_ = Instant::never();
};

}  // namespace estab::stack
