#include <almanac/tools/coverage.h>
#include <almanac/tools/snapshot_commands.h>
#include <almanac/tools/snapshot_json.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/snapshots/archive_verify.h>
#include <almanac/snapshots/follow_beat.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace almanac {
namespace {

constexpr std::size_t picture_columns = 64;

// How many times smaller than the frames it holds.
std::string ratio_of(const Manifest& manifest) {
  const std::uint64_t bytes = std::max<std::uint64_t>(manifest.bytes(), 1);
  const std::uint64_t tenths = 10 * manifest.frame_bytes() / bytes;
  return fmt::format("{}.{}", tenths / 10, tenths % 10);
}

const char* condition_of(const CheckedSnapshot& snapshot) {
  if (!snapshot.whole()) return "damaged";
  return snapshot.manifest->signer ? "signed" : "";
}

void print(const std::vector<ArchiveRow>& rows, bool is_encrypted) {
  Table table({"SNAPSHOT", "MADE", "POSITIONS", "SPAN", "SIZE", "NEW", "RATIO", ""});
  for (const ArchiveRow& row : rows) {
    const CheckedSnapshot& snapshot = *row.snapshot;
    const char* state = condition_of(snapshot);
    if (!snapshot.manifest) {
      table.add({std::to_string(snapshot.number), "", "", "", "", "", "", state});
      continue;
    }
    const Manifest& manifest = *snapshot.manifest;
    const Time begin = manifest.segments.front().header.first_time;
    table.add({std::to_string(snapshot.number), format_second(manifest.made_at),
               fmt::format("{}-{}", manifest.first().value, manifest.tail.last.value),
               format_compact(manifest.tail.time - begin), format_bytes(manifest.bytes()),
               format_bytes(row.own_bytes), ratio_of(manifest), state});
  }
  fmt::print("{}", table.text(terminal_columns()));
  if (is_encrypted) fmt::print("encrypted\n");
  for (const ArchiveRow& row : rows) {
    const auto& manifest = row.snapshot->manifest;
    if (manifest && !manifest->tag.empty()) {
      fmt::print("snapshot {}: {}\n", row.snapshot->number, manifest->tag);
    }
    for (const Error& error : row.snapshot->damage) {
      fmt::print("snapshot {}: {}\n", row.snapshot->number, printable(error.message));
    }
  }
}

void print(const Coverage& coverage) {
  fmt::print("\nlog {}\n{:<{}}{}\n", to_hex(coverage.timeline),
             format_second(coverage.ranges.front().first_time), picture_columns - 20 + 2,
             format_second(coverage.ranges.back().last_time));
  const auto lines = picture_of(coverage, picture_columns, glyphs_of_output());
  fmt::print("|{}|\n {}\n", lines[0], lines[1]);
  for (std::size_t i = 1; i < coverage.ranges.size(); ++i) {
    const auto& before = coverage.ranges[i - 1];
    const auto& behind = coverage.ranges[i];
    fmt::print("gap: positions {} to {}, {} to {}, are in no snapshot\n", before.last.value + 1,
               behind.first.value - 1, format_second(before.last_time),
               format_second(behind.first_time));
  }
}

// How much would be lost is told by who follows the log: here it is not known whether anything has
// happened since.
void print(const CheckedTail& checked, Time now) {
  fmt::print("\n");
  for (const Error& error : checked.damage) {
    fmt::print("tail of log {}: {}\n", to_hex(checked.timeline), printable(error.message));
  }
  if (!checked.whole()) return;
  const ArchiveTail& tail = *checked.tail;
  fmt::print("behind snapshot {}: positions {} to {}, {}, archived {} ago\n", tail.snapshot,
             tail.first().value, tail.end.last.value, format_bytes(tail.bytes()),
             format_compact(std::max(now - tail.archived_at, Duration{0})));
}

// A follower that is alive gives a sign of it every ten seconds.
void print_followed(const Repository& repository, const Timeline& timeline, Time now) {
  const auto looked_at = last_beat(repository, timeline);
  if (!looked_at) return;
  fmt::print("followed: all was well {} ago\n",
             format_compact(std::max(now - *looked_at, Duration{0})));
}

void print_followed_json(const Repository& repository, const Timeline& timeline) {
  const auto looked_at = last_beat(repository, timeline);
  if (!looked_at) return;
  const nlohmann::ordered_json json{{"followed", to_hex(timeline)},
                                    {"looked_at", format_time(*looked_at)}};
  fmt::print("{}\n", json.dump());
}

}  // namespace

ExitCode snapshot_list(const SnapshotListCommand& command) {
  auto repository = open_repository(command.repository, Access::read);
  if (!repository) return report(repository.error());
  const auto tails = list_tails(*repository);
  const auto snapshots = list_snapshots(*repository);
  const auto rows = archive_rows(snapshots);
  const bool is_encrypted = repository->is_encrypted();
  if (command.json) {
    for (const ArchiveRow& row : rows) fmt::print("{}\n", snapshot_json(row, is_encrypted).dump());
    for (const Coverage& coverage : coverage_of(snapshots, tails)) {
      print_followed_json(*repository, coverage.timeline);
    }
    for (const CheckedTail& tail : tails) fmt::print("{}\n", tail_json(tail).dump());
    return ExitCode::ok;
  }
  if (rows.empty()) {
    fmt::print("there are no snapshots yet\n");
    return ExitCode::ok;
  }
  print(rows, is_encrypted);
  for (const Coverage& coverage : coverage_of(snapshots, tails)) {
    print(coverage);
    print_followed(*repository, coverage.timeline, system_now());
  }
  for (const CheckedTail& tail : tails) print(tail, system_now());
  return ExitCode::ok;
}

}  // namespace almanac
