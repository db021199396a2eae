// TCP options as a peer may write them; and what was understood, written and read again.
#include <algorithm>
#include <array>
#include <vector>

#include "fuzz/input.h"
#include "wire/tcp_options.h"

using namespace estab;
using fuzz::must;

namespace {

// Without what parsing leaves behind the last block.
wire::TcpOptions tidy(wire::TcpOptions options) {
  std::fill(options.sack.begin() + options.sack_count, options.sack.end(), wire::SackBlock{});
  return options;
}

// With as many blocks as there is room for beside the other options.
wire::TcpOptions writable(wire::TcpOptions options) {
  wire::TcpOptions others = options;
  others.sack_count = 0;
  const size_t room = (wire::kMaxTcpOptionsSize - 4 - wire::tcp_options_size(others)) / 8;
  options.sack_count = static_cast<uint8_t>(std::min<size_t>(options.sack_count, room));
  return tidy(options);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  wire::TcpOptions options;
  if (!wire::parse_tcp_options({data, size}, options)) return 0;
  must(options.sack_count <= wire::kMaxSackBlocks, "a segment has at most four SACK blocks");
  must(options.window_scale <= wire::kMaxWindowScale, "a shift is at most 14");

  const size_t expected = wire::tcp_options_size(options);
  must(expected <= wire::kMaxTcpOptionsSize && expected % 4 == 0, "options are whole words, ten at most");
  std::vector<uint8_t> bytes(expected);  // of just this size, so that a byte too many is seen
  must(wire::write_tcp_options(bytes.data(), options) == expected, "as much is written as was said");

  wire::TcpOptions again;
  must(wire::parse_tcp_options(bytes, again), "what was written can be read");
  must(tidy(again) == writable(options), "what was written is what was meant");
  return 0;
}
