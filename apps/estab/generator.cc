#include "generator.h"

#include <algorithm>

namespace estab::app {
namespace {

constexpr uint32_t kBatch = 32;  // connections opened or closed in a poll, about what a poll receives

}  // namespace

Generator::Generator(Endpoint& endpoint, const SocketAddress& server, const BenchOptions& options)
    : endpoint_(endpoint), server_(server), options_(options), request_(options.request, uint8_t{'q'}) {
  const uint64_t most = options.workload == Workload::Hold ? options.connections : options.concurrency;
  slots_.resize(most);
  free_.reserve(most);
  for (uint64_t i = most; i > 0; --i) free_.push_back(static_cast<uint32_t>(i - 1));
  if (options.rate > 0)
    interval_ = Duration::nanoseconds(std::max<int64_t>(1, static_cast<int64_t>(1e9 / options.rate)));
}

void Generator::start() {
  started_ = true;
  next_due_ = endpoint_.now();
}

bool Generator::wants_more() const {
  if (!started_ || finishing_ || free_.empty() || reached_) return false;
  if (blocked_until_ != Instant() && endpoint_.now() < blocked_until_) return false;
  switch (options_.workload) {
    case Workload::Rr:
    case Workload::Hold:
      return true;  // until every slot is taken
    case Workload::Cc:
    case Workload::Crr:
    case Workload::Syn:
      return options_.connections == 0 || counts_.attempted < options_.connections;
  }
  return false;
}

void Generator::work() {
  if (!started_) return;
  if (finishing_) {
    if (!reconnects()) close_standing();
    return;
  }
  const Instant now = endpoint_.now();
  if (interval_ > Duration() && options_.workload != Workload::Hold) {
    open_due(now);
    return;
  }
  // As many as there are slots; hold opens no more at once than concurrency allows.
  uint32_t batch = kBatch;
  const uint64_t opening =
      under_way_ - (options_.workload == Workload::Hold ? counts_.established - counts_.closed : 0);
  if (options_.workload == Workload::Hold) {
    batch = static_cast<uint32_t>(
        std::min<uint64_t>(batch, options_.concurrency - std::min<uint64_t>(opening, options_.concurrency)));
  }
  for (; batch > 0 && wants_more(); --batch) open(now);
}

// At a rate each is due at its own moment, and is timed from then: a stall shows (no coordinated omission).
void Generator::open_due(Instant now) {
  if (options_.workload == Workload::Rr) {
    while (wants_more()) open(now);
    for (; next_due_ <= now && !standing_.empty() && !finishing_; next_due_ = next_due_ + interval_) {
      Slot& slot = slots_[standing_.back()];
      standing_.pop_back();
      send_request(slot.connection, slot, next_due_);
    }
    return;
  }
  for (uint32_t batch = kBatch; batch > 0 && next_due_ <= now && wants_more();
       --batch, next_due_ = next_due_ + interval_)
    open(next_due_);
}

void Generator::open(Instant due) {
  const uint32_t at = free_.back();
  ++counts_.attempted;
  ConnectOptions connect;
  connect.probe_only = options_.workload == Workload::Syn;
  connect.user = at;
  Connection connection;
  if (const Error error = endpoint_.connect(server_, *this, connect, connection); error != Error::None) {
    ++counts_.failures[error_name(error)];
    blocked_until_ =
        endpoint_.now() + Duration::milliseconds(1);  // ports and records come back; trying harder does not help
    if (error == Error::NoRoute || error == Error::InvalidAddress) reached_ = true;  // these do not get better
    note_progress();
    return;
  }
  free_.pop_back();
  slots_[at] = Slot{.due = due, .connection = connection};
  under_way_.fetch_add(1, std::memory_order_relaxed);
}

void Generator::on_connect(Connection connection) {
  Slot& slot = slots_[connection.user()];
  const Instant now = endpoint_.now();
  handshakes_.add(now - slot.due);
  slot.established = true;
  ++counts_.established;
  switch (options_.workload) {
    case Workload::Cc:
      if (options_.close_by == CloseBy::Client) end(connection, slot);
      break;
    case Workload::Syn:
      slot.finished = true;
      break;
    case Workload::Crr:
      send_request(connection, slot, now);
      break;
    case Workload::Rr:
      if (interval_ > Duration()) {
        standing_.push_back(static_cast<uint32_t>(connection.user()));
      } else {
        send_request(connection, slot, now);
      }
      break;
    case Workload::Hold:
      note_progress();
      break;
  }
}

void Generator::send_request(Connection connection, Slot& slot, Instant due) {
  slot.due = due;
  slot.received = 0;
  slot.waiting = true;
  connection.send(request_);
}

void Generator::on_receive(Connection connection) {
  Slot& slot = slots_[connection.user()];
  slot.received += static_cast<uint32_t>(connection.receive().size());
  if (slot.received < options_.response) return;
  slot.waiting = false;
  const Instant now = endpoint_.now();
  round_trips_.add(now - slot.due);
  ++counts_.requests;
  if (options_.workload == Workload::Crr) {
    slot.finished = true;
    if (options_.close_by == CloseBy::Client) end(connection, slot);
    return;
  }
  note_progress();
  if (finishing_) {
    end(connection, slot);
  } else if (interval_ > Duration()) {
    standing_.push_back(static_cast<uint32_t>(connection.user()));
  } else {
    send_request(connection, slot, now);
  }
}

void Generator::end(Connection connection, Slot& slot) {
  slot.finished = true;
  options_.close_by_rst ? connection.abort() : connection.close();
}

void Generator::on_peer_close(Connection connection) {
  Slot& slot = slots_[connection.user()];
  if (options_.workload == Workload::Cc) slot.finished = true;
  connection.close();
}

void Generator::on_close(Connection connection, Error error) {
  const auto at = static_cast<uint32_t>(connection.user());
  Slot& slot = slots_[at];
  // A RST is the right end where RSTs are asked for, from either side.
  const bool by_rst = options_.close_by_rst && slot.established && (error == Error::Aborted || error == Error::Reset);
  const bool served = options_.workload != Workload::Crr || slot.finished;
  if (slot.established && served && (error == Error::None || by_rst)) {
    ++counts_.closed;
  } else {
    ++counts_.failures[error == Error::None ? "closed_early" : error_name(error)];
  }
  free_.push_back(at);
  under_way_.fetch_sub(1, std::memory_order_relaxed);
  note_progress();
  // The next one takes the slot at once: it is due now.
  if (reconnects() && interval_ == Duration() && wants_more()) open(endpoint_.now());
}

void Generator::note_progress() {
  if (options_.connections == 0) return;
  uint64_t progress = counts_.closed + counts_.failed();
  if (options_.workload == Workload::Rr) progress = counts_.requests;
  if (options_.workload == Workload::Hold) progress = counts_.established;
  if (progress >= options_.connections) reached_.store(true, std::memory_order_relaxed);
}

void Generator::finish() {
  finishing_ = true;
  closing_at_ = 0;
}

// Some at a time, so that the FINs do not overrun the device. Connections with a request under way end when it is
// answered.
void Generator::close_standing() {
  for (uint32_t batch = kBatch; batch > 0 && closing_at_ < slots_.size(); ++closing_at_) {
    Slot& slot = slots_[closing_at_];
    const bool busy = options_.workload == Workload::Rr && slot.waiting;
    if (!slot.connection.valid() || slot.finished || busy) continue;
    end(slot.connection, slot);
    --batch;
  }
}

}  // namespace estab::app
