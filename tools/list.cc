#include <almanac/tools/commands.h>
#include <almanac/tools/source.h>
#include <almanac/tools/task_filter.h>
#include <almanac/tools/task_json.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace almanac {
namespace {

// Priorities are in the JSON and in `show`: here they would cost the label its room.
void add_row(Table& table, const State& state, TaskId id, const Task& task,
             std::string_view label) {
  table.add({std::to_string(id.value), std::string(name(task.state)),
             fmt::format("{}/{}", task.attempts, task.attempts_max),
             printable(state.names.text(task.queue)), format_second(task.enqueued_at),
             printable(label)});
}

}  // namespace

ExitCode list(const ListCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  auto filter = make_task_filter(source->state, {.states = command.states,
                                                 .queue = command.queue,
                                                 .tag = command.tag,
                                                 .where = command.where});
  if (!filter) return report(filter.error());
  Table table({"ID", "STATE", "ATTEMPTS", "QUEUE", "ENQUEUED", "LABEL"});
  std::size_t matching = 0;
  for (const auto& [id, task] : source->state.tasks.all) {
    if (!filter->matches(source->state, id, task)) continue;
    if (++matching > command.limit && command.limit > 0) continue;
    auto label = source->label(task);
    if (!label) return report(label.error());
    if (command.json) {
      auto json = task_summary_json(source->state, id, task, *label);
      fmt::print("{}\n", json.dump(-1, ' ', false, decltype(json)::error_handler_t::replace));
    } else {
      add_row(table, source->state, id, task, *label);
    }
  }
  if (command.json) return ExitCode::ok;
  if (matching == 0) {
    fmt::print("{}\n", source->state.tasks.last ? "no tasks match" : "no tasks");
    return ExitCode::ok;
  }
  fmt::print("{}", table.text(terminal_columns()));
  if (command.limit > 0 && matching > command.limit) {
    fmt::print("{} more; --limit 0 shows all\n", matching - command.limit);
  }
  return ExitCode::ok;
}

}  // namespace almanac
