// The state machine alone: one segment of each kind, to connections that are where such a segment finds them.
#include "tcp/segment_arrives.h"

#include <array>

#include "bench/support/meter.h"
#include "bench/support/run.h"
#include "tcp/output.h"
#include "tcp/user_calls.h"

namespace estab::bench {
namespace {

using tcp::State;
using wire::Seq;
using wire::TcpFlags;

constexpr uint32_t kTcbs = 32;
constexpr Seq kIss{1000}, kIrs{5000};

struct Arrival {
  tcp::Tcb tcb;
  tcp::Segment segment;
  State after = State::Closed;
  tcp::Drop drop = tcp::Drop::None;
};

// The parameters must not be constants, or the compiler computes what a stack reads.
tcp::Parameters parameters;
const tcp::Context& context() {
  static const tcp::Context c{Instant::from_ns(3'600'000'000'000), parameters};
  return c;
}

tcp::Segment segment(Seq seq, Seq ack, int flags, uint32_t text = 0) {
  return {.seq = seq, .ack = ack, .text = text, .window = 65535, .flags = TcpFlags(flags), .options = {}};
}

tcp::Tcb listening() {
  tcp::Tcb tcb = tcp::open_passive({kIss, 0}, parameters);
  return tcb;
}
tcp::Segment syn() {
  tcp::Segment s = segment(kIrs, Seq(0), TcpFlags::kSyn);
  s.options.has_mss = true;
  s.options.mss = 1460;
  return s;
}
tcp::Tcb syn_received() {
  tcp::Tcb tcb = listening();
  tcp::segment_arrives(tcb, syn(), context());
  return tcb;
}
tcp::Tcb established() {
  tcp::Tcb tcb = syn_received();
  tcp::segment_arrives(tcb, segment(kIrs + 1, kIss + 1, TcpFlags::kAck), context());
  return tcb;
}
tcp::Tcb with_text_out() {
  tcp::Tcb tcb = established();
  static_cast<void>(tcp::send(tcb, 2000));
  while (tcp::next_segment(tcb, context())) {
  }
  return tcb;
}

Arrival arrival(int64_t kind) {
  constexpr int kAck = TcpFlags::kAck;
  switch (kind) {
    case 0:
      return {listening(), syn(), State::SynReceived};
    case 1:
      return {syn_received(), segment(kIrs + 1, kIss + 1, kAck), State::Established};
    case 2:
      return {established(), segment(kIrs + 1, kIss + 1, kAck, 1460), State::Established};
    case 3:
      return {with_text_out(), segment(kIrs + 1, kIss + 1 + 1460, kAck), State::Established};
    case 4:
      return {established(), segment(kIrs + 1, kIss + 1, kAck | TcpFlags::kFin), State::CloseWait};
    case 5:
      return {established(), segment(kIrs + 1, Seq(0), TcpFlags::kRst), State::Closed};
    default:
      return {established(), segment(kIrs - 9000, kIss + 1, kAck, 100), State::Established, tcp::Drop::OutOfWindow};
  }
}
constexpr std::array<const char*, 7> kKinds{"syn", "handshake_ack", "text_in_order", "ack_of_text",
                                            "fin", "rst",           "out_of_window"};

void segment_arrives(benchmark::State& state) {
  const Arrival a = arrival(state.range(0));
  std::array<tcp::Tcb, kTcbs> tcbs;
  Meter meter;
  uint64_t wrong = 0;
  for (auto _ : state) {
    tcbs.fill(a.tcb);
    benchmark::ClobberMemory();
    meter.start();
    for (tcp::Tcb& tcb : tcbs) {
      const tcp::Actions actions = tcp::segment_arrives(tcb, a.segment, context());
      if (actions.drop != a.drop) ++wrong;
      benchmark::DoNotOptimize(actions);
    }
    meter.stop();
    meter.next(state);
    for (const tcp::Tcb& tcb : tcbs) {
      if (tcb.state != a.after) ++wrong;
    }
  }
  if (wrong != 0) state.SkipWithError("a segment was taken otherwise than it should be");
  state.SetLabel(kKinds[static_cast<size_t>(state.range(0))]);
  report(state, meter, kTcbs);
}
BENCHMARK(segment_arrives)->DenseRange(0, static_cast<int64_t>(kKinds.size()) - 1)->Iterations(20000)->UseManualTime();

}  // namespace
}  // namespace estab::bench

int main(int argc, char** argv) {
  return estab::bench::run(argc, argv);
}
