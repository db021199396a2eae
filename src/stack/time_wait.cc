// TIME-WAIT apart from the connections that live: it costs a cache line, and nothing until it expires.
#include "stack/stack.h"
#include "tcp/segment_arrives.h"

namespace estab::stack {

// Moves a connection that entered TIME-WAIT to a record of that kind. With none left it is forgotten early (counted).
void Stack::enter_time_wait(Record& record) {
  const uint32_t index = time_waits_.allocate();
  if (index == flow::kNoRecord) {
    ++counters_.drops[static_cast<size_t>(Drop::TimeWaitFull)];
    release(record);
    return;
  }
  TimeWaitRecord& waiting = time_waits_[index];
  timer::renew(waiting);
  waiting.in_use = true;
  waiting.tuple = record.tuple;
  waiting.hash = record.hash;
  waiting.take(record.tcb);
  table_.replace(record.hash, index_of(record), index | kTimeWaitBit);
  const uint64_t expires = record.tcb.wait_at.ms_up();
  free_record(record);
  wheel_.ensure(index | kTimeWaitBit, expires);
}

void Stack::segment_in_time_wait(uint32_t index, buf::Mbuf& packet, const Parsed& parsed) {
  TimeWaitRecord& waiting = time_waits_[index];
  tcp::Tcb tcb = waiting.expand(now_);
  tcp::Actions actions = tcp::segment_arrives(tcb, parsed.segment, context());
  count_drop(actions, parsed.segment);
  if (actions.reply) reply_to(packet, parsed, actions.reply);
  if (actions.reopen) {
    const wire::Seq previous = tcb.snd.nxt;
    release_time_wait(index);
    segment_for_nobody(packet, parsed, previous);
  } else if (actions.closed) {
    release_time_wait(index);
  } else {
    waiting.take(tcb);  // it can only have been put off, and the wheel's entry then looks again
  }
}

void Stack::expire_time_wait(uint32_t index) {
  const TimeWaitRecord& waiting = time_waits_[index];
  if (!waiting.in_use) return;
  if (const int32_t left = waiting.left_ms(now_); left > 0) {
    wheel_.ensure(index | kTimeWaitBit, now_.ms() + static_cast<uint32_t>(left));
  } else {
    release_time_wait(index);
  }
}

void Stack::release_time_wait(uint32_t index) {
  time_waits_[index].in_use = false;
  table_.erase(time_waits_[index].hash, index | kTimeWaitBit);
  --counters_.by_state[static_cast<size_t>(tcp::State::TimeWait)];
  time_waits_.release(index);
}

}  // namespace estab::stack
