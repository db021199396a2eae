// Counters as users see them.
#pragma once

#include "estab/stats.h"
#include "stack/counters.h"

namespace estab {

Stats make_stats(const stack::Counters& counters);

}  // namespace estab
