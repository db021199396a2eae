#pragma once

#include "options.h"

namespace estab::app {

// Exit status: 0 done, 1 something failed or leaked.
int bench(const BenchOptions& options);

}  // namespace estab::app
