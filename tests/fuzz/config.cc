// The command line, and the configuration file that it names. The first byte says whether there is a file; the first
// line is the command line, the rest the file.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "../../apps/estab/options.h"
#include "fuzz/input.h"

using namespace estab;
using fuzz::must;

namespace {

// The one file, whose text is replaced for each input.
class ConfigFile {
 public:
  ConfigFile() : descriptor_(memfd_create("config", MFD_CLOEXEC)) {}
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }
  void write(std::span<const uint8_t> text) {
    must(ftruncate(descriptor_, 0) == 0, "the file can be emptied");
    must(pwrite(descriptor_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()), "the file is written");
  }

 private:
  int descriptor_;
};

std::vector<std::string> words(std::span<const uint8_t> line) {
  std::vector<std::string> out(1);
  for (const uint8_t byte : line) {
    if (byte == ' ') {
      out.emplace_back();
    } else if (byte != 0) {
      out.back() += static_cast<char>(byte);
    }
  }
  // What the input names is not read: it could be any file of this machine.
  std::erase_if(out, [](const std::string& word) { return word.empty() || word.starts_with("--config"); });
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1 || size > 2048) return 0;
  fuzz::Input input(data, size);
  const bool with_file = input.flag();
  const auto rest = input.take_all();
  const auto line_end = std::find(rest.begin(), rest.end(), uint8_t{'\n'});
  const auto line = rest.first(static_cast<size_t>(line_end - rest.begin()));

  std::vector<std::string> arguments = words(line);
  arguments.insert(arguments.begin(), "estab");
  if (with_file) {
    static ConfigFile file;
    file.write(rest.subspan(std::min(rest.size(), line.size() + 1)));
    arguments.insert(arguments.begin() + (arguments.size() > 1 ? 2 : 1), {"--config", file.path()});
  }
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  int exit_code = -1;
  static app::CommandLine command_line;  // to set one up takes longer than to parse
  const auto options = command_line.parse(static_cast<int>(arguments.size()), argv.data(), exit_code);
  must(options.has_value() || exit_code == 0 || exit_code == 2, "what is refused has an exit code");
  if (!options) return 0;
  const auto& serve = options->serve;
  must(options->command != app::Options::Command::Serve || !serve.listeners.empty(), "a server listens");
  for (const auto& listener : serve.listeners) must(listener.port != 0, "a server listens on a port");
  must(options->bench.rate >= 0 && options->bench.concurrency > 0, "a run has connections");
  return 0;
}
