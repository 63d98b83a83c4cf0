// `almanac serve` in a folder of its own, as a process beside the benchmark.
#pragma once

#include <almanac/bench/peer_process.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace almanac::bench {

inline constexpr std::uint16_t daemon_http_port = 21'310;
inline constexpr std::uint16_t daemon_wire_port = 21'311;

// Serves when it is made, by HTTP and by the wire protocol, on this machine alone.
class DaemonProcess {
 public:
  // `folder` is that of the log's parent, and is made.
  explicit DaemonProcess(const std::filesystem::path& folder);

  // Of all its threads, in the kernel and outside.
  [[nodiscard]] double cpu_seconds() const;
  [[nodiscard]] double memory_mebibytes() const;
  // For requests by TCP.
  [[nodiscard]] const std::string& token() const { return token_; }

 private:
  static std::vector<std::string> words(const std::filesystem::path& folder);

  Server server_;
  std::string token_;
};

}  // namespace almanac::bench
