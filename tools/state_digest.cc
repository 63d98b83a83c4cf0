#include <almanac/tools/past_commands.h>
#include <almanac/tools/source.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace almanac {

ExitCode state_digest(const StateDigestCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const auto position = source->state.position.value;
  auto hex = to_hex(digest(source->state));
  if (command.json) {
    nlohmann::ordered_json json{{"position", position}, {"digest", hex}};
    fmt::print("{}\n", json.dump());
  } else {
    fmt::print("position {}\ndigest   {}\n", position, hex);
  }
  return ExitCode::ok;
}

}  // namespace almanac
