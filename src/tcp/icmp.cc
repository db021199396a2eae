#include "tcp/icmp.h"

namespace estab::tcp {

Actions icmp_arrives(Tcb& tcb, Seq quoted, IcmpError error) noexcept {
  Actions out;
  if (!(tcb.snd.una <= quoted && quoted < tcb.snd.nxt)) {
    out.drop = Drop::IcmpNotInFlight;
    return out;
  }
  if (error == IcmpError::Hard && tcb.state == State::SynSent) {
    tcb.state = State::Closed;
    out.closed = true;
    out.error = Error::Unreachable;
    return out;
  }
  tcb.unreachable = true;
  return out;
}

}  // namespace estab::tcp
