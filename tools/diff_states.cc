#include <almanac/tools/past.h>
#include <almanac/tools/past_commands.h>
#include <almanac/tools/source.h>
#include <almanac/tools/state_changes.h>
#include <almanac/tools/units.h>

#include <almanac/engine/engine.h>
#include <almanac/snapshots/past_states.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace almanac {
namespace {

using nlohmann::ordered_json;

Result<State> diffed_state(const Log& log, const std::filesystem::path& folder,
                           const PastStates& past, std::string_view moment) {
  auto position = find_position(log, moment, system_time());
  if (!position) return std::unexpected(with_first_state(position.error(), log, folder));
  auto state = past.at(*position);
  if (!state) return std::unexpected(with_first_state(state.error(), log, folder, *position));
  return state;
}

std::string moment_text(const State& state) {
  auto time = state.position ? format_time(state.time) : "before the first event";
  return fmt::format("{} ({})", state.position.value, time);
}

void print_changes(const State& before, const State& after, const ordered_json& changes) {
  fmt::print("from {}\nto   {}\n", moment_text(before), moment_text(after));
  if (changes.empty()) fmt::print("nothing changed\n");
  fmt::print("{}", changes_text(changes));
}

}  // namespace

ExitCode diff_states(const DiffCommand& command) {
  auto log = Log::open(command.folder, {.access = Access::read});
  if (!log) return report(log.error());
  const PastStates past(**log, command.folder, {.refused = tell_refused});
  auto before = diffed_state(**log, command.folder, past, command.before);
  if (!before) return report(before.error());
  auto after = diffed_state(**log, command.folder, past, command.after);
  if (!after) return report(after.error());
  if (command.json) {
    fmt::print("{}\n", difference_json(*before, *after));
  } else {
    print_changes(*before, *after, state_changes(*before, *after));
  }
  return ExitCode::ok;
}

}  // namespace almanac
