#include "options.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <map>

#include "services.h"

namespace estab::app {
namespace {

const std::map<std::string, Workload> kWorkloads = {{"cc", Workload::Cc},
                                                    {"crr", Workload::Crr},
                                                    {"rr", Workload::Rr},
                                                    {"hold", Workload::Hold},
                                                    {"syn", Workload::Syn}};

[[noreturn]] void refuse(const std::string& what) {
  throw CLI::ValidationError(what);
}

template <typename T>
T must(Result<T> result) {
  if (!result) refuse(result.error());
  return *result;
}

void add_duration(CLI::App* app, const std::string& name, const std::string& help, std::function<void(Duration)> set,
                  Duration least = Duration::milliseconds(1)) {
  app->add_option_function<std::string>(
         name,
         [name, least, set = std::move(set)](const std::string& text) {
           const Duration duration = must(parse_duration(text));
           if (duration < least) refuse(name + " must be at least 1ms, not '" + text + "'");
           set(duration);
         },
         help)
      ->type_name("DURATION");
}

ListenOption parse_listen(const std::string& text) {
  const size_t colon = text.find(':');
  ListenOption option;
  const std::string port = text.substr(0, colon);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), option.port);
  if (error != std::errc() || end != port.data() + port.size() || option.port == 0) {
    refuse("'" + text + "' is not a port to listen on: write PORT or PORT:SERVICE, as 80:http");
  }
  option.service = colon == std::string::npos ? "echo" : text.substr(colon + 1);
  if (!is_service(option.service)) {
    refuse("'" + option.service + "' is not a service: choose one of " + service_names());
  }
  return option;
}

void add_listen(CLI::App* app, std::vector<ListenOption>& listeners) {
  app->add_option_function<std::vector<std::string>>(
         "--listen",
         [&listeners](const std::vector<std::string>& all) {
           for (const std::string& text : all) listeners.push_back(parse_listen(text));
         },
         "Port to listen on, and the service there: " + service_names() + " (default echo); may be repeated")
      ->type_name("PORT[:SERVICE]")
      ->required();
}

void add_address(CLI::App* app, Cidr& address, bool required) {
  auto* option = app->add_option_function<std::string>(
      "--address", [&address](const std::string& text) { address = must(Cidr::parse(text)); },
      "Our address with its prefix length, as 198.18.0.2/24");
  option->type_name("CIDR");
  if (required) option->required();
}

void add_endpoint(CLI::App* app, Config& config, bool required) {
  auto* device = app->add_option("--device", config.device,
                                 "DPDK device: a PCI address, or a string such as net_tap0,iface=estab0");
  device->type_name("DEVARGS")->check(
      [](const std::string& text) { return text.empty() ? "--device must not be empty" : ""; });
  if (required) device->required();
  add_address(app, config.address, required);
  app->add_option_function<std::string>(
         "--gateway", [&config](const std::string& text) { config.gateway = must(Address::parse(text)); },
         "Where packets for other networks go")
      ->type_name("IP");
  app->add_option("--max-connections", config.max_connections,
                  "Connection records, TIME-WAIT included (default: " +
                      (required ? std::to_string(config.max_connections) : std::string("as many as the run needs")) +
                      ")")
      ->check(CLI::Range(1u, 1u << 28));
  app->add_option("--mbufs", config.mbufs,
                  "Packet buffers (default: " +
                      (required ? std::to_string(config.mbufs) : std::string("as many as the run needs")) + ")")
      ->check(CLI::Range(1024u, 1u << 26));
  add_duration(
      app, "--time-wait", "How long TIME-WAIT lasts (2 MSL)", [&config](Duration d) { config.time_wait = d; },
      Duration());
}

void add_common(CLI::App* app, std::string& json_file, uint64_t& trace) {
  app->add_option("--json", json_file, "Write the summary to this file as one JSON object")->type_name("FILE");
  app->add_option("--trace", trace, "Draw the first N connections as ladders while they happen")->type_name("N");
  app->footer(
      "--config FILE reads options from a TOML file: from its top, or from the section named as the command.\n"
      "Options of DPDK's EAL go after a lone --.");
}

void add_serve(CLI::App& app, ServeOptions& options) {
  CLI::App* serve = app.add_subcommand("serve", "Put a server on a device");
  add_endpoint(serve, options.endpoint, true);
  add_listen(serve, options.listeners);
  serve->add_option("--backlog", options.backlog, "Half-open connections a port may have")->capture_default_str();
  serve
      ->add_option_function<std::string>(
          "--syn-cookies",
          [&options](const std::string& when) {
            options.endpoint.syn_cookies = when == "always"  ? SynCookies::Always
                                           : when == "never" ? SynCookies::Never
                                                             : SynCookies::Auto;
          },
          "When to answer SYNs without remembering them (default auto: while the backlog is full)")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->type_name("");
  serve
      ->add_option("--cookie-secret-file", options.endpoint.cookie_secret_file,
                   "File with 32 hexadecimal digits: hosts behind one address that share it complete each other's "
                   "handshakes")
      ->type_name("FILE");
  add_duration(serve, "--keepalive", "Probe a connection that has been silent for this long (default: never)",
               [&options](Duration d) {
                 options.endpoint.keepalive = true;
                 options.endpoint.keepalive_idle = d;
               });
  add_duration(
      serve, "--zero-window-limit",
      "Reset a connection whose peer keeps its window closed for this long with data waiting; 0: never (default 20m)",
      [&options](Duration d) { options.endpoint.zero_window_limit = d; }, Duration());
  add_duration(serve, "--duration", "Stop after this long (default: when interrupted)",
               [&options](Duration d) { options.duration = d; });
  add_duration(serve, "--stats", "Print a line of counters this often",
               [&options](Duration d) { options.stats_interval = d; });
  add_common(serve, options.json_file, options.trace);
}

void add_bench(CLI::App& app, BenchOptions& options) {
  CLI::App* bench =
      app.add_subcommand("bench", "Measure connections: against a server, or self-contained over ring devices");
  bench
      ->add_option_function<std::string>(
          "--workload", [&options](const std::string& name) { options.workload = kWorkloads.at(name); },
          "cc: connect and close (default); crr: connect, request, response, close; rr: requests on standing "
          "connections; "
          "hold: ramp up and keep; syn: SYNs and SYN-ACKs")
      ->check(CLI::IsMember({"cc", "crr", "rr", "hold", "syn"}))
      ->type_name("");
  bench
      ->add_option_function<std::string>(
          "--connect", [&options](const std::string& text) { options.connect = must(SocketAddress::parse(text)); },
          "The server; without it client and server run in this process")
      ->type_name("IP:PORT");
  add_endpoint(bench, options.endpoint, false);
  bench->add_option("--rate", options.rate, "Connections (rr: requests) a second, due on time whatever the server does")
      ->check(CLI::Range(0.001, 1e9));
  bench->add_option("--concurrency", options.concurrency, "Connections under way at once")
      ->check(CLI::Range(1u, 1u << 24))
      ->capture_default_str();
  bench->add_option("--connections", options.connections, "Stop after this many")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 40));
  add_duration(bench, "--duration", "Stop after this long", [&options](Duration d) { options.duration = d; });
  bench->add_option("--request", options.request, "Bytes of a request")
      ->check(CLI::Range(1u, 1u << 20))
      ->capture_default_str();
  bench->add_option("--response", options.response, "Bytes of a response")
      ->check(CLI::Range(1u, 1u << 20))
      ->capture_default_str();
  bench
      ->add_option_function<std::string>(
          "--close", [&options](const std::string& how) { options.close_by_rst = how == "rst"; },
          "How connections end (default fin)")
      ->check(CLI::IsMember({"fin", "rst"}))
      ->type_name("");
  bench
      ->add_option_function<std::string>(
          "--close-by",
          [&options](const std::string& who) {
            options.close_by = who == "server" ? CloseBy::Server : CloseBy::Client;
          },
          "Which side closes first, and keeps TIME-WAIT (default client)")
      ->check(CLI::IsMember({"client", "server"}))
      ->type_name("");
  bench
      ->add_option("--source-addresses", options.source_addresses,
                   "Addresses to connect from, consecutive from --address on (default: as many as the run needs)")
      ->check(CLI::Range(1u, 1u << 20));
  bench->add_flag("--one-core", options.one_core, "Self-contained: client and server on one core");
  add_common(bench, options.json_file, options.trace);
}

void add_replay(CLI::App& app, ReplayOptions& options) {
  CLI::App* replay =
      app.add_subcommand("replay", "Give the client's side of a capture to a server, under the capture's own clock");
  replay->add_option("--in", options.in, "The capture")->type_name("FILE.pcap")->required();
  replay->add_option("--out", options.out, "Where what the server sends is written")
      ->type_name("FILE.pcap")
      ->required();
  add_address(replay, options.address, true);
  add_listen(replay, options.listeners);
  replay->add_option("--seed", options.seed, "Of the server's secrets: the same seed gives the same output")
      ->capture_default_str();
  add_common(replay, options.json_file, options.trace);
}

void check_bench(const BenchOptions& options) {
  if (options.connect && options.endpoint.device.empty())
    refuse("--connect needs a --device to connect from, and its --address");
  if (!options.endpoint.device.empty() && !options.connect)
    refuse("--device needs --connect IP:PORT: the server to measure");
  if (options.connect && options.endpoint.address == Cidr{})
    refuse("--connect needs an --address to connect from, as 198.18.0.2/24");
  if (options.workload == Workload::Rr && options.close_by == CloseBy::Server)
    refuse("rr connections are closed by the client");
}

// Options may stand at the top of the file, or in a section named as the subcommand ([serve]); other subcommands'
// sections are passed over, so that one file can serve all.
class SubcommandConfig final : public CLI::ConfigTOML {
 public:
  explicit SubcommandConfig(std::string subcommand) : subcommand_(std::move(subcommand)) {}

  std::vector<CLI::ConfigItem> from_config(std::istream& in) const override {
    std::vector<CLI::ConfigItem> ours;
    for (CLI::ConfigItem& item : CLI::ConfigTOML::from_config(in)) {
      if (item.name == "++" || item.name == "--") continue;  // marks of sections
      if (!item.parents.empty() && item.parents.front() != subcommand_) continue;
      item.parents = {subcommand_};
      ours.push_back(item);
    }
    return ours;
  }

 private:
  std::string subcommand_;
};

Options defaults() {
  Options options;
  options.bench.endpoint.time_wait = Duration::seconds(1);
  options.bench.endpoint.max_connections = 0;
  options.bench.endpoint.mbufs = 0;
  return options;
}

}  // namespace

const char* workload_name(Workload workload) {
  for (const auto& [name, value] : kWorkloads) {
    if (value == workload) return name.c_str();
  }
  return "?";
}

Result<Duration> parse_duration(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string unit(end, static_cast<size_t>(text.data() + text.size() - end));
  const std::map<std::string, double> units = {{"", 1}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}};
  const auto found = units.find(unit);
  if (error != std::errc() || found == units.end() || number < 0 || number * found->second > 1e9) {
    return Failure{"'" + text + "' is not a duration: write it as 250ms, 10s, 2m or 1h"};
  }
  return Duration::nanoseconds(static_cast<int64_t>(number * found->second * 1e9));
}

struct CommandLine::Parser {
  // Options are read into `options`, which is to stay where it is.
  Options options;
  CLI::App app{"estab: a TCP endpoint on DPDK. Options of DPDK's EAL go after a lone --.", "estab"};
};

CommandLine::CommandLine() : parser_(std::make_unique<Parser>()) {
  parser_->options = defaults();
  CLI::App& app = parser_->app;
  app.require_subcommand(1);
  app.fallthrough();
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.set_config("--config", "", "Read options from this TOML file")->type_name("FILE");
  app.set_version_flag("--version", ESTAB_VERSION);
  add_serve(app, parser_->options.serve);
  add_bench(app, parser_->options.bench);
  add_replay(app, parser_->options.replay);
}

CommandLine::~CommandLine() = default;

std::optional<Options> CommandLine::parse(int argc, char** argv, int& exit_code) {
  std::vector<std::string> ours;
  std::vector<std::string> eal;
  bool after = false;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (!after && argument == "--") {
      after = true;
    } else {
      (after ? eal : ours).push_back(argument);
    }
  }
  CLI::App& app = parser_->app;
  Options& options = parser_->options;
  options = defaults();
  app.config_formatter(std::make_shared<SubcommandConfig>(ours.empty() ? "" : ours.front()));
  try {
    std::reverse(ours.begin(), ours.end());
    app.parse(ours);
    if (app.got_subcommand("bench")) {
      options.command = Options::Command::Bench;
      check_bench(options.bench);
    } else if (app.got_subcommand("replay")) {
      options.command = Options::Command::Replay;
    }
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      exit_code = app.exit(error);
    } else {
      fmt::print(stderr, "estab: {}\n", error.what());
      exit_code = 2;
    }
    return std::nullopt;
  }
  options.serve.endpoint.eal_arguments = eal;
  options.bench.endpoint.eal_arguments = eal;
  return options;
}

}  // namespace estab::app
