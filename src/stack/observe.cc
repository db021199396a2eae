// Tracing: one packet at a time, so that the state before and after each is known. The packet path proper knows nothing
// of it.
#include "stack/stack.h"

namespace estab::stack {
namespace {

struct Seen {
  wire::Tuple tuple;
  wire::TcpHeader header;
  uint32_t text;
};

std::optional<Seen> look(buf::MbufView packet, bool sent) {
  const uint8_t* frame = packet.first_segment().data();
  if (packet.first_segment().size() < 54 || load_be<uint16_t>(frame + 12) != 0x0800 || frame[23] != wire::kProtocolTcp)
    return std::nullopt;
  const std::span<const uint8_t> datagram = packet.first_segment().subspan(14);
  const wire::Ipv4 ip = wire::parse_ipv4(datagram, packet.length() - 14u, false);
  if (ip.fault != wire::Ipv4Fault::None) return std::nullopt;
  Seen seen;
  seen.header = wire::parse_tcp(datagram.subspan(ip.header_length));
  if (seen.header.fault != wire::TcpFault::None) return std::nullopt;
  seen.text = static_cast<uint32_t>(ip.total_length - ip.header_length - seen.header.header_length);
  seen.tuple = {ip.source, ip.destination, seen.header.source, seen.header.destination};
  if (!sent) seen.tuple = {ip.destination, ip.source, seen.header.destination, seen.header.source};
  return seen;
}

}  // namespace

tcp::State Stack::state_of(const wire::Tuple& tuple) {
  const uint32_t index = lookup(tuple, hash_of(tuple));
  if (index != flow::kNoFlow) {
    if ((index & kTimeWaitBit) != 0) return tcp::State::TimeWait;
    return (index & kHalfOpenBit) != 0 ? tcp::State::SynReceived : records_[index].tcb.state;
  }
  const Listener* listener = listeners_.find(tuple.local_port);
  return listener != nullptr && listener->handler != nullptr ? tcp::State::Listen : tcp::State::Closed;
}

void Stack::set_observer(Observer* observer) {
  observer_ = observer;
  if (observer == nullptr) {
    transmitter_.on_send(nullptr, nullptr);
    return;
  }
  transmitter_.on_send(
      [](void* self, const rte_mbuf* mbuf) {
        Stack& stack = *static_cast<Stack*>(self);
        if (const auto seen = look(buf::MbufView(mbuf), true)) {
          const tcp::State state = stack.state_of(seen->tuple);
          stack.observer_->on_segment(false, seen->tuple, seen->header, seen->text, state, state, stack.now_);
        }
      },
      this);
}

void Stack::receive_observed(buf::MbufBurst& burst) {
  for (uint16_t i = 0; i < burst.size(); ++i) {
    const auto seen = look(burst.peek(i), false);
    const tcp::State before = seen ? state_of(seen->tuple) : tcp::State::Closed;
    buf::MbufBurst one;
    one.push(burst.take(i));
    // What a packet causes to be sent is shown by the flush, after it and with the state that it led to.
    receive_stages(one);
    if (seen) observer_->on_segment(true, seen->tuple, seen->header, seen->text, before, state_of(seen->tuple), now_);
    transmitter_.flush();
  }
  burst.set_size(0);
}

}  // namespace estab::stack
