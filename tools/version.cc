#include <almanac/tools/commands.h>

#include <almanac/version.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace almanac {

ExitCode show_version(const VersionCommand& command) {
  if (command.json) {
    nlohmann::ordered_json json{{"version", almanac::version}, {"log_format", 1}};
    fmt::print("{}\n", json.dump());
  } else {
    fmt::print("almanac {}\n", almanac::version);
  }
  return ExitCode::ok;
}

}  // namespace almanac
