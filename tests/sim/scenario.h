// What happens in one run, all of it drawn from the seed before the run begins.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "device/impaired_link.h"
#include "stack/stack.h"

namespace estab::sim {

inline constexpr wire::Port kListening{7};
inline constexpr wire::Port kNobody{9};
inline constexpr std::array<wire::Ipv4Address, 2> kAddress = {wire::Ipv4Address(198, 18, 0, 1),
                                                              wire::Ipv4Address(198, 18, 0, 2)};

// What a user does at a moment of its own choosing, whatever the connection is doing then.
enum class Act : uint8_t { StopReading, ReadAgain, Shutdown, Close, Abort };
struct Moment {
  Duration at;  // since the run began
  Act act;
};

// What a user does when it has sent all that it wanted to.
enum class Ending : uint8_t { Shutdown, CloseAfterPeer, Close };

struct UserPlan {
  uint32_t bytes = 0;  // to send
  uint32_t chunk = 1;  // bytes a send call
  Duration pause;      // between two calls; 0: as fast as the stack takes it
  bool early = false;  // sends before the connection is established
  Ending ending = Ending::Shutdown;
  std::vector<Moment> moments;

  bool does(Act act) const;
};

struct ConnectionPlan {
  Duration opens;
  size_t opener = 0;
  wire::Port port = kListening;  // that the opener connects to
  bool simultaneous = false;     // the other end opens too, to `other_port`
  wire::Port other_port;
  std::array<UserPlan, 2> user;  // by end
};

enum class Trouble : uint8_t { Dead, Alive, Hoard, GiveBack, Room };
struct TroubleAt {
  Duration at;
  size_t end = 0;
  Trouble what = Trouble::Dead;
  uint32_t amount = 0;  // Hoard: mbufs that are left; Room: packets that a transmit takes
};

struct AttackAt {  // a forged packet
  Duration at;
  size_t victim = 0;
};

struct Scenario {
  uint64_t seed = 0;
  Instant start;
  device::ImpairedLinkOptions link;
  std::array<stack::StackConfig, 2> stack;
  std::array<uint32_t, 2> backlog{};
  std::vector<ConnectionPlan> connections;
  std::vector<TroubleAt> troubles;
  std::vector<AttackAt> attacks;
  Duration heals;                    // then the link is good, memory is back, and users come to their end
  std::array<bool, 2> stays_dead{};  // except for this
  bool may_time_out = false;         // the troubles are such that a connection may give up
  bool records_scarce = false;       // there are fewer records than connections
};

Scenario draw(uint64_t seed);

// The byte at a place of what `end` of a connection sends: known to both, so that it can be checked where it arrives.
inline uint8_t byte_at(uint64_t seed, size_t connection, size_t end, uint64_t at) {
  uint64_t word = seed * 0x9e3779b97f4a7c15ULL + connection * 131 + end * 7 + (at >> 3) * 0xbf58476d1ce4e5b9ULL;
  word = (word ^ word >> 29) * 0x94d049bb133111ebULL;
  return static_cast<uint8_t>(word >> (24 + (at & 7) * 5));
}

// For a person: what is special about the run.
std::string describe(const Scenario& scenario);

}  // namespace estab::sim
