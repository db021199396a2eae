#include "sim/numbers.h"

#include <optional>

#include "flow/port_allocator.h"
#include "tcp/isn.h"

namespace estab::sim {
namespace {

// The first port that a fresh stack opens from: flow::PortAllocator, without its counters.
wire::Port first_port(const Scenario& s, size_t from, wire::Port to) {
  const uint64_t words[2] = {static_cast<uint64_t>(kAddress[from].value()) << 32 | kAddress[1 - from].value(),
                             to.value()};
  const auto f = static_cast<uint32_t>(siphash_words<1, 3>(s.stack[from].secrets.port, words));
  return wire::Port(static_cast<uint16_t>(flow::PortAllocator::kFirst + f % flow::PortAllocator::kCount));
}

// Ports p and q such that end 0 connects to q from p, and end 1 to p from q.
std::optional<std::pair<wire::Port, wire::Port>> find_ports(const Scenario& s) {
  for (uint32_t q = flow::PortAllocator::kFirst; q < 65536; ++q) {
    const wire::Port port(static_cast<uint16_t>(q));
    const wire::Port p = first_port(s, 0, port);
    if (first_port(s, 1, p) == port) return std::pair(p, port);
  }
  return std::nullopt;
}

// What the first connection starts from at `end`, at time 0.
tcp::InitialNumbers numbers_at_zero(const Scenario& s, size_t end) {
  const ConnectionPlan& plan = s.connections[0];
  const wire::Port near = first_port(s, plan.opener, plan.port);
  wire::Tuple tuple{kAddress[plan.opener], kAddress[1 - plan.opener], near, plan.port};
  if (end != plan.opener) tuple = {tuple.remote, tuple.local, tuple.remote_port, tuple.local_port};
  return tcp::initial_numbers(s.stack[end].secrets.isn, tuple, Instant());
}

void send_much(Scenario& s) {
  for (UserPlan& user : s.connections[0].user) {
    user.bytes += 30'000;
    user.chunk += 1'000;
    user.pause = {};
  }
}

}  // namespace

void open_simultaneously(Scenario& s, Random& random) {
  auto ports = find_ports(s);
  while (!ports) {
    s.stack[1].secrets.port = {random.next(), random.next()};
    ports = find_ports(s);
  }
  ConnectionPlan& plan = s.connections[0];
  plan.simultaneous = true;
  plan.other_port = ports->first;
  plan.port = ports->second;
}

void draw_clock(Scenario& s, Random& random) {
  constexpr uint64_t kMs = 1'000'000;
  constexpr uint64_t kIsnPeriod =
      (uint64_t{1} << 32) * 4'000;  // ns, after which initial sequence numbers come round again
  const uint64_t hours = 3'600'000 * kMs * (1 + random.below(1000));
  const size_t end = random.below(2);
  switch (random.below(6)) {
    case 0:  // nothing special
      s.start = Instant::from_ns(random.chance(0.1) ? 0 : hours + random.below(1'000'000'000));
      return;
    case 1:  // the clock in milliseconds passes 2^32: 49 days
      s.start = Instant::from_ns(((uint64_t{1} << 32) - random.below(4'000)) * kMs);
      return;
    case 2:  // in microseconds: 71 minutes
      s.start = Instant::from_ns(((uint64_t{1} << 32) - random.below(4'000'000)) * 1'000);
      return;
    case 3:
    case 4: {  // sequence numbers
      const uint32_t target = 0u - 16'000 - random.below(20'000) - numbers_at_zero(s, end).isn.value();
      s.start = Instant::from_ns(uint64_t{target} * 4'000 + kIsnPeriod * (1 + random.below(3)));
      send_much(s);
      return;
    }
    default:  // timestamps
      s.start = Instant::from_ns(uint64_t{0u - random.below(3'000) - numbers_at_zero(s, end).ts_offset} * kMs +
                                 kMs * random.below(1000) / 1000);
      return;
  }
}

}  // namespace estab::sim
