#include <fmt/core.h>

#include <exception>

#include "bench.h"
#include "options.h"
#include "replay.h"
#include "serve.h"

int main(int argc, char** argv) {
  using estab::app::Options;
  int exit_code = 0;
  const auto options = estab::app::CommandLine().parse(argc, argv, exit_code);
  if (!options) return exit_code;
  try {
    switch (options->command) {
      case Options::Command::Serve:
        return estab::app::serve(options->serve);
      case Options::Command::Bench:
        return estab::app::bench(options->bench);
      case Options::Command::Replay:
        return estab::app::replay(options->replay);
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "estab: {}\n", error.what());
  }
  return 1;
}
