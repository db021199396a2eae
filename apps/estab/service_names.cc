// Which services there are; what they do is in services.cc.
#include <algorithm>
#include <array>

#include "services.h"

namespace estab::app {
namespace {

constexpr std::array<const char*, 8> kNames = {"echo",   "discard", "chargen", "http",
                                               "accept", "close",   "stall",   "abort"};

}  // namespace

bool is_service(const std::string& name) {
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

std::string service_names() {
  std::string all;
  for (const char* name : kNames) {
    if (!all.empty()) all += ", ";
    all += name;
  }
  return all;
}

}  // namespace estab::app
