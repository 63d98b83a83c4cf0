#include <almanac/engine/backups.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/submission.h>

#include <set>
#include <string>
#include <type_traits>
#include <variant>

namespace almanac {
namespace {

// The job of a run that is on its way.
const BackupJob* find_run(const State& state, std::string_view name, Time due) {
  const auto id = state.names.find(name);
  const BackupJob* job = id ? state.backups.jobs.find(*id) : nullptr;
  return job != nullptr && job->running && job->due == due ? job : nullptr;
}

BackupFailed failure(const BackupRun& run, const Error& error, Arena& memory) {
  const std::string text = describe(error);
  return {.run = run,
          .code = name(error.code),
          .message = memory.text(std::string_view(text).substr(0, limits::message_bytes_max))};
}

bool is_scheduled_as(const BackupJob& job, const BackupSpec& spec, std::string_view repository) {
  return job.action == spec.action && job.schedule == spec.recurrence.text() &&
         job.repository == repository;
}

}  // namespace

Result<void> check(const BackupOptions& options) {
  if (options.jobs.size() > limits::backup_jobs_max) {
    return fail(ErrorCode::invalid, "an engine does at most " +
                                        std::to_string(limits::backup_jobs_max) + " backup jobs");
  }
  if (!options.jobs.empty() && options.repository.empty()) {
    return fail(ErrorCode::invalid, "backups have no repository", "name a folder for them");
  }
  std::set<std::string_view> names;
  for (const BackupSpec& spec : options.jobs) {
    const std::string_view job = name_of(spec);
    if (auto checked = check_name("backup job", job); !checked) return checked;
    if (names.insert(job).second) continue;
    return fail(ErrorCode::invalid, "two backup jobs are called '" + std::string(job) + "'",
                "give each a name of its own");
  }
  return {};
}

std::vector<Event> decide_schedules(const State& state, const StartEngine& command,
                                    const DecideContext& context) {
  std::vector<Event> events;
  auto add = [&](const EventBody& body) { events.push_back({.at = context.now, .body = body}); };
  std::set<std::string_view> wanted;
  for (const BackupSpec& spec : command.backups) wanted.insert(name_of(spec));
  for (const auto& [id, job] : state.backups.jobs) {
    const std::string_view name = context.memory.text(state.names.text(id));
    if (job.running) {
      add(failure({.job = name, .due = job.due},
                  {ErrorCode::unknown_outcome, "the engine died before it had ended", ""},
                  context.memory));
    }
    if (job.is_scheduled() && !wanted.contains(name)) add(BackupUnscheduled{name});
  }
  for (const BackupSpec& spec : command.backups) {
    const auto id = state.names.find(name_of(spec));
    const BackupJob* job = id ? state.backups.jobs.find(*id) : nullptr;
    if (job != nullptr && is_scheduled_as(*job, spec, command.repository)) continue;
    add(BackupScheduled{.job = name_of(spec),
                        .action = spec.action,
                        .schedule = context.memory.text(spec.recurrence.text()),
                        .repository = command.repository,
                        .next = spec.recurrence.next_after(context.now)});
  }
  return events;
}

std::vector<Event> decide_backups(const State& state, const DecideContext& context) {
  const auto id = state.backups.next();
  if (!id || state.backups.running()) return {};
  const BackupJob& job = *state.backups.jobs.find(*id);
  if (job.next > context.now) return {};
  const auto recurrence = Recurrence::parse(job.schedule);
  ALMANAC_CHECK(recurrence);  // this engine has scheduled it, or it would be no more
  const auto [count, last] = recurrence->elapsed(job.next, context.now);
  return {{.at = context.now,
           .body = BackupStarted{.job = context.memory.text(state.names.text(*id)),
                                 .due = last,
                                 .next = recurrence->next_after(context.now),
                                 .missed = count - 1,
                                 .missed_since = count > 1 ? job.next : Time()}}};
}

Result<Decision> decide_one(const State& state, const FinishBackup& command,
                            const DecideContext& context) {
  if (find_run(state, command.job, command.due) == nullptr) {
    return fail(ErrorCode::conflict, "the backup job '" + command.job + "' does not run");
  }
  const BackupRun run{command.job, command.due, command.took};
  Decision decision;
  decision.events.push_back({.at = context.now});
  std::visit(
      [&]<class Outcome>(Outcome outcome) {
        EventBody& body = decision.events.front().body;
        if constexpr (std::is_same_v<Outcome, Error>) {
          body = failure(run, outcome, context.memory);
        } else {
          outcome.run = run;
          body = outcome;
        }
      },
      command.outcome);
  return decision;
}

}  // namespace almanac
