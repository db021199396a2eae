// A TCP endpoint on one device: listeners, connections, and the worker that polls for them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "estab/config.h"
#include "estab/connection.h"
#include "estab/error.h"
#include "estab/observer.h"
#include "estab/result.h"
#include "estab/service.h"
#include "estab/stats.h"

namespace estab {

struct ConnectOptions {
  bool probe_only = false;       // answer the SYN-ACK with a RST instead of an ACK: on_connect, then on_close
  uint64_t user = 0;             // what Connection::user() says from the first
  std::optional<Address> local;  // one of the endpoint's addresses; by default they take turns (RFC 9293 MUST-43)
};

class Endpoint {
 public:
  // Starts the EAL if this is the first endpoint of the process, and opens the device. A failure is a sentence to act
  // on.
  static Result<std::unique_ptr<Endpoint>> create(const Config& config);
  ~Endpoint();
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  // The calls below are for the worker's thread, or for any thread while no worker runs.

  // Passive OPEN (RFC 9293 §3.10.1). `backlog` bounds the half-open connections. False: the port has a listener.
  bool listen(uint16_t port, Service& service, uint32_t backlog = 1024);
  void stop_listening(uint16_t port);
  // Active OPEN. The outcome comes as on_connect or on_close; an Error other than None means that neither will.
  Error connect(const SocketAddress& remote, Service& service, const ConnectOptions& options = {});
  Error connect(const SocketAddress& remote, Service& service, const ConnectOptions& options, Connection& connection);
  // Visits every connection that a service still has a part in: not those in TIME-WAIT.
  void for_each_connection(const std::function<void(Connection)>& visit);
  // A buffer with a copy of the bytes; empty when the mbufs are all in use.
  Buffer make_buffer(std::span<const uint8_t> bytes);
  // Another reference to a part of a buffer's bytes, without copying them; empty when the mbufs are all in use.
  Buffer share(const Buffer& buffer, size_t offset, size_t length);
  void set_observer(Observer* observer);  // sees every segment; null takes it away. For tracing: it slows the worker
  // Called once in every poll, after the packets: for generators of load. Empty takes it away.
  void on_poll(std::function<void()> callback);
  // The worker's clock: the same for all endpoints of a process.
  Instant now() const;
  // One turn of the worker's loop, on the calling thread: true if there was something to do.
  bool poll();
  // Polls on the calling thread until stop().
  void run();

  // The calls below are for any thread.

  // Runs the worker on an lcore of its own. False when the EAL has none left.
  bool start();
  // Ends run() or the worker that start() began, and waits for the latter.
  void stop();
  // Runs `task` on the worker's thread between two polls; without a worker, at once.
  void post(std::function<void()> task);
  Stats stats();
  // Stops, drops what connections are left without a word to their services, and closes the device. Only stats(),
  // describe() and config() may be called afterwards; the pool of mbufs stays until the end, so that what leaked can be
  // counted.
  void release();
  std::string describe() const;  // one line: device, driver, addresses, offloads, memory
  const Config& config() const;

 private:
  friend struct EndpointAccess;
  class Impl;
  explicit Endpoint(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Two ring devices joined back to back, for two endpoints in one process: gives the names for Config::device.
// `options` as in Config; of them only eal_arguments and lcores count.
Result<std::pair<std::string, std::string>> create_ring_pair(const std::string& name, const Config& options);

}  // namespace estab
