// The TCP core: the input chooses a state, then what arrives and what the user does. The shell's part, held text, is
// played here; the first event is a segment.
#include "tcp/reassembly.h"

#include <algorithm>

#include "fuzz/input.h"
#include "support/tcp_invariants.h"
#include "support/tcp_peer.h"
#include "tcp/icmp.h"

using namespace estab;
using namespace estab::tcp;
using fuzz::must;

namespace {

constexpr uint32_t kLongestText = 65'535 - 40;
constexpr int kEvents = 24;

class Connection {
 public:
  explicit Connection(fuzz::Input& input) : input_(input), peer_(parameters()) {
    const State state = static_cast<State>(input_.below(kStates));
    const uint8_t how = input_.u8();
    peer_.iss = number(how);
    peer_.irs = peer_.seq = number(static_cast<uint8_t>(how >> 2));
    const uint8_t offers = input_.u8();
    peer_.syn_options = {.has_mss = (offers & 1) != 0,
                         .has_window_scale = (offers & 2) != 0,
                         .has_timestamps = (offers & 4) != 0,
                         .sack_permitted = (offers & 8) != 0,
                         .window_scale = static_cast<uint8_t>(offers >> 4 & 7),
                         .mss = static_cast<uint16_t>(input_.u8() * 8)};
    peer_.window = input_.u16();
    if ((how & 16) == 0) {
      peer_.reach(state);
    } else if (state == State::SynReceived) {
      peer_.syn_received_active();
    } else if (state != State::Established) {
      peer_.reach(state);
    } else {
      peer_.established_active();
    }
    settle();
  }

  void play() {
    segment();
    for (int i = 1; i < kEvents && !over_ && !input_.empty(); ++i) {
      switch (input_.below(8)) {
        case 0:
          time_passes();
          break;
        case 1:
        case 2:
          user_calls();
          break;
        default:
          segment();
          break;
      }
    }
  }

 private:
  Tcb& tcb() { return peer_.tcb; }

  Parameters parameters() {
    const uint8_t how = input_.u8();
    Parameters p = plain_parameters();
    p.timestamps = (how & 1) != 0;
    p.sack = (how & 2) != 0;
    p.nagle = (how & 4) != 0;
    p.window_scale = how >> 3 & 3;
    if ((how & 32) != 0) p.receive_buffer = 1'000;
    if ((how & 64) != 0) p.receive_buffer = 1'000'000;
    if ((how & 128) != 0) p.data_retries = 2;
    return p;
  }

  // Initial numbers at the places where comparisons turn round, and one of the input's.
  Seq number(uint8_t which) {
    constexpr uint32_t kNumbers[] = {1'000, 0xffff'fff0, 0x7fff'fff0};
    return Seq(which % 4 == 3 ? input_.u32() : kNumbers[which % 4]);
  }

  Seq near(Seq base) { return base + static_cast<uint32_t>(static_cast<int8_t>(input_.u8())); }

  Seq sequence(uint8_t which) {
    switch (which % 8) {
      case 0:
        return Seq(input_.u32());
      case 1:
        return near(tcb().rcv.edge);
      case 2:
        return tcb().rcv.nxt + input_.u16();
      case 3:
        return tcb().rcv.nxt - input_.u16();
      case 4:
        return near(tcb().irs);
      case 5:
        return near(tcb().rcv.nxt);
      default:
        return tcb().rcv.nxt;
    }
  }

  Seq acknowledgment(uint8_t which) {
    switch (which % 8) {
      case 0:
        return Seq(input_.u32());
      case 1:
        return near(tcb().snd.una);
      case 2:
        return tcb().snd.una + input_.u16();
      case 3:
        return near(tcb().snd.una - tcb().snd.max_wnd);
      case 4:
        return tcb().snd.una;
      case 5:
        return near(tcb().snd.nxt);
      default:
        return tcb().snd.nxt;
    }
  }

  wire::TcpOptions options() {
    const uint8_t which = input_.u8();
    wire::TcpOptions o;
    o.has_timestamps = ((which & 1) != 0) != tcb().timestamps;  // mostly as was agreed
    if (o.has_timestamps) {
      o.ts_value = (which & 2) != 0 ? input_.u32() : tcb().ts_recent + input_.u8() - 8;
      o.ts_echo = (which & 4) != 0 ? input_.u32() : tcb().ts_now(peer_.now);
    }
    if ((which & 8) != 0) {
      o.has_mss = true;
      o.mss = input_.u16();
    }
    if ((which & 16) != 0) {
      o.has_window_scale = true;
      o.window_scale = static_cast<uint8_t>(input_.below(wire::kMaxWindowScale + 1));
    }
    o.sack_permitted = (which & 32) != 0;
    if ((which & 64) != 0) {
      o.sack_count = 1;
      o.sack[0] = {near(tcb().snd.una), near(tcb().snd.nxt)};
    }
    return o;
  }

  void segment() {
    const uint8_t where = input_.u8();
    Segment s;
    s.flags = TcpFlags(input_.u8());
    s.seq = sequence(where & 7);
    s.ack = acknowledgment(where >> 3 & 7);
    s.window = input_.u16();
    if ((where & 64) != 0) s.text = std::min<uint32_t>(input_.u16(), kLongestText);
    s.options = options();
    arrives(s);
  }

  void arrives(const Segment& s) {
    const Tcb before = tcb();
    const uint32_t queued = before.send_queue();
    const Actions actions = segment_arrives(tcb(), s, peer_.context());
    must(!(s.flags.rst() && actions.reply.flags.rst()), "a RST is not answered with a RST");
    must(actions.acked <= queued, "what is acknowledged was queued");
    must(actions.text_offset + actions.text_length <= s.text, "text is the segment's");
    if (actions.reopen) {  // what the shell does in TIME-WAIT's place
      reassembly_ = {};
      peer_.iss = before.snd.nxt + 64'000;
      peer_.listen();
      segment_arrives(tcb(), s, peer_.context());
    } else if (actions.text == Text::Hold) {
      hold(s, actions);
    }
    after(actions);
    if (is_synchronized(before.state) && !actions.reopen) never_goes_back(before);
  }

  void never_goes_back(const Tcb& before) {
    must(before.snd.una <= tcb().snd.una, "SND.UNA never goes back");
    must(before.rcv.nxt <= tcb().rcv.nxt, "RCV.NXT never goes back");
    must(before.rcv.edge <= tcb().rcv.edge, "the window never shrinks");
  }

  // As the shell does it, without the text itself.
  void hold(const Segment& s, const Actions& actions) {
    tcb().holding = true;
    Seq from = s.seq + (s.flags.syn() ? 1 : 0) + actions.text_offset;
    const Seq end = from + actions.text_length;
    if (actions.hold_fin) reassembly_.set_fin(end);
    while (from < end) {
      from = later(from, tcb().rcv.nxt);
      const auto gap = reassembly_.first_gap(from, end);
      if (!gap) break;
      from = gap->end;
      if (gap->begin == tcb().rcv.nxt) {
        take(static_cast<uint32_t>(gap->end - gap->begin));
        take_held();
      } else if (!reassembly_.insert(*gap)) {
        break;
      }
    }
    take_held();
    if (!reassembly_.empty()) return;
    reassembly_ = {};
    tcb().holding = false;
  }

  void take(uint32_t length) {
    const bool fin = reassembly_.fin_at(tcb().rcv.nxt + length);
    if (fin) reassembly_.clear_fin();
    after(assemble(tcb(), length, fin, peer_.context()));
  }

  void take_held() {
    while (const auto piece = reassembly_.pop(tcb().rcv.nxt)) take(static_cast<uint32_t>(piece->end - piece->begin));
    if (reassembly_.fin_at(tcb().rcv.nxt)) take(0);
  }

  void time_passes() {
    constexpr int64_t kMilliseconds[] = {0, 1, 40, 250, 1'000, 3'000, 61'000, 25LL * 24 * 3'600 * 1'000};
    const uint32_t which = input_.below(16);
    if (which >= std::size(kMilliseconds) && !tcb().poll_at().is_never()) {
      after(peer_.expire());
    } else {
      after(peer_.advance(Duration::milliseconds(kMilliseconds[which % std::size(kMilliseconds)])));
    }
  }

  void user_calls() {
    switch (input_.below(8)) {
      case 0:
        after(close(tcb(), tcb().rcv.queued > 0, peer_.context()));
        break;
      case 1:
        after(shutdown_send(tcb(), peer_.context()));
        break;
      case 2:
        after(abort(tcb()));
        break;
      case 3:
        set_keepalive(tcb(), input_.flag(), peer_.context());
        tcb().nodelay = input_.flag();
        after(icmp_arrives(tcb(), acknowledgment(input_.u8()), input_.flag() ? IcmpError::Hard : IcmpError::Soft));
        break;
      case 4:
        receive(tcb(), input_.u16(), peer_.context());
        settle();
        break;
      default:
        (void)send(tcb(), input_.u16());
        settle();
        break;
    }
  }

  void after(const Actions& actions) {
    must(actions.closed == false || tcb().state == State::Closed, "what is closed is in CLOSED");
    over_ = over_ || actions.closed;
    settle();
  }

  // Sends what there is to send: it ends, and what was said of it holds.
  void settle() {
    if (tcb().state == State::Closed) return;
    for (int sent = 0;; ++sent) {
      must(sent < 5'000, "output ends");
      const Emission e = next_segment(tcb(), peer_.context());
      if (!e) break;
      must(e.text <= tcb().snd.mss, "text is at most an MSS");
      must(e.text_offset + e.text <= tcb().send_queue() || e.text == 0, "what is sent was queued");
    }
    if (const char* const broken = broken_invariant(tcb())) must(false, broken);
  }

  fuzz::Input& input_;
  Peer peer_;
  Reassembly reassembly_;
  bool over_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 1024) return 0;
  fuzz::Input input(data, size);
  Connection(input).play();
  return 0;
}
