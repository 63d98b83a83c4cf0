#include <almanac/tools/commands.h>

#include <almanac/log/log.h>
#include <almanac/snapshots/rebuild.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace almanac {

ExitCode state_digest(const StateDigestCommand& command) {
  auto log = Log::open(command.folder, {.access = Access::read});
  if (!log) return report(log.error());
  auto state = rebuild(**log);
  if (!state) return report(state.error());
  auto hex = to_hex(digest(*state));
  if (command.json) {
    nlohmann::ordered_json json{{"position", state->position.value}, {"digest", hex}};
    fmt::print("{}\n", json.dump());
  } else {
    fmt::print("position {}\ndigest   {}\n", state->position.value, hex);
  }
  return ExitCode::ok;
}

}  // namespace almanac
