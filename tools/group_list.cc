#include <almanac/tools/group_commands.h>
#include <almanac/tools/group_text.h>
#include <almanac/tools/source.h>
#include <almanac/tools/text.h>

#include <almanac/projections/group_ends.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <string>

namespace almanac {
namespace {

using nlohmann::ordered_json;

void print_json(const State& state, GroupId id) {
  const auto line =
      group_json(state.tasks, id).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  fmt::print("{}\n", printable_json(line));
}

Result<void> print(const Source& source, GroupId id) {
  const Tasks& tasks = source.state.tasks;
  const Group& group = *tasks.groups.all.find(id);
  const GroupCounts counts = counts_of(tasks, id);
  fmt::print("{}  {}\n", printable(group.name.view()), group_state(group));
  fmt::print("  tasks       {}: {} live, {} succeeded, {} failed, {} cancelled\n", counts.members,
             counts.live, counts.succeeded, counts.failed, counts.cancelled);
  for (TaskId waiting : tasks.groups.waiting_for(id)) {
    const auto label = source.label(*tasks.all.find(waiting));
    if (!label) return std::unexpected(label.error());
    fmt::print("  awaited by  task {} {} ({})\n", waiting.value, printable(*label),
               name(tasks.groups.waits.find(waiting)->condition));
  }
  return {};
}

}  // namespace

ExitCode group_list(const GroupListCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const Tasks& tasks = source->state.tasks;
  Table table({"GROUP", "STATE", "TASKS", "LIVE", "DONE", "FAILED", "CANCEL", "AWAITED"});
  for (const auto& [id, group] : tasks.groups.all) {
    if (command.json) {
      print_json(source->state, id);
      continue;
    }
    const GroupCounts counts = counts_of(tasks, id);
    table.add({printable(group.name.view()), std::string(group_state(group)),
               std::to_string(counts.members), std::to_string(counts.live),
               std::to_string(counts.succeeded), std::to_string(counts.failed),
               std::to_string(counts.cancelled),
               std::to_string(tasks.groups.waiting_for(id).size())});
  }
  if (command.json) return ExitCode::ok;
  if (tasks.groups.all.empty()) {
    fmt::print("no groups\n");
  } else {
    fmt::print("{}", table.text(terminal_columns()));
  }
  return ExitCode::ok;
}

ExitCode group_show(const GroupShowCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const auto group = source->state.tasks.groups.find(command.name);
  if (!group) {
    return report({ErrorCode::not_found, "there is no group '" + printable(command.name) + "'",
                   "`almanac group list` shows those there are; a group goes with the last of its "
                   "tasks"});
  }
  if (command.json) {
    print_json(source->state, *group);
    return ExitCode::ok;
  }
  const auto printed = print(*source, *group);
  return printed ? ExitCode::ok : report(printed.error());
}

}  // namespace almanac
