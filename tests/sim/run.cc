#include "sim/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "device/pcap_file.h"
#include "sim/attacker.h"
#include "sim/invariants.h"
#include "sim/users.h"

namespace estab::sim {
namespace {

constexpr uint64_t kMaxTurns = 400'000;               // of a run
constexpr uint64_t kMaxTurnsAtOnce = 20'000;          // without the clock moving
constexpr Duration kPatience = Duration::seconds(3);  // between looks for ends whose peer is gone

class Run {
 public:
  Run(const Scenario& scenario, const RunOptions& options)
      : world_(scenario), attacker_(world_, scenario.seed), options_(options) {}
  Result play();

 private:
  void set_up();
  void tap(size_t end);
  void plan_opens();
  void plan_troubles();
  void trouble(const TroubleAt& trouble);
  void hoard(size_t end, uint32_t leave);
  void heal();
  void look_after_orphans();
  void epilogue();

  void play_until_over();
  void happen();
  void turn();
  bool over() const;
  Instant next() const;
  Instant limit() const;
  void check_silence();
  std::string stuck(const char* what) const;

  World world_;
  Attacker attacker_;
  const RunOptions& options_;
  std::array<std::optional<Users>, 2> users_;
  std::array<std::vector<buf::Mbuf>, 2> hoards_;
  std::array<std::optional<device::PcapWriter>, 2> capture_;
  Result result_;
  uint64_t turns_at_once_ = 0;
  uint64_t progress_ = 0;            // the world's, when it last moved, and ...
  uint64_t frames_at_progress_ = 0;  // ... how many frames had been sent then
  bool in_epilogue_ = false;
};

void Run::set_up() {
  const Scenario& scenario = world_.scenario;
  auto pair = device::ImpairedLink::create_pair(scenario.link, world_.now, memory().pool[0], memory().pool[1]);
  world_.link = {std::move(pair.first), std::move(pair.second)};
  for (size_t end = 0; end < 2; ++end) {
    world_.stack[end] =
        std::make_unique<stack::Stack>(scenario.stack[end], *world_.link[end], memory().pool[end], world_.now);
    users_[end].emplace(world_, end);
    world_.stack[end]->listen(kListening, *users_[end], scenario.backlog[end]);
    if (!options_.pcap.empty() || options_.fingerprint) tap(end);
  }
  plan_opens();
  plan_troubles();
  for (const AttackAt& attack : scenario.attacks) {
    world_.events.emplace(scenario.start + attack.at, [this, victim = attack.victim] {
      if (!world_.healed) attacker_.strike(victim);
    });
  }
  world_.events.emplace(scenario.start + scenario.heals, [this] { heal(); });
}

void Run::tap(size_t end) {
  if (!options_.pcap.empty()) {
    auto made = device::PcapWriter::create(fmt::format("{}.{}.pcap", options_.pcap, end));
    if (!made) return world_.fail(made.error());
    capture_[end].emplace(std::move(*made));
  }
  world_.link[end]->set_tap([this, end](bool received, std::span<const uint8_t> frame) {
    if (capture_[end]) capture_[end]->write(world_.now.ns() / 1'000, frame);
    uint64_t& hash = result_.fingerprint;
    hash = (hash ^ world_.now.ns() ^ end << 1 ^ (received ? 1 : 0)) * 0x100000001b3ULL;
    for (const uint8_t byte : frame) hash = (hash ^ byte) * 0x100000001b3ULL;
  });
}

void Run::plan_opens() {
  const Scenario& scenario = world_.scenario;
  for (size_t i = 0; i < scenario.connections.size(); ++i) {
    const ConnectionPlan& plan = scenario.connections[i];
    auto& ends = world_.ends.emplace_back();
    for (size_t side = 0; side < 2; ++side) {
      ends[side].connection = i;
      ends[side].side = side;
      ends[side].plan = plan.user[side];
      for (const Moment& moment : plan.user[side].moments) {
        world_.events.emplace(scenario.start + moment.at, [this, &end = ends[side], act = moment.act] {
          if (!world_.healed) users_[end.side]->act(end, act);
        });
      }
      if (side != plan.opener && !plan.simultaneous) continue;
      ++world_.to_open;
      world_.events.emplace(scenario.start + plan.opens, [this, i, side] {
        --world_.to_open;
        users_[side]->open(i);
      });
    }
  }
}

void Run::plan_troubles() {
  for (const TroubleAt& t : world_.scenario.troubles) {
    world_.events.emplace(world_.scenario.start + t.at, [this, &t] { trouble(t); });
  }
}

void Run::trouble(const TroubleAt& t) {
  if (world_.healed) return;
  switch (t.what) {
    case Trouble::Dead:
      world_.link[t.end]->set_dead(true);
      break;
    case Trouble::Alive:
      if (!world_.scenario.stays_dead[t.end]) world_.link[t.end]->set_dead(false);
      break;
    case Trouble::Hoard:
      hoard(t.end, t.amount);
      break;
    case Trouble::GiveBack:
      hoards_[t.end].clear();
      break;
    case Trouble::Room:
      world_.link[t.end]->set_room(static_cast<uint16_t>(t.amount));
      break;
  }
}

void Run::hoard(size_t end, uint32_t leave) {
  auto& hoard = hoards_[end];
  while (buf::Mbuf taken = memory().pool[end].allocate()) hoard.push_back(std::move(taken));
  hoard.resize(hoard.size() - std::min<size_t>(hoard.size(), leave));
}

void Run::heal() {
  world_.healed = true;
  ++world_.progress;
  for (size_t end = 0; end < 2; ++end) {
    const device::ImpairmentSettings& now = world_.link[end]->impairment().settings();
    world_.link[end]->impairment().set(
        {.delay = now.delay, .jitter = now.jitter, .rate = now.rate, .queue = std::max(now.queue, 64'000u)});
    world_.link[end]->set_dead(world_.scenario.stays_dead[end]);
    world_.link[end]->set_room(UINT16_MAX);
    hoards_[end].clear();
  }
  for (auto& ends : world_.ends) {
    for (End& end : ends) users_[end.side]->finish(end);
  }
  world_.after(kPatience, [this] { look_after_orphans(); });
}

// An end whose peer is gone may wait for ever, for TCP asks nothing of a silent peer: its user loses patience.
void Run::look_after_orphans() {
  if (in_epilogue_) return;
  bool any = false;
  const bool dead = world_.scenario.stays_dead[0] || world_.scenario.stays_dead[1];
  for (auto& ends : world_.ends) {
    for (End& end : ends) {
      const End& peer = ends[1 - end.side];
      if (!end.opened || end.over) continue;
      any = true;
      // A peer that is not there yet may still be coming.
      const bool orphan = dead || peer.over || (end.established && !peer.opened && ++end.alone > 8);
      if (orphan && !end.closed) users_[end.side]->act(end, Act::Close);
    }
  }
  if (any || world_.to_open > 0) world_.after(kPatience, [this] { look_after_orphans(); });
}

// What is left unreleased could still stop the next connection: one more must go through.
void Run::epilogue() {
  const Scenario& scenario = world_.scenario;
  if (scenario.backlog[1] == 0 && scenario.stack[1].syn_cookies == stack::SynCookies::Never) return;
  in_epilogue_ = true;
  for (const auto& link : world_.link) link->set_dead(false);
  auto& ends = world_.ends.emplace_back();
  for (size_t side = 0; side < 2; ++side) {
    ends[side].connection = world_.ends.size() - 1;
    ends[side].side = side;
    ends[side].plan = {.bytes = 1'000, .chunk = 1'000};
  }
  const uint64_t cookies = world_.stack[1]->counters().cookies_sent;
  users_[0]->open(world_.ends.size() - 1);
  play_until_over();
  if (!world_.failure.empty()) return;
  for (const End& end : ends) {
    if (end.over && end.error == tcp::Error::None && end.received == 1'000) continue;
    check_outcomes(world_);
    world_.fail(
        fmt::format("the connection after all of it did not go through: end {} received {} and ended with error {}",
                    end.side, end.received, static_cast<int>(end.error)));
  }
  const bool sent_cookie = world_.stack[1]->counters().cookies_sent != cookies;
  if (scenario.stack[1].syn_cookies == stack::SynCookies::Auto && scenario.backlog[1] > 0 && sent_cookie) {
    world_.fail("the backlog is full of connections that are gone");
  }
}

Result Run::play() {
  for (const auto& pool : memory().pool) {
    if (pool.in_use() != 0) world_.fail("mbufs are in use before the run");
  }
  set_up();
  play_until_over();
  if (world_.failure.empty()) epilogue();
  if (world_.failure.empty()) check_outcomes(world_);
  result_.span = world_.now - world_.scenario.start;
  result_.failure = world_.failure;
  result_.ghosts = world_.ghosts;
  for (const auto& ends : world_.ends) {
    for (const End& end : ends) {
      result_.bytes += end.received;
      if (end.over) ++result_.ends[static_cast<size_t>(end.error)];
    }
  }
  for (size_t end = 0; end < 2; ++end) {
    result_.counters[end] = world_.stack[end]->counters();
    result_.frames += result_.counters[end].tx_packets;
    if (capture_[end] && !capture_[end]->flush()) result_.failure += " (and the capture could not be written)";
  }
  for (auto& stack : world_.stack) stack.reset();
  for (auto& link : world_.link) link.reset();
  for (auto& hoard : hoards_) hoard.clear();
  for (const auto& pool : memory().pool) {
    if (pool.in_use() != 0 && result_.failure.empty()) result_.failure = fmt::format("{} mbufs leaked", pool.in_use());
  }
  return result_;
}

void Run::play_until_over() {
  while (world_.failure.empty()) {
    happen();
    turn();
    check_invariants(world_);
    check_silence();
    if (!world_.failure.empty()) return;
    if (over()) return check_nothing_left(world_);
    const Instant next_event = next();
    if (next_event.is_never()) return world_.fail(stuck("nothing more will happen"));
    if (next_event > limit()) return world_.fail(stuck("it takes too long"));
    if (next_event > world_.now) turns_at_once_ = 0;
    world_.now = std::max(world_.now, next_event);
  }
}

// The events that are due; they may add others. Users' calls are made at the stacks' time, so that comes first.
void Run::happen() {
  if (world_.events.empty() || world_.events.begin()->first > world_.now) return;
  for (const auto& stack : world_.stack) stack->advance(world_.now);
  while (!world_.events.empty() && world_.events.begin()->first <= world_.now) {
    const auto what = std::move(world_.events.begin()->second);
    world_.events.erase(world_.events.begin());
    what();
  }
}

void Run::turn() {
  ++result_.turns;
  ++turns_at_once_;
  for (size_t end = 0; end < 2; ++end) {
    stack::Stack& stack = *world_.stack[end];
    buf::MbufBurst burst;
    world_.link[end]->receive(burst);
    if (burst.size() > 0) stack.receive(burst, world_.now);
    stack.advance(world_.now);
    stack.flush();
  }
}

bool Run::over() const {
  if (!world_.healed || world_.to_open > 0) return false;
  return std::all_of(world_.stack.begin(), world_.stack.end(),
                     [](const auto& stack) { return stack->connections() == 0; }) &&
         std::all_of(world_.link.begin(), world_.link.end(),
                     [](const auto& link) { return link->next_arrival().is_never(); }) &&
         memory().pool[0].in_use() + memory().pool[1].in_use() == 0;  // packets may wait for ARP
}

Instant Run::next() const {
  Instant next = world_.events.empty() ? Instant::never() : world_.events.begin()->first;
  for (size_t end = 0; end < 2; ++end) {
    next = std::min({next, world_.link[end]->next_arrival(), world_.stack[end]->next_deadline()});
  }
  return next;
}

// When all must be over: users' last acts, every retransmission that there may be, and the time to carry the bytes.
Instant Run::limit() const {
  const Scenario& scenario = world_.scenario;
  Duration most = scenario.heals + Duration::seconds(in_epilogue_ ? 4'000 : 60);
  uint64_t bytes = 0;            // over the link
  uint64_t longest = 0;          // of one connection
  uint64_t window = UINT64_MAX;  // that a round trip carries
  for (const auto& ends : world_.ends) {
    const uint64_t both = ends[0].plan.bytes + ends[1].plan.bytes + 2'000;
    bytes += both;
    longest = std::max(longest, both);
  }
  Duration round_trip;
  for (size_t end = 0; end < 2; ++end) {
    const tcp::Parameters& tcp = scenario.stack[end].tcp;
    const int64_t tries = scenario.may_time_out ? std::max(tcp.syn_retries, tcp.data_retries) + 3 : 3;
    most = most + tcp.max_rto * tries + tcp.time_wait + tcp.fin_wait_2_timeout;
    window = std::min<uint64_t>({window, scenario.stack[end].send_buffer, tcp.receive_buffer});
    const device::ImpairmentSettings& link = scenario.link.from[end];
    round_trip = round_trip + link.delay + link.jitter;
    if (link.rate > 0) most = most + Duration::milliseconds(static_cast<int64_t>(bytes * 8 * 4'000 / link.rate));
  }
  most = most + round_trip * static_cast<int64_t>(100 + 3 * longest / window);
  return scenario.start + most;
}

// Without anything happening for a user, only retransmissions and their answers go over the link.
void Run::check_silence() {
  const uint64_t frames = world_.stack[0]->counters().tx_packets + world_.stack[1]->counters().tx_packets;
  if (world_.progress != progress_) {
    progress_ = world_.progress;
    frames_at_progress_ = frames;
  }
  if (frames - frames_at_progress_ > 1'000 + 2'000 * world_.ends.size())
    world_.fail(stuck("the two never fall silent"));
  if (result_.turns > kMaxTurns || turns_at_once_ > kMaxTurnsAtOnce) world_.fail(stuck("there is no end to it"));
}

std::string Run::stuck(const char* what) const {
  std::string out = fmt::format("{}, at {:.3f} s:", what, (world_.now - world_.scenario.start).to_seconds());
  for (const auto& ends : world_.ends) {
    for (const End& end : ends) {
      const stack::Record* record = world_.record_of(end);
      if (record == nullptr) continue;
      const tcp::Tcb& t = record->tcb;
      out += fmt::format(" [{}.{} {} flight {} unsent {} wnd {} rwnd {} unread {} retries {}{}{}]", end.connection,
                         end.side, tcp::state_name(t.state), t.in_flight(), t.snd.end - t.snd.nxt, t.snd.wnd,
                         t.receive_window(), t.rcv.queued, t.retries, end.shut ? " shut" : "",
                         end.closed ? " closed" : "");
    }
  }
  for (size_t end = 0; end < 2; ++end) {
    out += fmt::format(" end {}: {} connections, {} mbufs", end, world_.stack[end]->connections(),
                       memory().pool[end].in_use());
  }
  return out;
}

}  // namespace

Memory& memory() {
  static Memory memory = [] {
    Memory made;
    for (size_t end = 0; end < 2; ++end) {
      auto pool = buf::MbufPool::create(fmt::format("sim{}", end), Memory::kMbufs);
      if (!pool) throw std::runtime_error(pool.error());
      made.pool[end] = std::move(*pool);
    }
    return made;
  }();
  return memory;
}

Result run(const Scenario& scenario, const RunOptions& options) {
  return Run(scenario, options).play();
}

}  // namespace estab::sim
