#include <almanac/tools/archive_watch.h>
#include <almanac/tools/limits.h>
#include <almanac/tools/snapshot_commands.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/snapshots/prune.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>

namespace almanac {
namespace {

using nlohmann::ordered_json;

std::string rules_text(const PruneReport::Decision& decision) {
  std::string text;
  for (RetentionRule rule : decision.rules) {
    if (!text.empty()) text += ", ";
    text += name_of(rule);
  }
  return text;
}

std::size_t count_removed(const PruneReport& report) {
  return static_cast<std::size_t>(
      std::ranges::count_if(report.snapshots, [](const auto& each) { return !each.is_kept(); }));
}

void print(const PruneReport& report, bool dry_run) {
  Table table({"SNAPSHOT", "MADE", "POSITIONS", "KEPT BY", ""});
  for (const PruneReport::Decision& decision : report.snapshots) {
    const Manifest& manifest = *decision.snapshot.manifest;
    const char* goes = dry_run ? "would go" : "removed";
    table.add({std::to_string(manifest.number), format_time(manifest.made_at).substr(0, 19) + "Z",
               fmt::format("{}-{}", manifest.first().value, manifest.tail.last.value),
               decision.is_kept() ? rules_text(decision) : std::string("- ") + goes,
               decision.snapshot.whole() ? "" : "damaged"});
  }
  if (!report.snapshots.empty()) fmt::print("{}\n", table.text(terminal_columns()));
  fmt::print("{} {} of {} and {}, {}\n", dry_run ? "would remove" : "removed",
             count_removed(report), counted(report.snapshots.size(), "snapshot"),
             counted(report.files, "file"), format_bytes(report.bytes));
}

void print_json(const PruneReport& report, bool dry_run) {
  for (const PruneReport::Decision& decision : report.snapshots) {
    ordered_json json{{"snapshot", decision.snapshot.number},
                      {"made_at", format_time(decision.snapshot.manifest->made_at)},
                      {"whole", decision.snapshot.whole()},
                      {"kept", decision.is_kept()},
                      {"rules", ordered_json::array()}};
    for (RetentionRule rule : decision.rules) json["rules"].push_back(name_of(rule));
    fmt::print("{}\n", json.dump());
  }
  const ordered_json removed{{"snapshots", count_removed(report)},
                             {"files", report.files},
                             {"bytes", report.bytes},
                             {"dry_run", dry_run}};
  fmt::print("{}\n", ordered_json{{"removed", removed}}.dump());
}

}  // namespace

ExitCode snapshot_prune(const SnapshotPruneCommand& command) {
  auto policy = parse_retention(command.keep);
  if (!policy) return report(policy.error());
  policy->tagged = !command.tagged;
  ArchiveWatch watch;
  // Opened for writing alone it would become one where there is none.
  auto exists = open_repository(command.repository, Access::read);
  if (!exists) return report(exists.error());
  auto repository = command.dry_run ? std::move(exists)
                                    : open_repository(command.repository, Access::write,
                                                      limits::repository_wait_max);
  if (!repository) return report(repository.error());
  auto pruned = prune(
      *repository,
      {.policy = *policy,
       .now = system_now(),
       .dry_run = command.dry_run,
       .progress =
           [&](std::uint64_t removed, std::uint64_t all) {
             watch.progress(fmt::format("{} of {} freed", format_bytes(removed), format_bytes(all)),
                            static_cast<double>(removed) /
                                static_cast<double>(std::max<std::uint64_t>(all, 1)),
                            removed);
           },
       .stop = watch.stop()});
  watch.clear();
  if (!pruned) return report(pruned.error());
  command.json ? print_json(*pruned, command.dry_run) : print(*pruned, command.dry_run);
  return ExitCode::ok;
}

}  // namespace almanac
