#include <almanac/tools/past_commands.h>
#include <almanac/tools/source.h>
#include <almanac/tools/text.h>

#include <almanac/projections/invariants.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace almanac {
namespace {

// Events that changed nothing contradict the state: no log of Almanac's own holds one.
std::vector<std::string> broken_promises(const State& state) {
  auto broken = broken_invariants(state);
  if (state.ignored > 0) {
    broken.push_back(counted(state.ignored, "event") +
                     " contradicted the state and changed nothing");
  }
  return broken;
}

}  // namespace

ExitCode state_verify(const StateVerifyCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const State& state = source->state;
  const auto broken = broken_promises(state);
  if (command.json) {
    nlohmann::ordered_json json{{"position", state.position.value},
                                {"tasks", state.tasks.all.size()},
                                {"sound", broken.empty()},
                                {"broken", broken}};
    fmt::print("{}\n", json.dump());
  } else {
    fmt::print("position {}, {}: {}\n", state.position.value,
               counted(state.tasks.all.size(), "task"), broken.empty() ? "sound" : "broken");
    for (const std::string& sentence : broken) fmt::print("  {}\n", sentence);
  }
  return broken.empty() ? ExitCode::ok : ExitCode::corrupt;
}

}  // namespace almanac
