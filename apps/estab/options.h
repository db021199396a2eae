// What the command line and the configuration file say.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "estab/config.h"
#include "estab/endpoint.h"

namespace estab::app {

struct ListenOption {
  uint16_t port = 0;
  std::string service;
};

struct ServeOptions {
  Config endpoint;
  std::vector<ListenOption> listeners;
  uint32_t backlog = 4096;
  std::optional<Duration> duration;
  std::optional<Duration> stats_interval;
  std::string json_file;
  uint64_t trace = 0;  // connections to draw
};

enum class Workload : uint8_t { Cc, Crr, Rr, Hold, Syn };
enum class CloseBy : uint8_t { Client, Server };

struct BenchOptions {
  Config endpoint;  // of the client; the self-contained run derives the server's from it
  Workload workload = Workload::Cc;
  std::optional<SocketAddress> connect;  // none: self-contained
  double rate = 0;                       // connections (rr: requests) a second; 0: as many as concurrency allows
  uint32_t concurrency = 512;
  uint64_t connections = 0;  // 0: until the duration ends
  std::optional<Duration> duration;
  uint32_t request = 1;   // bytes
  uint32_t response = 1;  // bytes
  bool close_by_rst = false;
  CloseBy close_by = CloseBy::Client;
  uint32_t source_addresses = 0;  // 0: as many as the run needs
  bool one_core = false;
  std::string json_file;
  uint64_t trace = 0;
};

struct ReplayOptions {
  std::string in;
  std::string out;
  Cidr address;
  std::vector<ListenOption> listeners;
  uint64_t seed = 1;
  std::string json_file;
  uint64_t trace = 0;
};

struct Options {
  enum class Command : uint8_t { Serve, Bench, Replay };
  Command command = Command::Serve;
  ServeOptions serve;
  BenchOptions bench;
  ReplayOptions replay;
};

class CommandLine {
 public:
  CommandLine();
  ~CommandLine();

  // Nothing: what there is to say has been said, and the program exits with `exit_code` (0 after --help, 2 for bad
  // usage). May be called again for other arguments.
  std::optional<Options> parse(int argc, char** argv, int& exit_code);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

const char* workload_name(Workload workload);

// "250ms", "10s", "2m", "1h"; a bare number is seconds.
Result<Duration> parse_duration(const std::string& text);

}  // namespace estab::app
