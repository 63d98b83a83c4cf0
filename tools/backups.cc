#include <almanac/tools/past_commands.h>
#include <almanac/tools/source.h>
#include <almanac/tools/state_json.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <string>

namespace almanac {
namespace {

struct Failure {
  std::string code;
  std::string message;
};

// Of the job's last run; nothing where it went well, or that part of the log has been removed.
Failure failure_of(const Log& log, const BackupJob& job) {
  Failure failure;
  if (job.failures_in_row == 0) return failure;
  (void)log.read_one(job.ended, [&](const Event& event) {
    if (const auto* failed = std::get_if<BackupFailed>(&event.body)) {
      failure = {std::string(failed->code), std::string(failed->message)};
    }
  });
  return failure;
}

std::string result_of(const BackupJob& job) {
  if (job.running) return "running";
  if (job.runs == 0) return "-";
  return job.failures_in_row > 0 ? "failed" : "ok";
}

std::string due_text(Time time) { return time == Time() ? "-" : format_second(time); }

void print_json(const Source& source, NameId id, const BackupJob& job) {
  nlohmann::ordered_json json{{"job", source.state.names.text(id)}};
  json.update(job_json(job));
  const auto failure = failure_of(*source.log, job);
  json["error"] = failure.code.empty() ? nlohmann::ordered_json()
                                       : nlohmann::ordered_json{{"code", failure.code},
                                                                {"message", failure.message}};
  fmt::print("{}\n",
             printable_json(json.dump(-1, ' ', false, decltype(json)::error_handler_t::replace)));
}

void print(const Source& source, NameId id, const BackupJob& job) {
  fmt::print("{}  {}\n", printable(source.state.names.text(id)),
             job.is_scheduled() ? printable(job.schedule) : "not scheduled");
  fmt::print("  last  {}  {}\n", due_text(job.due), result_of(job));
  if (job.is_scheduled()) fmt::print("  next  {}\n", due_text(job.next));
  fmt::print("  runs  {}, {} failed, {} missed\n", job.runs, job.failures, job.missed);
  const auto failure = failure_of(*source.log, job);
  if (failure.code.empty()) return;
  fmt::print("  failed {} in a row: {}\n", counted(job.failures_in_row, "time"),
             printable(failure.message));
}

void print(const Source& source) {
  const auto& jobs = source.state.backups.jobs;
  if (jobs.empty()) fmt::print("no backups\n");
  for (const auto& [id, job] : jobs) print(source, id, job);
}

}  // namespace

ExitCode backups(const BackupsCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  if (!command.json) {
    print(*source);
    return ExitCode::ok;
  }
  for (const auto& [id, job] : source->state.backups.jobs) print_json(*source, id, job);
  return ExitCode::ok;
}

}  // namespace almanac
