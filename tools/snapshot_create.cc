#include <almanac/tools/archive_watch.h>
#include <almanac/tools/limits.h>
#include <almanac/tools/snapshot_commands.h>
#include <almanac/tools/snapshot_json.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/snapshots/archive.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <thread>

namespace almanac {
namespace {

// Share of what is archived now.
double share_of(const SnapshotProgress& progress) {
  const auto all = progress.last.value - progress.first.value + 1;
  return static_cast<double>(progress.through.value - progress.first.value + 1) /
         static_cast<double>(all);
}

void print(const SnapshotReport& report) {
  const Manifest& manifest = report.manifest;
  if (!report.made) {
    fmt::print("nothing has happened since snapshot {}, which ends at position {}\n",
               manifest.number, manifest.tail.last.value);
    return;
  }
  fmt::print("snapshot {}: positions {} to {}, {} of {} new\n", manifest.number,
             manifest.first().value, manifest.tail.last.value, format_bytes(report.file_bytes),
             format_bytes(manifest.bytes()));
}

void print_json(const SnapshotReport& report) {
  fmt::print("{}\n", snapshot_report_json(report).dump());
}

}  // namespace

ExitCode snapshot_create(const SnapshotCreateCommand& command) {
  ArchiveWatch watch;
  auto log = Log::open(command.folder, {.access = Access::read});
  if (!log) return report(log.error());
  auto repository = open_repository(command.repository, Access::write, limits::repository_wait_max);
  if (!repository) return report(repository.error());
  const SnapshotOptions options{
      .made_at = system_now(),
      .tag = command.tag,
      .full = command.full,
      .jobs = command.jobs > 0 ? command.jobs : std::max(1U, std::thread::hardware_concurrency()),
      .progress =
          [&](const SnapshotProgress& progress) {
            watch.progress(
                fmt::format("{} of {} archived", progress.through.value, progress.last.value),
                share_of(progress), progress.frame_bytes);
          },
      .stop = watch.stop()};
  auto made = create_snapshot(**log, command.folder, *repository, options);
  watch.clear();
  if (!made) return report(made.error());
  for (const Error& refused : made->refused) report(refused);
  command.json ? print_json(*made) : print(*made);
  return ExitCode::ok;
}

}  // namespace almanac
