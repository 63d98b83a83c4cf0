#include <almanac/tools/commands.h>
#include <almanac/tools/query_error.h>
#include <almanac/tools/source.h>
#include <almanac/tools/terms_json.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace almanac {
namespace {

// What the options ask for, checked once.
struct Filter {
  std::vector<TaskState> states;  // empty = all
  std::optional<NameId> queue;
  std::optional<NameId> tag;
  std::optional<Query> where;
  bool nothing = false;  // a queue or tag that no task has

  [[nodiscard]] bool matches(const State& state, TaskId id, const Task& task) const {
    if (!states.empty() && std::ranges::find(states, task.state) == states.end()) return false;
    if (queue && task.queue != *queue) return false;
    if (tag && !state.tasks.tagged.contains(TagKey{*tag, id})) return false;
    return !where || where->holds(state, id, task);
  }
};

Result<Filter> make_filter(const State& state, const ListCommand& command) {
  Filter filter;
  for (const std::string& name : command.states) {
    auto found = task_state_from(name);
    if (!found) {
      return fail(ErrorCode::invalid, "there is no state '" + name + "'",
                  "use waiting, delayed, ready, running, cancelling, succeeded, failed, "
                  "cancelled or held");
    }
    filter.states.push_back(*found);
  }
  if (!command.where.empty()) {
    auto where = parse_query(command.where, QuerySubject::task);
    if (!where) return std::unexpected(where.error());
    filter.where = *where;
  }
  if (!command.queue.empty()) filter.queue = state.names.find(command.queue);
  if (!command.tag.empty()) filter.tag = state.names.find(command.tag);
  filter.nothing =
      (!command.queue.empty() && !filter.queue) || (!command.tag.empty() && !filter.tag);
  return filter;
}

nlohmann::ordered_json task_json(const State& state, TaskId id, const Task& task,
                                 std::string_view label) {
  nlohmann::ordered_json json{{"id", id.value},
                              {"label", label},
                              {"state", name(task.state)},
                              {"queue", state.names.text(task.queue)},
                              {"kind", state.names.text(task.kind)},
                              {"priority", task.priority},
                              {"attempts", task.attempts},
                              {"failures", task.failures},
                              {"attempts_max", task.attempts_max},
                              {"enqueued_at", format_time(task.enqueued_at)}};
  if (task.state == TaskState::delayed) json["run_at"] = format_time(task.run_at);
  if (task.attempts > 0) json["started_at"] = format_time(task.started_at);
  if (has_ended(task.state)) json["ended_at"] = format_time(task.ended_at);
  add_terms(json, state, id);
  return json;
}

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
  auto filter = make_filter(source->state, command);
  if (!filter) return report(filter.error());
  Table table({"ID", "STATE", "ATTEMPTS", "QUEUE", "ENQUEUED", "LABEL"});
  std::size_t matching = 0;
  for (const auto& [id, task] : source->state.tasks.all) {
    if (filter->nothing || !filter->matches(source->state, id, task)) continue;
    if (++matching > command.limit && command.limit > 0) continue;
    auto label = source->label(task);
    if (!label) return report(label.error());
    if (command.json) {
      auto json = task_json(source->state, id, task, *label);
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
