// Keeps DPDK's own log lines away while a device is tried: what fails is then said once, in our sentence.
#pragma once

#include <rte_log.h>

#include <cstdio>

namespace estab::device {

class QuietLog {
 public:
  QuietLog() : null_(std::fopen("/dev/null", "w")) {
    if (null_ != nullptr) rte_openlog_stream(null_);
  }
  ~QuietLog() {
    rte_openlog_stream(nullptr);
    if (null_ != nullptr) std::fclose(null_);
  }
  QuietLog(const QuietLog&) = delete;
  QuietLog& operator=(const QuietLog&) = delete;

 private:
  std::FILE* null_;
};

}  // namespace estab::device
