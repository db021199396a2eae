// What must hold after every event, whatever has happened.
#pragma once

#include "sim/world.h"

namespace estab::sim {

// Of every connection that is there, of each with its peer, and of the stacks' own books. Failures go to the world.
void check_invariants(World& world);

// Of the end of the run: nothing is left, and every connection's two ends fit together.
void check_nothing_left(World& world);
void check_outcomes(World& world);

}  // namespace estab::sim
