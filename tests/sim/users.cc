#include "sim/users.h"

#include <fmt/format.h>
#include <rte_mempool.h>

#include <algorithm>

namespace estab::sim {
namespace {

// Mbufs that users leave to the stack: with all of them in send queues no ACK could be received to free any.
constexpr unsigned kReserve = 256;

std::string name_of(const End& end) {
  return fmt::format("connection {}, end {}", end.connection, end.side);
}

}  // namespace

void Users::open(size_t connection) {
  End& end = world_.ends[connection][side_];
  const ConnectionPlan& plan =
      world_.scenario.connections[std::min(connection, world_.scenario.connections.size() - 1)];
  wire::Port port = kListening;
  if (connection < world_.scenario.connections.size()) port = side_ == plan.opener ? plan.port : plan.other_port;
  const auto failure = stack().connect(kAddress[1 - side_], port, *this, {}, end.id);
  if (failure == stack::ConnectFailure::NoRecord && world_.scenario.records_scarce) return;
  if (failure != stack::ConnectFailure::None) {
    return world_.fail(fmt::format("{}: connect() failed with {}", name_of(end), static_cast<int>(failure)));
  }
  const stack::Record* record = stack().find(end.id);
  if (plan.simultaneous && connection == 0 &&
      record->tuple.local_port != (side_ == plan.opener ? plan.other_port : plan.port)) {
    return world_.fail("the ports are not those that were worked out: has flow::PortAllocator changed?");
  }
  end.opened = true;
  end.port = record->tuple.local_port;
  end.peer_port = record->tuple.remote_port;
  by_record_[end.id.index] = &end;
  if (end.plan.early) send(end);
}

End* Users::find(stack::ConnectionId id, const char* callback) {
  const auto it = by_record_.find(id.index);
  if (it != by_record_.end() && it->second->id == id && !it->second->over) return it->second;
  world_.fail(fmt::format("end {}: {} for a connection that is not there", side_, callback));
  return nullptr;
}

// Which of the planned connections a peer opened is known by the ports.
bool Users::accept(stack::ConnectionId id) {
  const wire::Tuple& tuple = stack().find(id)->tuple;
  for (auto& ends : world_.ends) {
    const End& peer = ends[1 - side_];
    if (!peer.opened || peer.port != tuple.remote_port || peer.peer_port != tuple.local_port) continue;
    End& end = ends[side_];
    if (end.opened) break;
    end.id = id;
    end.opened = true;
    by_record_[id.index] = &end;
    return true;
  }
  // A SYN cookie may come back twice: the second time it makes a connection that nobody opened (RFC 4987 §3.6 keeps no
  // state).
  if (!world_.used_cookies(side_)) world_.fail(fmt::format("end {}: a connection that nobody opened", side_));
  ++world_.ghosts;
  ghosts_.insert(id.index);
  stack().abort(id);
  return false;
}

void Users::on_established(stack::ConnectionId id) {
  ++world_.progress;
  ++world_.establishes;
  const auto it = by_record_.find(id.index);
  const bool ours = it != by_record_.end() && it->second->id == id;
  if (!ours && !accept(id)) return;
  End& end = *by_record_[id.index];
  if (end.established) return world_.fail(name_of(end) + ": established twice");
  end.established = true;
  if (world_.healed) return finish(end);
  send(end);
}

void Users::on_text(stack::ConnectionId id) {
  if (ghosts_.contains(id.index)) return;
  End* end = find(id, "on_text");
  if (end == nullptr) return;
  ++world_.progress;
  if (!end->established) world_.fail(name_of(*end) + ": text before it is established");
  if (end->reading) read(*end);
}

void Users::on_sendable(stack::ConnectionId id) {
  if (End* end = find(id, "on_sendable")) send(*end);
}

void Users::on_peer_close(stack::ConnectionId id) {
  if (ghosts_.contains(id.index)) return;
  End* end = find(id, "on_peer_close");
  if (end == nullptr) return;
  ++world_.progress;
  const End& peer = world_.peer_of(*end);
  if (end->peer_closed) world_.fail(name_of(*end) + ": the peer closed twice");
  end->peer_closed = true;
  const uint64_t delivered = world_.delivered_to(*end);
  if (!peer.shut || delivered != peer.queued) {
    world_.fail(fmt::format("{}: told of the peer's close with {} of {} bytes", name_of(*end), delivered, peer.queued));
  }
  if (end->plan.ending == Ending::CloseAfterPeer && end->queued == end->plan.bytes && end->reading)
    act(*end, Act::Close);
}

void Users::on_close(stack::ConnectionId id, tcp::Error error) {
  ++world_.closes;
  if (ghosts_.erase(id.index) > 0) return;
  End* end = find(id, "on_close");
  if (end == nullptr) return;
  ++world_.progress;
  const stack::Record* record = world_.record_of(*end);
  if (record == nullptr) return world_.fail(name_of(*end) + ": on_close with a stale id");
  end->delivered = world_.delivered_to(*end);
  end->over = true;
  end->error = error;
  by_record_.erase(id.index);
  if (error != tcp::Error::None) return;
  const uint64_t arrived = world_.delivered_to(world_.peer_of(*end));
  if (arrived != end->queued) {
    world_.fail(fmt::format("{}: an orderly end, but {} of its {} bytes arrived", name_of(*end), arrived, end->queued));
  }
}

void Users::act(End& end, Act act) {
  if (!end.opened || end.over) return;
  switch (act) {
    case Act::StopReading:
      end.reading = false;
      break;
    case Act::ReadAgain:
      end.reading = true;
      read(end);
      break;
    case Act::Shutdown:
      end.shut = true;
      stack().shutdown_send(end.id);
      break;
    case Act::Close:
      if (const stack::Record* record = world_.record_of(end); record != nullptr && record->tcb.rcv.queued > 0)
        end.aborted = true;
      end.shut = end.closed = true;
      stack().close(end.id);
      break;
    case Act::Abort:
      end.shut = end.aborted = true;
      stack().abort(end.id);
      break;
  }
}

void Users::send(End& end) {
  if (!end.opened || end.over || end.shut) return;
  while (end.queued < end.plan.bytes) {
    if (!send_once(end)) return;
    if (end.plan.pause > Duration() && !world_.healed) return world_.after(end.plan.pause, [this, &end] { send(end); });
  }
  if (end.established || end.plan.early) end_sending(end);
}

// False: no more for now; what comes later is arranged.
bool Users::send_once(End& end) {
  const uint64_t left = end.plan.bytes - end.queued;
  const auto size = static_cast<size_t>(std::min<uint64_t>({stack().sendable(end.id), left, end.plan.chunk}));
  if (size == 0) return false;  // on_sendable follows
  buf::MbufPool& pool = memory().pool[side_];
  buf::Mbuf packet;
  if (rte_mempool_avail_count(pool.get()) >= kReserve + size / 1024) {
    std::vector<uint8_t> bytes(size);
    for (size_t i = 0; i < size; ++i) bytes[i] = byte_at(world_.scenario.seed, end.connection, side_, end.queued + i);
    packet = pool.copy(bytes);
  }
  if (!packet) {
    world_.after(Duration::milliseconds(20), [this, &end] { send(end); });
    return false;
  }
  if (!stack().send(end.id, packet)) {
    const stack::Record* record = world_.record_of(end);
    if (record != nullptr &&
        (record->tcb.state == tcp::State::Established || record->tcb.state == tcp::State::CloseWait)) {
      world_.fail(name_of(end) + ": send() refused in " + tcp::state_name(record->tcb.state));
    }
    return false;
  }
  end.queued += size;
  return true;
}

void Users::end_sending(End& end) {
  const bool may = end.established || world_.scenario.seed % 4 == 0;  // before that it ends the connection
  if (!may || end.shut) return;
  switch (end.plan.ending) {
    case Ending::Shutdown:
      act(end, Act::Shutdown);
      break;
    case Ending::CloseAfterPeer:
      if (end.peer_closed && end.reading) {
        act(end, Act::Close);
      } else if (world_.healed) {
        act(end, Act::Shutdown);
      }
      break;
    case Ending::Close:
      act(end, Act::Close);
      break;
  }
}

void Users::read(End& end) {
  const stack::Record* record = world_.record_of(end);
  if (record == nullptr) return;
  const uint32_t queued = record->tcb.rcv.queued;
  const buf::Mbuf text = stack().take_received(end.id);
  if ((text ? text.length() : 0) != queued) {
    world_.fail(fmt::format("{}: {} bytes to read, where RCV says {}", name_of(end), text ? text.length() : 0, queued));
  }
  if (text) check_text(end, text);
  if (end.peer_closed && !end.shut) send(end);
}

void Users::check_text(End& end, const buf::Mbuf& text) {
  for (const rte_mbuf* segment = text.get(); segment != nullptr; segment = segment->next) {
    const auto* bytes = rte_pktmbuf_mtod(segment, const uint8_t*);
    for (uint16_t i = 0; i < segment->data_len; ++i, ++end.received) {
      if (bytes[i] == byte_at(world_.scenario.seed, end.connection, 1 - side_, end.received)) continue;
      return world_.fail(fmt::format("{}: byte {} is not what was sent", name_of(end), end.received));
    }
  }
  if (end.received > world_.peer_of(end).queued) world_.fail(name_of(end) + ": more bytes than were sent");
}

void Users::finish(End& end) {
  if (!end.opened || end.over) return;
  end.reading = true;
  read(end);
  send(end);
}

}  // namespace estab::sim
