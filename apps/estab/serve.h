#pragma once

#include "options.h"

namespace estab::app {

// Exit status: 0 done, 1 the run failed or something leaked.
int serve(const ServeOptions& options);

}  // namespace estab::app
