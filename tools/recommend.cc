#include <almanac/tools/past_commands.h>
#include <almanac/tools/recommendation_json.h>
#include <almanac/tools/source.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/engine/engine.h>
#include <almanac/engine/recommend.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace almanac {
namespace {

using nlohmann::ordered_json;

// What gives the task its place, in a few words.
std::string because(const State& state, const Recommendation& next) {
  if (next.policy == QueuePolicy::deadline) {
    if (!next.until_deadline) return "no deadline";
    return *next.until_deadline < Duration(0)
               ? "due " + format_compact(-*next.until_deadline) + " ago"
               : "due in " + format_compact(*next.until_deadline);
  }
  if (next.policy == QueuePolicy::fair) {
    const auto& owner = terms_of(state.tasks, next.id).owner;
    return fmt::format("{} {} ahead", owner ? printable(state.names.text(*owner)) : "nobody",
                       format_compact(std::max(next.ahead.value_or(Duration(0)), Duration(0))));
  }
  if (next.policy == QueuePolicy::fifo) return "submitted first";
  std::string text;
  for (const auto& [name, points] : next.factors) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, points);
  }
  return text.empty() ? "submitted first" : text;
}

}  // namespace

ExitCode recommend(const RecommendCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const State& state = source->state;
  const Time now = command.at.empty() ? std::max(system_time(), state.time) : state.time;
  const auto all = recommend_for(
      state, {.now = now, .limit = command.limit, .queue = command.queue, .owner = command.owner});
  Table table({"ID", "QUEUE", "SCORE", "BECAUSE", "LABEL"});
  for (const Recommendation& next : all) {
    const Task& task = *state.tasks.all.find(next.id);
    auto label = source->label(task);
    if (!label) return report(label.error());
    if (command.json) {
      const auto json = recommendation_json(state, next, *label);
      fmt::print("{}\n",
                 printable_json(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
      continue;
    }
    table.add({std::to_string(next.id.value), printable(state.names.text(task.queue)),
               std::to_string(next.score()), because(state, next), printable(*label)});
  }
  if (command.json) return ExitCode::ok;
  fmt::print("{}", all.empty() ? "no task is ready\n" : table.text(terminal_columns()));
  return ExitCode::ok;
}

}  // namespace almanac
