#include <almanac/tools/archive_watch.h>
#include <almanac/tools/snapshot_commands.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/log/hash.h>
#include <almanac/snapshots/drill.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <span>

namespace almanac {
namespace {

std::filesystem::path place_of(const SnapshotDrillCommand& command) {
  return command.to.empty() ? std::filesystem::temp_directory_path()
                            : std::filesystem::path(command.to);
}

// Whether there was a snapshot to fold on to.
bool leads_on(const RestorePlan& plan) { return plan.next && plan.next->position != plan.at; }

void print(const DrillReport& report) {
  const RestorePlan& plan = report.plan;
  fmt::print("restored  position {} of snapshot {}{}, drawn by chance\n", plan.at.value,
             plan.manifest.number, plan.manifest.has_tail() ? " and its tail" : "");
  fmt::print("reads     {}, {}, {} in the log\n", counted(plan.files, "file"),
             format_bytes(plan.bytes), format_bytes(report.restored.frame_bytes));
  auto print_same = [](const ArchivedState& state) {
    fmt::print("same      the state at position {} as in snapshot {}\n", state.position.value,
               state.snapshot);
  };
  if (plan.compared) print_same(*plan.compared);
  if (leads_on(plan)) print_same(*plan.next);
  fmt::print("time      {} to restore\n", format_compact(report.took));
  fmt::print("lost      what happened in the {} since {}\n",
             format_compact(report.began - plan.manifest.made_at),
             plan.manifest.has_tail() ? "its tail was archived" : "the snapshot was made");
}

void print_json(const DrillReport& report) {
  const RestorePlan& plan = report.plan;
  nlohmann::ordered_json json{{"snapshot", plan.manifest.number},
                              {"at", plan.at.value},
                              {"files", plan.files},
                              {"bytes", plan.bytes},
                              {"frame_bytes", report.restored.frame_bytes},
                              {"state", to_hex(digest(report.restored.state))},
                              {"compared", nlohmann::ordered_json::array()}};
  if (plan.compared) json["compared"].push_back(plan.compared->snapshot);
  if (leads_on(plan)) json["compared"].push_back(plan.next->snapshot);
  json["recovery_time_us"] = report.took.count();
  json["recovery_point"] = format_time(plan.manifest.made_at);
  fmt::print("{}\n", json.dump());
}

}  // namespace

ExitCode snapshot_drill(const SnapshotDrillCommand& command) {
  ArchiveWatch watch;
  auto repository = open_repository(command.repository, Access::read);
  if (!repository) return report(repository.error());
  DrillOptions options{
      .folder = place_of(command), .progress = restore_progress(watch), .stop = watch.stop()};
  fill_random(std::as_writable_bytes(std::span(&options.seed, 1)));
  auto drilled = drill(*repository, options);
  watch.clear();
  if (!drilled) return report(drilled.error());
  command.json ? print_json(*drilled) : print(*drilled);
  return ExitCode::ok;
}

}  // namespace almanac
