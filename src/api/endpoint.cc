#include "estab/endpoint.h"

#include <rte_launch.h>
#include <rte_lcore.h>
#include <sys/random.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "api/buffer_access.h"
#include "api/connection_access.h"
#include "api/cookie_secret.h"
#include "api/endpoint_access.h"
#include "api/service_handler.h"
#include "api/stats.h"
#include "base/random.h"
#include "device/eal.h"
#include "device/port.h"
#include "stack/worker.h"

namespace estab {
namespace {

// One clock for all endpoints of the process, so that their times compare.
const device::Clock& process_clock() {
  static const device::Clock clock;
  return clock;
}

std::vector<unsigned>& free_lcores() {
  static std::vector<unsigned> lcores;
  return lcores;
}

Result<device::Eal> start_eal(const Config& config) {
  device::EalOptions options;
  options.workers = config.lcores;
  options.arguments = config.eal_arguments;
  const std::string name = config.device.substr(0, config.device.find(','));
  if (name.find(':') != std::string::npos && name.find("net_") == std::string::npos) options.pci = name;
  static bool first = true;
  auto eal = device::start_eal(options);
  if (eal && std::exchange(first, false)) free_lcores() = eal->lcores;
  return eal;
}

Result<stack::Secrets> make_secrets(uint64_t seed) {
  stack::Secrets secrets;
  if (seed == 0) {
    if (getrandom(&secrets, sizeof(secrets), 0) == static_cast<ssize_t>(sizeof(secrets))) return secrets;
    return Failure{"the system gives no random numbers (getrandom): without secrets, connections could be forged"};
  }
  Random random(seed);
  for (SipKey* key : {&secrets.isn, &secrets.flow, &secrets.port, &secrets.cookie})
    *key = {random.next(), random.next()};
  return secrets;
}

stack::StackConfig stack_config(const Config& config, const device::Link& link) {
  stack::StackConfig out;
  out.interface.mac = link.mac();
  out.interface.address = wire::Ipv4Address(config.address.address.value);
  out.interface.addresses = config.addresses;
  out.interface.prefix_length = config.address.length;
  if (config.gateway) out.interface.gateway = wire::Ipv4Address(config.gateway->value);
  out.tcp.mss = static_cast<uint16_t>(link.mtu() - wire::kIpv4HeaderSize - 20);
  out.tcp.receive_buffer = config.receive_buffer;
  out.tcp.time_wait = config.time_wait;
  out.tcp.min_rto = config.min_rto;
  out.tcp.nagle = config.nagle;
  out.tcp.syn_retries = config.syn_retries;
  out.tcp.data_retries = config.data_retries;
  out.tcp.keepalive = config.keepalive;
  out.tcp.keepalive_idle = config.keepalive_idle;
  out.tcp.keepalive_interval = config.keepalive_interval;
  out.tcp.keepalive_probes = config.keepalive_probes;
  out.tcp.zero_window_limit = config.zero_window_limit;
  while (out.tcp.window_scale < wire::kMaxWindowScale &&
         (uint64_t{65535} << out.tcp.window_scale) < config.receive_buffer) {
    ++out.tcp.window_scale;
  }
  out.max_connections = config.max_connections;
  out.send_buffer = config.send_buffer;
  out.syn_cookies = static_cast<stack::SynCookies>(config.syn_cookies);
  return out;
}

Error connect_error(stack::ConnectFailure failure) {
  switch (failure) {
    case stack::ConnectFailure::None:
      return Error::None;
    case stack::ConnectFailure::InvalidAddress:
      return Error::InvalidAddress;
    case stack::ConnectFailure::NoRoute:
      return Error::NoRoute;
    case stack::ConnectFailure::NoPort:
      return Error::NoPort;
    case stack::ConnectFailure::NoRecord:
      return Error::NoRecord;
  }
  return Error::None;
}

}  // namespace

class Endpoint::Impl {
 public:
  Impl(const Config& c, buf::MbufPool p, std::string m) : config(c), pool(std::move(p)), memory(std::move(m)) {}

  ServiceHandler& handler_for(Service& service) {
    auto& handler = handlers[&service];
    if (handler == nullptr) handler = std::make_unique<ServiceHandler>(service, *stack);
    return *handler;
  }

  bool run_tasks() {
    bool busy = false;
    if (has_tasks.load(std::memory_order_acquire)) {
      std::vector<std::function<void()>> batch;
      {
        const std::lock_guard lock(mutex);
        batch.swap(tasks);
        has_tasks.store(false, std::memory_order_relaxed);
      }
      for (auto& task : batch) task();
      busy = true;
    }
    if (each_poll) each_poll();
    return busy;
  }

  bool poll() {
    return worker->poll([this] { return run_tasks(); });
  }

  void loop() {
    while (!stopping.load(std::memory_order_relaxed)) {
      if (!poll()) worker->back_off();
    }
    run_tasks();
  }

  Stats snapshot() {
    Stats out;
    if (stack == nullptr) {
      out = last;
    } else {
      out = make_stats(stack->counters());
      if (const uint64_t missed = port->missed(); missed > 0) out.dropped["device_missed"] = missed;
      out.polls = worker->counters().polls;
      out.idle_polls = worker->counters().idle_polls;
      out.busy_cycles = worker->counters().busy_cycles;
    }
    out.mbufs_in_use = pool.in_use();
    out.ns_per_cycle = process_clock().ns_per_cycle();
    return out;
  }

  Config config;
  buf::MbufPool pool;
  std::string memory;
  std::unique_ptr<device::Port> port;
  std::unique_ptr<device::Link> link;  // in virtual time: between the stack and the port
  std::unique_ptr<stack::Stack> stack;
  std::unique_ptr<stack::Worker> worker;
  std::unordered_map<Service*, std::unique_ptr<ServiceHandler>> handlers;
  std::unique_ptr<ObserverAdapter> observer;
  std::function<void()> each_poll;
  Stats last;

  std::mutex mutex;
  std::vector<std::function<void()>> tasks;
  std::atomic<bool> has_tasks = false;
  std::atomic<bool> stopping = false;
  std::atomic<bool> running = false;
  int lcore = -1;  // of the worker that start() began
};

Endpoint::Endpoint(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Endpoint::~Endpoint() {
  release();
}

Result<std::unique_ptr<Endpoint>> Endpoint::create(const Config& config) {
  return EndpointAccess::create(config, nullptr);
}

Result<std::unique_ptr<Endpoint>> EndpointAccess::create(const Config& config, const Virtual* in_virtual_time) {
  if (config.addresses == 0 || config.addresses - 1 > config.address.following()) {
    return Failure{"the prefix " + config.address.to_string() + " has no room for " + std::to_string(config.addresses) +
                   " addresses: give a shorter prefix or fewer addresses"};
  }
  auto eal = start_eal(config);
  if (!eal) return eal.failure();
  static unsigned count = 0;
  auto pool = buf::MbufPool::create("estab" + std::to_string(count++), config.mbufs);
  if (!pool) return pool.failure();
  auto secrets = make_secrets(config.seed);
  if (!secrets) return secrets.failure();
  const bool shared_cookies = !config.cookie_secret_file.empty();
  if (shared_cookies) {
    auto read = read_cookie_secret(config.cookie_secret_file);
    if (!read) return read.failure();
    secrets->cookie = *read;
  }
  auto impl = std::make_unique<Endpoint::Impl>(config, std::move(*pool), eal->memory);
  auto port = device::Port::open(config.device, impl->pool);
  if (!port) return port.failure();
  impl->port = std::move(*port);
  if (in_virtual_time != nullptr) impl->link = in_virtual_time->link(*impl->port);
  device::Link& link = impl->link != nullptr ? *impl->link : *impl->port;
  stack::StackConfig inner = stack_config(config, link);
  inner.interface.promiscuous = in_virtual_time != nullptr;  // a capture's frames are for its own server's MAC
  const Instant start = in_virtual_time != nullptr ? in_virtual_time->start : process_clock().now();
  inner.secrets = *secrets;
  if (shared_cookies) {
    const auto wall = std::chrono::system_clock::now().time_since_epoch();
    inner.shared_cookie_clock =
        Duration::nanoseconds(std::chrono::duration_cast<std::chrono::nanoseconds>(wall).count()) -
        Duration::nanoseconds(static_cast<int64_t>(start.ns()));
  }
  impl->stack = std::make_unique<stack::Stack>(inner, link, impl->pool, start);
  impl->worker = std::make_unique<stack::Worker>(*impl->stack, link, process_clock());
  return std::unique_ptr<Endpoint>(new Endpoint(std::move(impl)));
}

stack::Stack& EndpointAccess::stack(Endpoint& endpoint) {
  return *endpoint.impl_->stack;
}

bool Endpoint::listen(uint16_t port, Service& service, uint32_t backlog) {
  return impl_->stack->listen(wire::Port(port), impl_->handler_for(service), backlog);
}

void Endpoint::stop_listening(uint16_t port) {
  impl_->stack->stop_listening(wire::Port(port));
}

Error Endpoint::connect(const SocketAddress& remote, Service& service, const ConnectOptions& options) {
  Connection connection;
  return connect(remote, service, options, connection);
}

Error Endpoint::connect(const SocketAddress& remote, Service& service, const ConnectOptions& options,
                        Connection& connection) {
  stack::ConnectOptions inner;
  inner.probe_only = options.probe_only;
  inner.user = options.user;
  if (options.local) inner.local = wire::Ipv4Address(options.local->value);
  stack::ConnectionId id;
  const stack::ConnectFailure failure = impl_->stack->connect(
      wire::Ipv4Address(remote.address.value), wire::Port(remote.port), impl_->handler_for(service), inner, id);
  if (failure == stack::ConnectFailure::None) connection = ConnectionAccess::make(*impl_->stack, id);
  return connect_error(failure);
}

void Endpoint::for_each_connection(const std::function<void(Connection)>& visit) {
  impl_->stack->for_each_connection([&](stack::ConnectionId id) { visit(ConnectionAccess::make(*impl_->stack, id)); });
}

Buffer Endpoint::make_buffer(std::span<const uint8_t> bytes) {
  return BufferAccess::wrap(impl_->pool.copy(bytes));
}

Buffer Endpoint::share(const Buffer& buffer, size_t offset, size_t length) {
  return BufferAccess::wrap(
      impl_->pool.reference(BufferAccess::look(buffer), static_cast<uint32_t>(offset), static_cast<uint32_t>(length)));
}

void Endpoint::set_observer(Observer* observer) {
  impl_->observer = observer == nullptr ? nullptr : std::make_unique<ObserverAdapter>(*observer);
  impl_->stack->set_observer(impl_->observer.get());
}

void Endpoint::on_poll(std::function<void()> callback) {
  impl_->each_poll = std::move(callback);
}

Instant Endpoint::now() const {
  return impl_->link != nullptr ? impl_->stack->now() : process_clock().now();
}

bool Endpoint::poll() {
  return impl_->poll();
}

void Endpoint::run() {
  // An lcore of its own gives the thread a cache of mbufs.
  const bool registered = rte_lcore_id() == LCORE_ID_ANY && rte_thread_register() == 0;
  impl_->running = true;
  impl_->loop();
  impl_->running = false;
  impl_->stopping = false;
  if (registered) rte_thread_unregister();
}

bool Endpoint::start() {
  if (impl_->lcore >= 0 || free_lcores().empty()) return false;
  const unsigned lcore = free_lcores().back();
  impl_->running = true;
  const auto main = [](void* impl) {
    static_cast<Impl*>(impl)->loop();
    return 0;
  };
  if (rte_eal_remote_launch(main, impl_.get(), lcore) != 0) {
    impl_->running = false;
    return false;
  }
  free_lcores().pop_back();
  impl_->lcore = static_cast<int>(lcore);
  return true;
}

void Endpoint::stop() {
  impl_->stopping = true;
  if (impl_->lcore < 0) return;
  rte_eal_wait_lcore(static_cast<unsigned>(impl_->lcore));
  free_lcores().push_back(static_cast<unsigned>(impl_->lcore));
  impl_->lcore = -1;
  impl_->running = false;
  impl_->stopping = false;
}

void Endpoint::post(std::function<void()> task) {
  if (!impl_->running) {
    task();
    return;
  }
  const std::lock_guard lock(impl_->mutex);
  impl_->tasks.push_back(std::move(task));
  impl_->has_tasks.store(true, std::memory_order_release);
}

Stats Endpoint::stats() {
  if (impl_->lcore < 0) return impl_->snapshot();
  Stats out;
  std::mutex mutex;
  std::condition_variable done_signal;
  bool done = false;
  post([&] {
    Stats taken = impl_->snapshot();
    const std::lock_guard lock(mutex);
    out = std::move(taken);
    done = true;
    done_signal.notify_one();
  });
  std::unique_lock lock(mutex);
  done_signal.wait(lock, [&done] { return done; });
  return out;
}

void Endpoint::release() {
  if (impl_->stack == nullptr) return;
  stop();
  impl_->last = impl_->snapshot();
  impl_->worker.reset();
  impl_->stack.reset();
  impl_->link.reset();
  impl_->port.reset();
}

std::string Endpoint::describe() const {
  const device::Capabilities& can = impl_->port->capabilities();
  std::string text = impl_->config.device + " (" + impl_->port->driver() + "), " + impl_->config.address.to_string();
  if (impl_->config.addresses > 1)
    text += " and the next " + std::to_string(impl_->config.addresses - 1) + " addresses";
  text += ", MTU " + std::to_string(impl_->port->mtu());
  text += std::string(", checksums sent by ") + (can.tcp_checksum ? "the device" : "software") + " and verified by " +
          (can.verifies_checksums ? "the device" : "software");
  return text + "; " + impl_->memory;
}

const Config& Endpoint::config() const {
  return impl_->config;
}

Result<std::pair<std::string, std::string>> create_ring_pair(const std::string& name, const Config& options) {
  if (auto eal = start_eal(options); !eal) return eal.failure();
  return device::create_ring_pair(name, 8192);
}

}  // namespace estab
