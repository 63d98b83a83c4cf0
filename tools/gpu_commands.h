// The subcommands of `almanac gpu`.
#pragma once

#include <almanac/tools/exit_code.h>

#include <filesystem>
#include <string>

namespace almanac {

struct GpuListCommand {
  std::filesystem::path folder;
  std::string at;  // position or time; empty = now
  bool json = false;
};
ExitCode gpu_list(const GpuListCommand& command);

struct GpuShowCommand {
  std::filesystem::path folder;
  std::string device;  // its identity, or how that begins
  std::string at;
  bool json = false;
};
// Ends with not_found when nothing is known of the device.
ExitCode gpu_show(const GpuShowCommand& command);

struct GpuProbeCommand {
  bool json = false;
};
// Looks at the devices of this machine now; nothing is recorded.
ExitCode gpu_probe(const GpuProbeCommand& command);

}  // namespace almanac
