#include <almanac/tools/choices.h>
#include <almanac/tools/operations.h>
#include <almanac/tools/schedule_commands.h>
#include <almanac/tools/text.h>
#include <almanac/tools/trial.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>

#include <functional>
#include <utility>

namespace almanac {
namespace {

Result<ScheduleSpec> make_spec(const ScheduleAddCommand& command) {
  auto recurrence = Recurrence::parse(command.recurrence);
  if (!recurrence) return std::unexpected(recurrence.error());
  auto task = make_task(command.task);
  if (!task) return std::unexpected(task.error());
  auto missed = missed_policy_from(command.missed);
  if (!missed) return std::unexpected(missed.error());
  auto overlap = overlap_policy_from(command.overlap);
  if (!overlap) return std::unexpected(overlap.error());
  ScheduleSpec spec{.name = command.name,
                    .recurrence = std::move(*recurrence),
                    .task = std::move(*task),
                    .missed = *missed,
                    .overlap = *overlap};
  if (command.window.empty() == (*missed == MissedPolicy::all)) {
    return fail(ErrorCode::invalid, "--missed all and --window belong together",
                "write both, such as --missed all --window 6h, or none of them");
  }
  if (command.window.empty()) return spec;
  auto window = parse_duration(command.window);
  if (!window) return std::unexpected(window.error());
  spec.window = *window;
  return spec;
}

Result<std::shared_ptr<const State>> state_behind(const std::filesystem::path& folder,
                                                  const Command& asked) {
  auto operations = open_operations(folder);
  if (!operations) return std::unexpected(operations.error());
  if (auto answered = (*operations)->ask(asked); !answered) {
    return std::unexpected(answered.error());
  }
  return (*operations)->state();
}

const Schedule* find_schedule(const State& state, const std::string& name) {
  const auto id = state.names.find(name);
  return id ? state.schedules.all.find(*id) : nullptr;
}

// Somebody else may have removed it meanwhile.
void print_next(const State& state, const std::string& name) {
  const Schedule* schedule = find_schedule(state, name);
  if (schedule == nullptr) return;
  fmt::print("schedule {} {}\n", printable(name),
             schedule->paused ? "is paused"
                              : "is due at " + format_time(schedule->next).substr(0, 19) + "Z");
}

ExitCode change(const std::filesystem::path& folder, const ChangeSchedule& change) {
  auto before = read_state(folder);
  if (!before) return report(before.error());
  if (auto accepted = try_out(*before, change); !accepted) return report(accepted.error());
  auto after = state_behind(folder, change);
  if (!after) return report(after.error());
  if (change.change == ScheduleChange::remove) {
    fmt::print("schedule {} is removed\n", printable(change.name));
  } else {
    print_next(**after, change.name);
  }
  return ExitCode::ok;
}

}  // namespace

ExitCode schedule_add(const ScheduleAddCommand& command) {
  auto spec = make_spec(command);
  if (!spec) return report(spec.error());
  auto before = read_state_or_none(command.folder);
  if (!before) return report(before.error());
  if (!command.change && find_schedule(*before, command.name) != nullptr) {
    return report({ErrorCode::conflict, "there is a schedule '" + printable(command.name) + "'",
                   "say --change to change it, or give this one another name"});
  }
  if (auto accepted = try_out(*before, DefineSchedule{*spec}); !accepted) {
    return report(accepted.error());
  }
  auto after = state_behind(command.folder, DefineSchedule{*spec});
  if (!after) return report(after.error());
  print_next(**after, command.name);
  return ExitCode::ok;
}

ExitCode schedule_pause(const SchedulePauseCommand& command) {
  return change(command.folder, {command.name, ScheduleChange::pause, command.reason});
}

ExitCode schedule_resume(const ScheduleChangeCommand& command) {
  return change(command.folder, {command.name, ScheduleChange::resume});
}

ExitCode schedule_remove(const ScheduleChangeCommand& command) {
  return change(command.folder, {command.name, ScheduleChange::remove});
}

}  // namespace almanac
