#include <almanac/tools/moment.h>
#include <almanac/tools/schedule_commands.h>
#include <almanac/tools/source.h>
#include <almanac/tools/state_json.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/engine/command_spec.h>
#include <almanac/engine/engine.h>
#include <almanac/engine/recurrence.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace almanac {
namespace {

using nlohmann::ordered_json;

std::string next_text(const Schedule& schedule) {
  return schedule.paused ? "paused" : format_second(schedule.next);
}

// What became of the last firing; of one that retention has removed, nothing more than when.
std::string last_text(const State& state, const Schedule& schedule) {
  if (schedule.firings == 0) return "-";
  const Task* task = state.tasks.all.find(schedule.task);
  return fmt::format("{}, task {}{}", format_second(schedule.fired), schedule.task.value,
                     task == nullptr ? "" : " " + std::string(name(task->state)));
}

void print_json(const State& state, NameId id, const Schedule& schedule) {
  ordered_json json{{"schedule", state.names.text(id)}};
  json.update(schedule_json(schedule));
  json["label"] = schedule.definition->task.label;
  json["queue"] = schedule.definition->task.queue;
  fmt::print("{}\n",
             printable_json(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
}

// What it runs, as one would type it; nothing where it is no command.
std::string command_of(const ScheduleDefined& definition) {
  if (definition.task.kind != command_kind) return {};
  const auto spec = decode_command(definition.task.payload);
  return spec ? printable(shell_line(spec->arguments)) : std::string();
}

void print_folded(std::string_view name, const std::string& text) {
  constexpr std::size_t columns_max = 80;
  constexpr std::size_t indent = 11;
  fmt::print("{}\n", folded(fmt::format("  {:<9}{}", name, text), columns_max, indent));
}

// Why it is paused; nothing where that part of the log has been removed.
std::string pause_reason(const Log& log, const Schedule& schedule) {
  std::string reason;
  (void)log.read_one(schedule.changed, [&](const Event& event) {
    if (const auto* paused = std::get_if<SchedulePaused>(&event.body)) reason = paused->reason;
  });
  return reason.empty() ? "" : ": " + printable(reason);
}

void print(const Source& source, NameId id, const Schedule& schedule) {
  const ScheduleDefined& definition = *schedule.definition;
  fmt::print("{}  {}\n", printable(source.state.names.text(id)), printable(definition.recurrence));
  print_folded("task",
               printable(definition.task.label) + " in queue " + printable(definition.task.queue));
  if (const std::string command = command_of(definition); !command.empty()) {
    print_folded("command", command);
  }
  fmt::print("  next     {}{}\n", next_text(schedule),
             schedule.paused ? pause_reason(*source.log, schedule) : "");
  fmt::print("  last     {}\n", last_text(source.state, schedule));
  fmt::print("  firings  {}, {} queued, {} skipped\n", schedule.firings, schedule.queued.size(),
             schedule.skipped);
  fmt::print("  missed   {}{}\n", name(definition.missed),
             definition.missed == MissedPolicy::all
                 ? " within " + format_duration(definition.window)
                 : "");
  fmt::print("  overlap  {}\n", name(definition.overlap));
}

struct Found {
  NameId id;
  const Schedule* schedule;
};

Result<Found> find(const State& state, const std::string& name) {
  const auto id = state.names.find(name);
  const Schedule* schedule = id ? state.schedules.all.find(*id) : nullptr;
  if (schedule != nullptr) return Found{*id, schedule};
  return fail(ErrorCode::not_found, "there is no schedule '" + printable(name) + "'",
              "`almanac schedule list` shows those there are");
}

// The recurrence that is asked about, and the time behind which its instants are.
struct Asked {
  Recurrence recurrence;
  Time behind;
};

Result<Asked> asked_about(const ScheduleNextCommand& command) {
  if (command.name.empty()) {
    const Time now = system_time();
    auto behind = command.at.empty() ? Result<Time>(now) : parse_moment(command.at, now);
    if (!behind) return std::unexpected(behind.error());
    auto recurrence = Recurrence::parse(command.recurrence);
    if (!recurrence) return std::unexpected(recurrence.error());
    return Asked{std::move(*recurrence), *behind};
  }
  auto source = open_source(command.folder, command.at);
  if (!source) return std::unexpected(source.error());
  auto found = find(source->state, command.name);
  if (!found) return std::unexpected(found.error());
  const Schedule& schedule = *found->schedule;
  auto recurrence = Recurrence::parse(schedule.definition->recurrence);
  if (!recurrence) return std::unexpected(recurrence.error());
  const Time behind =
      schedule.paused
          ? std::max(source->state.time, command.at.empty() ? system_time() : source->state.time)
          : schedule.next - Duration(1);
  return Asked{std::move(*recurrence), behind};
}

}  // namespace

ExitCode schedule_list(const ScheduleListCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const State& state = source->state;
  Table table({"NAME", "NEXT", "LAST", "FIRED", "SKIPPED", "RECURRENCE"});
  for (const auto& [id, schedule] : state.schedules.all) {
    if (command.json) {
      print_json(state, id, schedule);
      continue;
    }
    table.add({printable(state.names.text(id)), next_text(schedule),
               schedule.firings == 0 ? "-" : format_second(schedule.fired),
               std::to_string(schedule.firings), std::to_string(schedule.skipped),
               printable(schedule.definition->recurrence)});
  }
  if (command.json) return ExitCode::ok;
  if (state.schedules.all.empty()) {
    fmt::print("no schedules\n");
  } else {
    fmt::print("{}", table.text(terminal_columns()));
  }
  return ExitCode::ok;
}

ExitCode schedule_show(const ScheduleShowCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  auto found = find(source->state, command.name);
  if (!found) return report(found.error());
  if (command.json) {
    print_json(source->state, found->id, *found->schedule);
  } else {
    print(*source, found->id, *found->schedule);
  }
  return ExitCode::ok;
}

ExitCode schedule_next(const ScheduleNextCommand& command) {
  if (command.name.empty() && command.recurrence.empty()) {
    return report({ErrorCode::invalid, "no schedule is named",
                   "name one, or write --recurrence 'daily at 02:30'"});
  }
  const auto asked = asked_about(command);
  if (!asked) return report(asked.error());
  Time instant = asked->behind;
  for (std::uint64_t left = command.count; left > 0; --left) {
    instant = asked->recurrence.next_after(instant);
    if (command.json) {
      fmt::print("{}\n", ordered_json{{"instant", format_time(instant)}}.dump());
    } else {
      fmt::print("{}\n", format_second(instant));
    }
  }
  return ExitCode::ok;
}

}  // namespace almanac
