// Numbers that a run would hardly ever meet by chance: ports that make an open simultaneous, clocks at which sequence
// numbers and timestamps wrap around.
#pragma once

#include "sim/scenario.h"

namespace estab::sim {

// Lets both ends open the first connection, to each other's port, at about the same time.
void open_simultaneously(Scenario& scenario, Random& random);

// Sets the start of time, mostly so that something wraps around soon after.
void draw_clock(Scenario& scenario, Random& random);

}  // namespace estab::sim
