#include <almanac/engine/backup_runner.h>

#include <almanac/engine/diagnostics.h>
#include <almanac/engine/log_context.h>
#include <almanac/log/this_thread.h>
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/drill.h>
#include <almanac/snapshots/limits.h>
#include <almanac/snapshots/prune.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <variant>

namespace almanac {
namespace {

bool is_about_backups(const EventBody& body) {
  return std::visit(
      [](const auto& event) { return requires { event.run; } || requires { event.job; }; }, body);
}

// The newest snapshot of the log when nothing has happened since but backups: else every run would
// archive the record of the one before.
std::optional<std::uint64_t> find_snapshot_of_all(const Repository& repository, const Log& log) {
  const auto base = log.base();
  for (const std::uint64_t number : repository.numbers()) {
    auto manifest = repository.manifest(number);
    if (!manifest || !base) return {};
    if (manifest->timeline != log.timeline()) continue;
    if (manifest->tail.last < base->last) return {};  // what was in between is not known
    bool is_all = true;
    auto read = log.read(manifest->tail.last.next(), [&](const RecordedEvent& recorded) {
      is_all = is_about_backups(recorded.event.body);
      return Result<bool>(is_all);
    });
    return read && is_all ? std::optional(number) : std::nullopt;
  }
  return {};
}

}  // namespace

BackupRunner::BackupRunner(Surroundings surroundings, BackupOptions options)
    : surroundings_(std::move(surroundings)), options_(std::move(options)) {}

Result<Repository> BackupRunner::open(Access access) const {
  return Repository::open(options_.repository, access, options_.keys, limits::repository_wait_max);
}

// Opened for writing alone a missing folder would become a repository.
Result<Repository> BackupRunner::open_there_is() const {
  auto there = open(Access::read);
  if (!there) return there;
  return open(Access::write);
}

void BackupRunner::begin(const BeginBackup& run) {
  thread_ = std::jthread([this, run](const std::stop_token& stop) { this->run(run, stop); });
}

void BackupRunner::stop() { thread_.request_stop(); }

void BackupRunner::run(const BeginBackup& run, const std::stop_token& stop) {
  this_thread::set_name("almanac-backup");
  this_thread::give_way();
  const LogScope scope("backup " + run.job);
  const auto began = std::chrono::steady_clock::now();
  auto done = run.action == BackupAction::snapshot ? make_snapshot(run, stop)
              : run.action == BackupAction::drill  ? drill(run, stop)
                                                   : prune(stop);
  const auto took = std::chrono::steady_clock::now() - began;
  if (done) {
    failing_.erase(run.job);
    note("the backup job '" + run.job + "' is done");
  } else if (done.error().code != ErrorCode::stopped && failing_.insert(run.job).second) {
    warn("the backup job '" + run.job + "' has failed: " + describe(done.error()));
  }
  surroundings_.report(FinishBackup{.job = run.job,
                                    .due = run.due,
                                    .took = std::chrono::duration_cast<Duration>(took),
                                    .outcome = done ? *std::move(done) : done.error()});
}

Result<BackupRunner::Outcome> BackupRunner::make_snapshot(const BeginBackup& run,
                                                          const std::stop_token& stop) {
  auto repository = run.is_first ? open(Access::write) : open_there_is();
  if (!repository) return std::unexpected(repository.error());
  if (const auto number = find_snapshot_of_all(*repository, surroundings_.log)) {
    return SnapshotSkipped{.run = {}, .snapshot = *number};
  }
  auto made = create_snapshot(surroundings_.log, surroundings_.folder, *repository,
                              {.made_at = surroundings_.clock(), .jobs = 1, .stop = stop});
  if (!made) return std::unexpected(made.error());
  for (const Error& refused : made->refused) warn(describe(refused));
  return SnapshotMade{.run = {},
                      .snapshot = made->manifest.number,
                      .through = made->manifest.tail.last,
                      .frame_bytes = made->frame_bytes,
                      .file_bytes = made->file_bytes};
}

Result<BackupRunner::Outcome> BackupRunner::drill(const BeginBackup& run,
                                                  const std::stop_token& stop) const {
  auto repository = open(Access::read);
  if (!repository) return std::unexpected(repository.error());
  const auto due = static_cast<std::uint64_t>(run.due.time_since_epoch().count());
  auto drilled = almanac::drill(
      *repository, {.folder = options_.drill_folder.empty() ? std::filesystem::temp_directory_path()
                                                            : options_.drill_folder,
                    .seed = surroundings_.seed ^ due,
                    .clock = surroundings_.clock,
                    .stop = stop});
  if (!drilled) return std::unexpected(drilled.error());
  return DrillPassed{.run = {},
                     .snapshot = drilled->plan.manifest.number,
                     .at = drilled->plan.at,
                     .frame_bytes = drilled->restored.frame_bytes,
                     .file_bytes = drilled->plan.bytes,
                     .restore_took = drilled->took};
}

Result<BackupRunner::Outcome> BackupRunner::prune(const std::stop_token& stop) const {
  auto repository = open_there_is();
  if (!repository) return std::unexpected(repository.error());
  auto pruned = almanac::prune(
      *repository, {.policy = options_.keep, .now = surroundings_.clock(), .stop = stop});
  if (!pruned) return std::unexpected(pruned.error());
  const auto gone = std::ranges::count_if(pruned->snapshots,
                                          [](const auto& decision) { return !decision.is_kept(); });
  return SnapshotsPruned{.run = {},
                         .snapshots = static_cast<std::uint64_t>(gone),
                         .files = pruned->files,
                         .bytes = pruned->bytes};
}

}  // namespace almanac
