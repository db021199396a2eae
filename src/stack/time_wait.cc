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
  waiting = TimeWaitRecord{};
  waiting.tuple = record.tuple;
  waiting.take(record.tcb);
  const Instant expires = record.tcb.wait_at;
  table_.replace(record.hash, index_of(record), index | kTimeWaitBit);
  free_record(record);
  wheel_.schedule(index | kTimeWaitBit, expires.ms_up());
}

void Stack::segment_in_time_wait(uint32_t index, buf::Mbuf packet, const Parsed& parsed) {
  TimeWaitRecord& waiting = time_waits_[index];
  const Instant no_change = Instant::never() - Duration::nanoseconds(1);
  tcp::Tcb tcb = waiting.expand(no_change);
  tcp::Actions actions = tcp::segment_arrives(tcb, parsed.segment, context());
  count_drop(actions, parsed.segment);
  if (actions.reply) reply_to(std::move(packet), parsed, actions.reply);
  if (actions.reopen) {
    const wire::Seq previous = tcb.snd.nxt;
    release_time_wait(index);
    segment_for_nobody(std::move(packet), parsed, previous);
  } else if (actions.closed) {
    release_time_wait(index);
  } else {
    waiting.take(tcb);
    if (tcb.wait_at != no_change) wheel_.schedule(index | kTimeWaitBit, tcb.wait_at.ms_up());
  }
}

void Stack::release_time_wait(uint32_t index) {
  wheel_.cancel(index | kTimeWaitBit);
  table_.erase(hash_of(time_waits_[index].tuple), index | kTimeWaitBit);
  --counters_.by_state[static_cast<size_t>(tcp::State::TimeWait)];
  time_waits_.release(index);
}

}  // namespace estab::stack
