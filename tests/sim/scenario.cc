#include "sim/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/numbers.h"

namespace estab::sim {
namespace {

Duration up_to_ms(Random& random, uint32_t ms) {
  return Duration::microseconds(random.below(ms * 1000 + 1));
}

template <typename T, size_t N>
T one_of(Random& random, const T (&choices)[N]) {
  return choices[random.below(N)];
}

device::ImpairmentSettings draw_direction(Random& random, bool bad) {
  device::ImpairmentSettings s;
  s.delay = up_to_ms(random, one_of<uint32_t>(random, {0, 1, 5, 20, 100, 300}));
  if (random.chance(0.3)) s.jitter = up_to_ms(random, 30);
  if (random.chance(0.3)) {
    s.rate = one_of<uint64_t>(random, {500'000, 2'000'000, 10'000'000, 100'000'000, 1'000'000'000});
    s.queue = one_of<uint32_t>(random, {4'000, 20'000, 64'000, 256'000});
  }
  if (!bad) return s;
  const auto sometimes = [&](double most) { return random.chance(0.4) ? most * random.below(1000) / 1000 : 0.0; };
  s.loss = sometimes(random.chance(0.2) ? 0.3 : 0.05);
  s.duplication = sometimes(0.2);
  s.reordering = sometimes(0.3);
  s.reorder_delay = up_to_ms(random, one_of<uint32_t>(random, {2, 30, 400}));
  s.corruption = sometimes(0.05);
  s.truncation = sometimes(0.05);
  if (random.chance(0.15)) {
    s.burst_loss = 0.001 * (1 + random.below(20));
    s.burst_length = 2 + random.below(15);
  }
  return s;
}

void draw_link(Scenario& s, Random& random) {
  s.link.seed = random.next();
  s.link.mtu = one_of<uint16_t>(random, {1500, 1500, 1500, 1500, 576, 296, 9000});
  s.link.multi_segment = s.link.mtu > 1500 || random.chance(0.8);
  if (random.chance(0.15)) s.link.receive_segment = static_cast<uint16_t>(64 + random.below(1000));
  const bool bad = random.chance(0.75);
  for (auto& direction : s.link.from) direction = draw_direction(random, bad);
  if (random.chance(0.7)) s.link.from[1] = s.link.from[0];
}

tcp::Parameters draw_tcp(Random& random, uint16_t mtu) {
  tcp::Parameters p;
  p.mss = static_cast<uint16_t>(mtu - 40 - (random.chance(0.1) ? random.below(100) : 0));
  p.receive_buffer = one_of<uint32_t>(random, {256 * 1024, 65'535, 20'000, 8'000, 3'000, 1'000'000});
  const auto most = static_cast<uint32_t>(std::log2(p.receive_buffer / 500));
  p.window_scale = static_cast<uint8_t>(random.below(std::min(most, 14u) + 1));
  p.initial_window = one_of<uint8_t>(random, {10, 10, 3, 1});
  p.timestamps = random.chance(0.7);
  p.sack = random.chance(0.7);
  p.nagle = random.chance(0.6);
  p.max_rto = Duration::seconds(one_of<int64_t>(random, {2, 5, 20, 60}));
  p.syn_retries = static_cast<uint8_t>(random.chance(0.3) ? 2 + random.below(4) : 12 + random.below(4));
  p.data_retries = static_cast<uint8_t>(random.chance(0.3) ? 3 + random.below(5) : 12 + random.below(4));
  p.time_wait = Duration::milliseconds(one_of<int64_t>(random, {100, 1'000, 10'000, 60'000}));
  p.fin_wait_2_timeout = Duration::milliseconds(one_of<int64_t>(random, {500, 5'000, 60'000}));
  return p;
}

void draw_stacks(Scenario& s, Random& random) {
  const bool same = random.chance(0.5);
  for (size_t end = 0; end < 2; ++end) {
    stack::StackConfig& config = s.stack[end];
    config.interface.mac = {{0x02, 0, 0, 0, 0, static_cast<uint8_t>(1 + end)}};
    config.interface.address = kAddress[end];
    config.tcp = end == 1 && same ? s.stack[0].tcp : draw_tcp(random, s.link.mtu);
    for (SipKey* key : {&config.secrets.isn, &config.secrets.flow, &config.secrets.port, &config.secrets.cookie}) {
      *key = {random.next(), random.next()};
    }
    config.send_buffer = one_of<uint32_t>(random, {256 * 1024, 32 * 1024, 2'000});
    config.max_connections = 256;
    if (random.chance(0.1)) {
      config.max_connections = 1 + random.below(static_cast<uint32_t>(s.connections.size()) + 2);
      s.records_scarce = true;
    }
    config.syn_cookies = one_of<stack::SynCookies>(random, {stack::SynCookies::Auto, stack::SynCookies::Auto,
                                                            stack::SynCookies::Never, stack::SynCookies::Always});
    s.backlog[end] = random.chance(0.2) ? random.below(4) : 128;
    // A SYN that is refused for want of room comes again, but not for ever.
    if (config.syn_cookies == stack::SynCookies::Never && s.backlog[end] < 128) s.may_time_out = true;
  }
  if (s.records_scarce) s.may_time_out = true;
}

UserPlan draw_user(Random& random, Duration opens, uint32_t most) {
  UserPlan plan;
  const uint32_t kind = random.below(10);
  if (kind >= 2)
    plan.bytes = 1 + random.below(kind < 6 ? std::min(most, 4'000u) : kind < 9 ? std::min(most, 60'000u) : most);
  plan.chunk = 1 + random.below(one_of<uint32_t>(random, {10, 600, 3'000, 20'000}));
  plan.chunk = std::max(plan.chunk, plan.bytes / 400);  // no more calls than this
  if (random.chance(0.3)) plan.pause = up_to_ms(random, 200);
  plan.early = random.chance(0.3);
  plan.ending = one_of<Ending>(
      random, {Ending::Shutdown, Ending::Shutdown, Ending::CloseAfterPeer, Ending::CloseAfterPeer, Ending::Close});
  const auto at = [&] { return opens + up_to_ms(random, one_of<uint32_t>(random, {10, 300, 5'000})); };
  while (random.chance(0.25)) {
    const Duration stops = at();
    plan.moments.push_back({stops, Act::StopReading});
    if (random.chance(0.8)) plan.moments.push_back({stops + up_to_ms(random, 8'000), Act::ReadAgain});
  }
  if (random.chance(0.12)) plan.moments.push_back({at(), one_of<Act>(random, {Act::Shutdown, Act::Close, Act::Abort})});
  return plan;
}

void draw_connections(Scenario& s, Random& random) {
  const uint32_t kind = random.below(10);
  const uint32_t count = kind < 6 ? 1 + random.below(3) : kind < 9 ? 3 + random.below(10) : 12 + random.below(39);
  const uint32_t most = count < 3 ? one_of<uint32_t>(random, {400'000, 2'000'000}) : count < 12 ? 60'000 : 10'000;
  const bool one_way = random.chance(0.5);
  const uint32_t span = one_of<uint32_t>(random, {0, 10, 1'000, 5'000});
  for (uint32_t i = 0; i < count; ++i) {
    ConnectionPlan plan;
    if (i > 0) {  // the first opens at once: the clock may be set by it
      plan.opens = up_to_ms(random, span);
      plan.opener = one_way ? 0 : random.below(2);
      if (random.chance(0.02)) plan.port = kNobody;
    }
    for (UserPlan& user : plan.user) user = draw_user(random, plan.opens, most);
    s.connections.push_back(std::move(plan));
  }
}

void draw_troubles(Scenario& s, Random& random) {
  const auto add = [&](size_t end, Trouble begins, uint32_t amount, Trouble ends, uint32_t ends_amount) {
    const Duration at = up_to_ms(random, one_of<uint32_t>(random, {50, 1'000, 6'000}));
    s.troubles.push_back({at, end, begins, amount});
    const Duration lasts = up_to_ms(random, one_of<uint32_t>(random, {200, 3'000, 20'000}));
    s.troubles.push_back({at + lasts, end, ends, ends_amount});
    s.may_time_out = true;
  };
  for (size_t end = 0; end < 2; ++end) {
    if (random.chance(0.08)) add(end, Trouble::Dead, 0, Trouble::Alive, 0);
    if (random.chance(0.08))
      add(end, Trouble::Hoard, random.below(one_of<uint32_t>(random, {1, 20, 300})), Trouble::GiveBack, 0);
    if (random.chance(0.08)) add(end, Trouble::Room, random.below(3), Trouble::Room, UINT16_MAX);
  }
  if (random.chance(0.04)) {
    const size_t end = random.below(2);
    s.troubles.push_back({up_to_ms(random, 3'000), end, Trouble::Dead, 0});
    s.stays_dead[end] = true;
    s.may_time_out = true;
  }
}

// Of a generator of its own, so that a seed is otherwise what it was.
void draw_attacks(Scenario& s) {
  Random random(s.seed ^ 0xa77acc);
  if (!random.chance(0.35)) return;
  const uint32_t count = one_of<uint32_t>(random, {5, 50, 300});
  const uint32_t span = one_of<uint32_t>(random, {50, 1'000, 6'000});
  for (uint32_t i = 0; i < count; ++i) s.attacks.push_back({up_to_ms(random, span), random.below(2)});
}

// Whether a connection could meet so many losses in a row that it gives up.
void judge_losses(Scenario& s) {
  double arrives = 1;
  for (const device::ImpairmentSettings& d : s.link.from) {
    arrives *= (1 - d.loss) * (1 - d.corruption) * (1 - d.truncation);
    if (d.burst_loss > 0 || (d.rate > 0 && d.queue < 64'000)) s.may_time_out = true;
  }
  for (const stack::StackConfig& config : s.stack) {
    const int tries = std::min(config.tcp.syn_retries, config.tcp.data_retries) + 1;
    if (std::pow(1 - arrives, tries) > 1e-9) s.may_time_out = true;
    // Waiting in the queue of a slow link can take longer than all retransmissions.
    const bool slow = std::any_of(s.link.from.begin(), s.link.from.end(),
                                  [](const auto& d) { return d.rate > 0 && d.rate < 10'000'000; });
    if (slow && tries < 10) s.may_time_out = true;
  }
}

}  // namespace

bool UserPlan::does(Act act) const {
  return std::any_of(moments.begin(), moments.end(), [act](const Moment& m) { return m.act == act; });
}

Scenario draw(uint64_t seed) {
  Scenario s;
  s.seed = seed;
  Random random(seed * 2'654'435'761u + 17);
  for (int i = 0; i < 4; ++i) random.next();
  draw_link(s, random);
  draw_connections(s, random);
  draw_stacks(s, random);
  if (random.chance(0.5)) draw_troubles(s, random);
  if (random.chance(0.1)) open_simultaneously(s, random);
  draw_clock(s, random);
  judge_losses(s);
  draw_attacks(s);
  s.heals = Duration::seconds(one_of<int64_t>(random, {2, 10, 30}));
  return s;
}

std::string describe(const Scenario& s) {
  std::string out = fmt::format("mtu {}, {} connections, {} forged packets, heals after {} s", s.link.mtu,
                                s.connections.size(), s.attacks.size(), s.heals.to_seconds());
  for (size_t end = 0; end < 2; ++end) {
    const auto& d = s.link.from[end];
    const auto& p = s.stack[end].tcp;
    out += fmt::format(
        "\n  end {}: loss {:.3f} burst {:.3f}x{} dup {:.3f} reorder {:.3f} ({} us) corrupt {:.3f} truncate {:.3f} "
        "delay {}+{} us rate {} "
        "queue {}\n    mss {} buffer {} scale {} iw {} ts {} sack {} nagle {} rto <= {} s retries {}/{} time-wait {} "
        "ms send buffer {} "
        "records {} cookies {} backlog {}{}",
        end, d.loss, d.burst_loss, d.burst_length, d.duplication, d.reordering, d.reorder_delay.us(), d.corruption,
        d.truncation, d.delay.us(), d.jitter.us(), d.rate, d.queue, p.mss, p.receive_buffer, p.window_scale,
        p.initial_window, p.timestamps, p.sack, p.nagle, p.max_rto.to_seconds(), p.syn_retries, p.data_retries,
        p.time_wait.ms(), s.stack[end].send_buffer, s.stack[end].max_connections,
        static_cast<int>(s.stack[end].syn_cookies), s.backlog[end], s.stays_dead[end] ? " DIES" : "");
  }
  return out;
}

}  // namespace estab::sim
