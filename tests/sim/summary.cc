#include "sim/summary.h"

#include <fmt/format.h>

namespace estab::sim {
namespace {

constexpr const char* kErrorNames[] = {"in order", "refused",          "reset",       "timed out",
                                       "aborted",  "data after close", "unreachable", "stalled"};

template <size_t N>
std::string numbers(const char* title, const std::array<uint64_t, N>& values) {
  std::string out = title;
  for (size_t i = 0; i < N; ++i) {
    if (values[i] != 0) out += fmt::format(" {}:{}", i, values[i]);
  }
  return out + "\n";
}

template <size_t N>
void add_all(std::array<uint64_t, N>& to, const std::array<uint64_t, N>& from) {
  for (size_t i = 0; i < N; ++i) to[i] += from[i];
}

}  // namespace

std::string line_of(const Result& r) {
  std::string out =
      fmt::format("{} frames, {} turns, {} bytes received, {:.1f} s;", r.frames, r.turns, r.bytes, r.span.to_seconds());
  for (size_t i = 0; i < r.ends.size(); ++i) {
    if (r.ends[i] != 0) out += fmt::format(" {} {}", r.ends[i], kErrorNames[i]);
  }
  return out;
}

std::string report(uint64_t seed, const Result& result, const std::string& pcap) {
  std::string name = pcap;
  if (name.empty()) {
    name = fmt::format("sim-{}", seed);
    run(draw(seed), {.pcap = name});
  }
  return fmt::format(
      "FAILED seed {}: {}\n  captures: {}.0.pcap, {}.1.pcap\n  again: scripts/sim --seed {} --pcap {}.pcap", seed,
      result.failure, name, name, seed, name);
}

void Summary::add(const Result& result) {
  ++runs;
  failures += result.failure.empty() ? 0 : 1;
  sum.frames += result.frames;
  sum.turns += result.turns;
  sum.bytes += result.bytes;
  sum.span = sum.span + result.span;
  sum.ghosts += result.ghosts;
  add_all(sum.ends, result.ends);
  stack::Counters& all = sum.counters[0];
  for (const stack::Counters& c : result.counters) {
    all.retransmitted += c.retransmitted;
    all.resets_sent += c.resets_sent;
    all.cookies_sent += c.cookies_sent;
    all.cookies_accepted += c.cookies_accepted;
    all.cookies_refused += c.cookies_refused;
    add_all(all.net_drops, c.net_drops);
    add_all(all.tcp_drops, c.tcp_drops);
    add_all(all.drops, c.drops);
  }
}

std::string Summary::text() const {
  const stack::Counters& all = sum.counters[0];
  return fmt::format("{} seeds, {} failed; ends:{}\n", runs, failures,
                     line_of(sum).substr(line_of(sum).find(';') + 1)) +
         fmt::format("{} frames, {} turns, {} bytes received, {:.0f} s of virtual time, {} ghosts\n", sum.frames,
                     sum.turns, sum.bytes, sum.span.to_seconds(), sum.ghosts) +
         fmt::format("{} retransmitted, {} resets; cookies: {} sent, {} accepted, {} refused\n", all.retransmitted,
                     all.resets_sent, all.cookies_sent, all.cookies_accepted, all.cookies_refused) +
         numbers("net::Drop  ", all.net_drops) + numbers("tcp::Drop  ", all.tcp_drops) +
         numbers("stack::Drop", all.drops);
}

}  // namespace estab::sim
