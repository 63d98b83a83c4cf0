// `almanac health` and `almanac diagnostics`.
#pragma once

#include <almanac/tools/exit_code.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace almanac {

struct HealthCommand {
  std::filesystem::path folder;
  std::string at;  // position or time; empty = now
  std::string window = "1h";
  bool json = false;
};
// Ends with work_failed when it is not healthy.
ExitCode health(const HealthCommand& command);

struct DiagnosticsExportCommand {
  std::filesystem::path folder;
  std::string file;  // "-" = standard output
  std::string window = "1d";
  std::uint64_t errors = 100;  // at most so many of the last ones
};
ExitCode diagnostics_export(const DiagnosticsExportCommand& command);

}  // namespace almanac
