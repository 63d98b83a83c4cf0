#include <almanac/tools/workload_schedule.h>

#include <almanac/tools/choices.h>

#include <almanac/engine/submission.h>

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>
#include <vector>

namespace almanac::workload {
namespace {

constexpr std::array<std::string_view, 4> own_keys = {"recurrence", "missed", "window", "overlap"};

bool is_own(const Member& member) {
  return std::ranges::find(own_keys, member.key) != own_keys.end();
}

Checked<void> read_own(ScheduleDraft& draft, const Member& member) {
  const Field field{member.key, member.value};
  if (member.key == "recurrence") return put_choice(field, Recurrence::parse, draft.recurrence);
  if (member.key == "missed") return put_choice(field, missed_policy_from, draft.missed);
  if (member.key == "overlap") return put_choice(field, overlap_policy_from, draft.overlap);
  return put(read_duration(field), draft.window);
}

TaskDraft task_by(const TaskDraft& defaults) {
  TaskDraft task = defaults;
  task.delay.reset();
  task.expires.reset();
  task.spec.run_at = task.spec.deadline = task.spec.expires_at = Time();
  task.spec.unique.reset();
  task.spec.group.clear();
  task.spec.after_group.reset();
  return task;
}

Checked<void> read_members(ScheduleDraft& draft, const Value::Table& table) {
  std::vector<std::string_view> known(own_keys.begin(), own_keys.end());
  std::ranges::copy(task_keys(), std::back_inserter(known));
  Value::Table of_task;
  for (const Member& member : table) {
    if (std::ranges::find(known, member.key) == known.end()) return unknown_key(member, known);
    if (!is_own(member)) {
      of_task.push_back(member);
    } else if (auto read = read_own(draft, member); !read) {
      return read;
    }
  }
  return read_task(draft.task, of_task, Scope::schedule);
}

Checked<void> check_whole(const ScheduleDraft& draft) {
  if (!draft.recurrence) {
    return fault(draft.line, fmt::format("the schedule '{}' does not say when", draft.name),
                 "add a line like recurrence = \"daily at 02:30 Europe/Paris\"");
  }
  if ((draft.missed == MissedPolicy::all) == (draft.window > Duration(0))) return {};
  return fault(
      draft.line,
      fmt::format("the schedule '{}' has one of missed = \"all\" and a window", draft.name),
      "write both, such as missed = \"all\" and window = \"6h\", or none of them");
}

}  // namespace

Checked<ScheduleDraft> read_schedule(const Member& schedule, const TaskDraft& defaults) {
  if (auto checked = check_name("schedule", schedule.key); !checked) {
    return fault(schedule.line, std::move(checked.error().message),
                 "give the schedule another name");
  }
  auto table = read_table({schedule.key, schedule.value});
  if (!table) return std::unexpected(std::move(table.error()));
  ScheduleDraft draft{.name = schedule.key, .line = schedule.line, .task = task_by(defaults)};
  auto read = read_members(draft, **table);
  if (read) read = check_whole(draft);
  if (!read) return std::unexpected(std::move(read.error()));
  draft.task.spec.label = draft.name;
  return draft;
}

}  // namespace almanac::workload
