#include <almanac/tools/past.h>
#include <almanac/tools/past_commands.h>
#include <almanac/tools/source.h>
#include <almanac/tools/state_changes.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/engine/engine.h>
#include <almanac/snapshots/past_states.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace almanac {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t columns_max = 80;

Result<State> state_of(const Log& log, const PastStates& past, std::string_view moment) {
  auto position = find_position(log, moment, system_time());
  if (!position) return std::unexpected(position.error());
  return past.at(*position);
}

std::string value_text(const ordered_json& value) {
  if (value.is_null()) return "-";
  return printable(value.is_string() ? value.get<std::string>() : value.dump());
}

// "state ready > failed, attempts 0 > 1", broken into lines.
void print_entry(const std::string& key, const ordered_json& fields) {
  constexpr std::size_t indent = 10;
  std::string line = fmt::format("  {:<7} ", printable(key));
  const std::size_t empty = line.size();
  bool fresh = true;
  for (const auto& [name, change] : fields.items()) {
    std::string text = name + " ";
    if (!change[0].is_null()) text += value_text(change[0]) + " → ";
    text += value_text(change[1]);
    if (!fresh && columns(line) + columns(text) + 2 > columns_max) {
      fmt::print("{}\n", line);
      line = std::string(indent, ' ');
    } else if (!fresh) {
      line += ", ";
    }
    line += cut(text, columns_max - indent);
    fresh = false;
  }
  if (line.size() >= empty) fmt::print("{}\n", line);
}

std::string moment_text(const State& state) {
  auto time = state.position ? format_time(state.time) : "before the first event";
  return fmt::format("{} ({})", state.position.value, time);
}

void print_changes(const State& before, const State& after, const ordered_json& changes) {
  fmt::print("from {}\nto   {}\n", moment_text(before), moment_text(after));
  if (changes.empty()) fmt::print("nothing changed\n");
  for (const auto& [projection, entries] : changes.items()) {
    fmt::print("{}: {} changed\n", projection, entries.size());
    for (const auto& [key, fields] : entries.items()) print_entry(key, fields);
  }
}

}  // namespace

ExitCode diff_states(const DiffCommand& command) {
  auto log = Log::open(command.folder, {.access = Access::read});
  if (!log) return report(log.error());
  const PastStates past(**log, command.folder, {.refused = tell_refused});
  auto before = state_of(**log, past, command.before);
  if (!before) return report(before.error());
  auto after = state_of(**log, past, command.after);
  if (!after) return report(after.error());
  auto changes = state_changes(*before, *after);
  if (!command.json) {
    print_changes(*before, *after, changes);
    return ExitCode::ok;
  }
  if (changes.contains("engine")) changes["engine"] = ordered_json(changes["engine"][""]);
  const ordered_json json{
      {"from", before->position.value}, {"to", after->position.value}, {"changes", changes}};
  fmt::print("{}\n",
             printable_json(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
  return ExitCode::ok;
}

}  // namespace almanac
