// The EAL and one small pool of mbufs, once for the process.
#pragma once

#include "buf/mbuf_pool.h"
#include "device/eal.h"
#include "fuzz/input.h"

namespace estab::fuzz {

inline buf::MbufPool& mbufs(uint32_t count) {
  static buf::MbufPool pool = [count] {
    device::EalOptions options;
    options.program = "fuzz";
    options.arguments = {"--no-huge", "--no-shconf", "--no-pci", "-m", "64", "-l", "0"};
    must(static_cast<bool>(device::start_eal(options)), "the EAL starts");
    auto made = buf::MbufPool::create("fuzz", count);
    must(static_cast<bool>(made), "there is memory for mbufs");
    return std::move(*made);
  }();
  return pool;
}

}  // namespace estab::fuzz
