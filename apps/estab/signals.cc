#include "signals.h"

#include <csignal>

namespace estab::app {
namespace {

volatile std::sig_atomic_t caught = 0;

}  // namespace

void catch_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { caught = 1; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() {
  return caught != 0;
}

}  // namespace estab::app
