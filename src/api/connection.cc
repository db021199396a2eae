#include "estab/connection.h"

#include <algorithm>

#include "api/buffer_access.h"
#include "api/connection_access.h"

namespace estab {
namespace {

SocketAddress socket_address(wire::Ipv4Address address, wire::Port port) {
  return {Address{address.value()}, port.value()};
}

}  // namespace

const char* state_name(ConnectionState state) {
  return tcp::state_name(static_cast<tcp::State>(state));
}
static_assert(static_cast<int>(ConnectionState::TimeWait) == static_cast<int>(tcp::State::TimeWait));

bool Connection::valid() const {
  return owner_ != nullptr && owner_->find(ConnectionAccess::id(*this)) != nullptr;
}

Buffer Connection::receive() {
  return owner_ == nullptr ? Buffer() : BufferAccess::wrap(owner_->take_received(ConnectionAccess::id(*this)));
}

bool Connection::send(Buffer& data) {
  if (owner_ == nullptr) return false;
  buf::Mbuf packet = BufferAccess::unwrap(data);
  const bool taken = owner_->send(ConnectionAccess::id(*this), packet);
  if (packet) data = BufferAccess::wrap(std::move(packet));
  return taken;
}

size_t Connection::send(std::span<const uint8_t> bytes) {
  const size_t room = std::min(sendable(), bytes.size());
  if (room == 0) return 0;
  buf::Mbuf packet = owner_->pool().copy(bytes.first(room));
  return packet && owner_->send(ConnectionAccess::id(*this), packet) ? room : 0;
}

size_t Connection::sendable() const {
  return owner_ == nullptr ? 0 : owner_->sendable(ConnectionAccess::id(*this));
}

void Connection::set_keepalive(bool on) {
  if (owner_ != nullptr) owner_->set_keepalive(ConnectionAccess::id(*this), on);
}

void Connection::set_nodelay(bool on) {
  if (owner_ != nullptr) owner_->set_nodelay(ConnectionAccess::id(*this), on);
}

void Connection::shutdown_send() {
  if (owner_ != nullptr) owner_->shutdown_send(ConnectionAccess::id(*this));
}

void Connection::close() {
  if (owner_ != nullptr) owner_->close(ConnectionAccess::id(*this));
}

void Connection::abort() {
  if (owner_ != nullptr) owner_->abort(ConnectionAccess::id(*this));
}

ConnectionInfo Connection::info() const {
  ConnectionInfo info;
  const stack::Record* record = owner_ == nullptr ? nullptr : owner_->find(ConnectionAccess::id(*this));
  if (record == nullptr) return info;
  const tcp::Tcb& tcb = record->tcb;
  info.state = static_cast<ConnectionState>(tcb.state);
  info.local = socket_address(record->tuple.local, record->tuple.local_port);
  info.remote = socket_address(record->tuple.remote, record->tuple.remote_port);
  info.mss = tcb.snd.mss;
  info.send_window = tcb.snd.wnd;
  info.receive_window = tcb.receive_window();
  info.in_flight = tcb.in_flight();
  info.congestion_window = tcb.congestion.cwnd;
  info.smoothed_rtt = Duration::microseconds(tcb.rtt.srtt_us);
  info.rto = tcb.rtt.rto();
  info.timestamps = tcb.timestamps;
  info.sack = tcb.sack;
  return info;
}

uint64_t Connection::user() const {
  const stack::Record* record = owner_ == nullptr ? nullptr : owner_->find(ConnectionAccess::id(*this));
  return record == nullptr ? 0 : record->user;
}

void Connection::set_user(uint64_t word) {
  stack::Record* record = owner_ == nullptr ? nullptr : owner_->find(ConnectionAccess::id(*this));
  if (record != nullptr) record->user = word;
}

}  // namespace estab
