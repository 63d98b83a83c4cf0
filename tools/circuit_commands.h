// The subcommands of `almanac circuit`.
#pragma once

#include <almanac/tools/exit_code.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace almanac {

struct CircuitListCommand {
  std::filesystem::path folder;
  std::string at;  // position or time; empty = now
  bool json = false;
};
ExitCode circuit_list(const CircuitListCommand& command);

struct CircuitShowCommand {
  std::filesystem::path folder;
  std::string service;
  std::string at;
  bool json = false;
};
// Ends with not_found when nothing is known of the service.
ExitCode circuit_show(const CircuitShowCommand& command);

// What is left empty is as in every new setting.
struct CircuitSetCommand {
  std::filesystem::path folder;
  std::string service;
  std::string failure_rate;  // "0.5", "50%"
  std::string window;
  std::string cooldown;
  std::string cooldown_max;
  std::uint64_t requests_min = 0;
  std::uint64_t consecutive = UINT64_MAX;
  std::uint64_t probes = 0;
  bool lift = false;
};
ExitCode circuit_set(const CircuitSetCommand& command);

struct CircuitForceCommand {
  std::filesystem::path folder;
  std::string service;
  std::string reason;
};
ExitCode circuit_open(const CircuitForceCommand& command);
ExitCode circuit_close(const CircuitForceCommand& command);
ExitCode circuit_reset(const CircuitForceCommand& command);

}  // namespace almanac
