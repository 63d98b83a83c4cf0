#include <almanac/projections/query_names.h>

#include <almanac/projections/wait_reason.h>

#include <algorithm>
#include <array>
#include <limits>

namespace almanac::query {
namespace {

constexpr auto task = QuerySubject::task;
constexpr auto state = QuerySubject::state;

Value of(std::uint64_t number) {
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  return {.number = static_cast<std::int64_t>(std::min(number, most))};
}
Value of(Time time) { return {.number = time.time_since_epoch().count()}; }
Value of(Duration duration) { return {.number = duration.count()}; }

template <TaskState which>
Value count(const Asked& asked) {
  return of(asked.state.tasks.count(which));
}

template <class Enum, std::size_t count, std::size_t size = count>
std::array<std::string_view, size> names_of() {
  std::array<std::string_view, size> names{};
  for (std::size_t i = 0; i < count; ++i) names[i] = name(static_cast<Enum>(i));
  return names;
}
const auto task_states = names_of<TaskState, task_state_count>();
// "" = no attempt has ended.
const auto status_names = names_of<AttemptStatus, attempt_status_count, attempt_status_count + 1>();

// An attempt that was handed back has no end.
Value last_status(const Asked& asked) {
  const Task& about = *asked.task;
  const bool ended = about.failures > 0 || about.state == TaskState::succeeded ||
                     about.last_status != AttemptStatus::succeeded;
  return {.text = ended ? name(about.last_status) : std::string_view()};
}

// Its deadline has passed, and it has not ended.
Value is_overdue(const Asked& asked) {
  const Time deadline = terms_of(asked.state.tasks, asked.id).deadline;
  const bool passed = deadline != Time() && deadline < asked.state.time;
  return of(std::uint64_t{passed && !has_ended(asked.task->state)});
}

// The limit that its lane waits for; neither the slots of a queue nor advice are one.
Value blocked_by(const Asked& asked) {
  if (asked.task->state != TaskState::ready) return {};
  const auto reason = wait_reason(asked.state, asked.id, asked.state.time);
  const bool is_limit = reason && reason->limit && reason->wait != Wait::queue_limit &&
                        reason->wait != Wait::advice;
  return {.text = is_limit ? asked.state.names.text(*reason->limit) : std::string_view()};
}

// None is "".
Value group_of(const Asked& asked) {
  const Groups& groups = asked.state.tasks.groups;
  const GroupId* group = groups.group_of.find(asked.id);
  return {.text = group == nullptr ? std::string_view() : groups.all.find(*group)->name.view()};
}

Value sum_of_backups(const Asked& asked, std::uint64_t (*of_job)(const BackupJob&)) {
  std::uint64_t sum = 0;
  for (const auto& [id, job] : asked.state.backups.jobs) sum += of_job(job);
  return of(sum);
}

// When the newest one was made that the engine made by itself.
Value last_snapshot(const Asked& asked) {
  Time last;
  for (const auto& [id, job] : asked.state.backups.jobs) {
    if (job.action == BackupAction::snapshot) last = std::max(last, job.succeeded_at);
  }
  return of(last);
}

const std::array all_names = {
    Name{"id", Type::number, task, [](const Asked& asked) { return of(asked.id.value); }},
    Name{"state", Type::text, task,
         [](const Asked& asked) { return Value{.text = name(asked.task->state)}; }, task_states},
    Name{"ended", Type::truth, task,
         [](const Asked& asked) { return of(std::uint64_t{has_ended(asked.task->state)}); }},
    Name{
        "kind", Type::text, task,
        [](const Asked& asked) { return Value{.text = asked.state.names.text(asked.task->kind)}; }},
    Name{"queue", Type::text, task,
         [](const Asked& asked) {
           return Value{.text = asked.state.names.text(asked.task->queue)};
         }},
    Name{"priority", Type::number, task,
         [](const Asked& asked) { return Value{.number = asked.task->priority}; }},
    Name{"attempts", Type::number, task,
         [](const Asked& asked) { return of(std::uint64_t{asked.task->attempts}); }},
    Name{"attempts_max", Type::number, task,
         [](const Asked& asked) { return of(std::uint64_t{asked.task->attempts_max}); }},
    Name{"failures", Type::number, task,
         [](const Asked& asked) { return of(std::uint64_t{asked.task->failures}); }},
    Name{"waiting_for", Type::number, task,
         [](const Asked& asked) { return of(std::uint64_t{asked.task->waiting_for}); }},
    Name{"crashes", Type::number, task,
         [](const Asked& asked) {
           const std::uint32_t* crashes = asked.state.tasks.crashes.find(asked.id);
           return of(std::uint64_t{crashes == nullptr ? 0 : *crashes});
         }},
    Name{"paused", Type::truth, task,
         [](const Asked& asked) {
           return of(std::uint64_t{is_paused(asked.state.tasks, asked.id)});
         }},
    Name{"doomed", Type::truth, task,
         [](const Asked& asked) {
           return of(std::uint64_t{asked.state.tasks.doomed.contains(asked.id)});
         }},
    Name{"last_status", Type::text, task, last_status, status_names},
    Name{"last_code", Type::number, task,
         [](const Asked& asked) { return Value{.number = asked.task->last_code}; }},
    Name{"enqueued_at", Type::time, task,
         [](const Asked& asked) { return of(asked.task->enqueued_at); }},
    Name{"run_at", Type::time, task, [](const Asked& asked) { return of(asked.task->run_at); }},
    Name{"started_at", Type::time, task,
         [](const Asked& asked) { return of(asked.task->started_at); }},
    Name{"ended_at", Type::time, task, [](const Asked& asked) { return of(asked.task->ended_at); }},
    Name{"age", Type::duration, task,
         [](const Asked& asked) { return of(asked.state.time - asked.task->enqueued_at); }},
    Name{"timeout", Type::duration, task,
         [](const Asked& asked) { return of(asked.task->timeout); }},
    Name{"worker", Type::text, task,
         [](const Asked& asked) {
           const RemoteLease* lease = asked.state.tasks.remote.find(asked.id);
           return Value{.text = lease == nullptr ? std::string_view() : lease->worker.view()};
         }},
    Name{"owner", Type::text, task,
         [](const Asked& asked) {
           const auto& owner = terms_of(asked.state.tasks, asked.id).owner;
           return Value{.text = owner ? asked.state.names.text(*owner) : std::string_view()};
         }},
    Name{"deadline", Type::time, task,
         [](const Asked& asked) { return of(terms_of(asked.state.tasks, asked.id).deadline); }},
    Name{"estimate", Type::duration, task,
         [](const Asked& asked) { return of(terms_of(asked.state.tasks, asked.id).estimate); }},
    Name{"version", Type::number, task,
         [](const Asked& asked) {
           return of(std::uint64_t{terms_of(asked.state.tasks, asked.id).version});
         }},
    Name{"group", Type::text, task, group_of},
    Name{"overdue", Type::truth, task, is_overdue},
    Name{"blocked_by", Type::text, task, blocked_by},
    Name{"position", Type::number, state,
         [](const Asked& asked) { return of(asked.state.position.value); }},
    Name{"now", Type::time, state, [](const Asked& asked) { return of(asked.state.time); }},
    Name{"tasks.total", Type::number, state,
         [](const Asked& asked) { return of(std::uint64_t{asked.state.tasks.all.size()}); }},
    Name{"tasks.live", Type::number, state,
         [](const Asked& asked) { return of(asked.state.tasks.live()); }},
    Name{"tasks.waiting", Type::number, state, count<TaskState::waiting>},
    Name{"tasks.delayed", Type::number, state, count<TaskState::delayed>},
    Name{"tasks.ready", Type::number, state, count<TaskState::ready>},
    Name{"tasks.running", Type::number, state, count<TaskState::running>},
    Name{"tasks.cancelling", Type::number, state, count<TaskState::cancelling>},
    Name{"tasks.succeeded", Type::number, state, count<TaskState::succeeded>},
    Name{"tasks.failed", Type::number, state, count<TaskState::failed>},
    Name{"tasks.cancelled", Type::number, state, count<TaskState::cancelled>},
    Name{"tasks.held", Type::number, state, count<TaskState::held>},
    Name{"tasks.doomed", Type::number, state,
         [](const Asked& asked) { return of(std::uint64_t{asked.state.tasks.doomed.size()}); }},
    Name{"engine.running", Type::truth, state,
         [](const Asked& asked) { return of(std::uint64_t{asked.state.engine.running}); }},
    Name{"engine.starts", Type::number, state,
         [](const Asked& asked) { return of(asked.state.engine.starts); }},
    Name{"engine.slots", Type::number, state,
         [](const Asked& asked) { return of(std::uint64_t{asked.state.engine.slots}); }},
    Name{"backups.failing", Type::number, state,
         [](const Asked& asked) {
           return sum_of_backups(
               asked, [](const BackupJob& job) { return std::uint64_t{job.failures_in_row > 0}; });
         }},
    Name{"backups.missed", Type::number, state,
         [](const Asked& asked) {
           return sum_of_backups(asked, [](const BackupJob& job) { return job.missed; });
         }},
    Name{"backups.last_snapshot", Type::time, state, last_snapshot},
    Name{"ignored", Type::number, state,
         [](const Asked& asked) { return of(asked.state.ignored); }},
};

}  // namespace

std::string_view name(Type type) {
  switch (type) {
    case Type::truth: return "a truth";
    case Type::number: return "a number";
    case Type::text: return "a text";
    case Type::duration: return "a duration";
    case Type::time: return "a time";
  }
  return "";
}

std::span<const Name> names() { return all_names; }

const Name* find_name(std::string_view text) {
  auto found = std::ranges::find(all_names, text, &Name::name);
  return found == all_names.end() ? nullptr : &*found;
}

}  // namespace almanac::query
