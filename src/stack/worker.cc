#include "stack/worker.h"

#include <rte_pause.h>
#include <time.h>

namespace estab::stack {

void Worker::back_off() {
  constexpr Duration kSpin = Duration::microseconds(50);
  constexpr Duration kNap = Duration::microseconds(20);
  if (link_.capabilities().polls_hardware || idle_since_.is_never() || clock_.now() - idle_since_ < kSpin) {
    rte_pause();
    return;
  }
  const timespec nap{0, static_cast<long>(kNap.ns())};
  nanosleep(&nap, nullptr);
}

}  // namespace estab::stack
