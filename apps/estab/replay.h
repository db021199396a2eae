#pragma once

#include "options.h"

namespace estab::app {

// Exit status: 0 done, 1 the run failed or something leaked, 2 bad usage.
int replay(const ReplayOptions& options);

}  // namespace estab::app
