#include <almanac/tools/snapshot_json.h>

#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace almanac {
namespace {

using nlohmann::ordered_json;

// Of the files that no older snapshot has.
std::uint64_t own_bytes_of(const Manifest& manifest, std::set<ArchiveName>& known) {
  std::uint64_t bytes = 0;
  auto add = [&](const ArchiveName& name, std::uint64_t size) {
    if (known.insert(name).second) bytes += size;
  };
  add(name_of(manifest.timeline, manifest.checkpoint), manifest.checkpoint.file.bytes);
  for (const SegmentRecord& segment : manifest.segments) {
    add(name_of(segment.header, segment.file), segment.file.bytes);
  }
  return bytes;
}

}  // namespace

std::vector<ArchiveRow> archive_rows(const std::vector<CheckedSnapshot>& snapshots) {
  std::vector<ArchiveRow> rows;
  std::set<ArchiveName> known;
  for (auto each = snapshots.rbegin(); each != snapshots.rend(); ++each) {
    rows.push_back({&*each, each->manifest ? own_bytes_of(*each->manifest, known) : 0});
  }
  std::ranges::reverse(rows);
  return rows;
}

ordered_json snapshot_json(const ArchiveRow& row, bool is_encrypted) {
  const CheckedSnapshot& snapshot = *row.snapshot;
  ordered_json json{
      {"snapshot", snapshot.number}, {"whole", snapshot.whole()}, {"encrypted", is_encrypted}};
  for (const Error& error : snapshot.damage) json["damage"].push_back(printable(error.message));
  if (!snapshot.manifest) return json;
  const Manifest& manifest = *snapshot.manifest;
  if (!manifest.tag.empty()) json["tag"] = manifest.tag;
  json["made_at"] = format_time(manifest.made_at);
  json["timeline"] = to_hex(manifest.timeline);
  json["first"] = manifest.first().value;
  json["last"] = manifest.tail.last.value;
  json["first_time"] = format_time(manifest.segments.front().header.first_time);
  json["last_time"] = format_time(manifest.tail.time);
  json["bytes"] = manifest.bytes();
  json["new_bytes"] = row.own_bytes;
  json["frame_bytes"] = manifest.frame_bytes();
  if (manifest.signer) json["signed_by"] = to_hex(manifest.signer->bytes);
  return json;
}

ordered_json tail_json(const CheckedTail& checked) {
  ordered_json json{{"tail", to_hex(checked.timeline)}, {"whole", checked.whole()}};
  for (const Error& error : checked.damage) json["damage"].push_back(printable(error.message));
  if (!checked.tail) return json;
  const ArchiveTail& tail = *checked.tail;
  json["snapshot"] = tail.snapshot;
  json["archived_at"] = format_time(tail.archived_at);
  json["first"] = tail.first().value;
  json["last"] = tail.end.last.value;
  json["last_time"] = format_time(tail.end.time);
  json["files"] = tail.segments.size();
  json["bytes"] = tail.bytes();
  return json;
}

ordered_json coverage_json(const Coverage& coverage) {
  ordered_json ranges = ordered_json::array();
  for (const Coverage::Range& range : coverage.ranges) {
    ranges.push_back({{"first", range.first.value},
                      {"last", range.last.value},
                      {"first_time", format_time(range.first_time)},
                      {"last_time", format_time(range.last_time)}});
  }
  ordered_json marks = ordered_json::array();
  for (const Coverage::Mark& mark : coverage.marks) {
    marks.push_back({{"snapshot", mark.number}, {"time", format_time(mark.time)}});
  }
  return {{"timeline", to_hex(coverage.timeline)},
          {"ranges", std::move(ranges)},
          {"marks", std::move(marks)}};
}

ordered_json repository_json(const Repository& repository) {
  const auto tails = list_tails(repository);
  const auto snapshots = list_snapshots(repository);
  ordered_json json{{"encrypted", repository.is_encrypted()},
                    {"snapshots", ordered_json::array()},
                    {"tails", ordered_json::array()},
                    {"coverage", ordered_json::array()}};
  for (const ArchiveRow& row : archive_rows(snapshots)) {
    json["snapshots"].push_back(snapshot_json(row, repository.is_encrypted()));
  }
  for (const CheckedTail& tail : tails) json["tails"].push_back(tail_json(tail));
  for (const Coverage& each : coverage_of(snapshots, tails)) {
    json["coverage"].push_back(coverage_json(each));
  }
  return json;
}

ordered_json snapshot_report_json(const SnapshotReport& report) {
  const Manifest& manifest = report.manifest;
  return {{"snapshot", manifest.number},      {"made", report.made},
          {"first", manifest.first().value},  {"from", report.from.value},
          {"last", manifest.tail.last.value}, {"new_frame_bytes", report.frame_bytes},
          {"new_bytes", report.file_bytes},   {"bytes", manifest.bytes()},
          {"state", to_hex(manifest.state)}};
}

ordered_json checked_json(const CheckedSnapshot& snapshot) {
  ordered_json json{{"snapshot", snapshot.number}, {"whole", snapshot.whole()}};
  for (const Error& error : snapshot.damage) json["damage"].push_back(printable(error.message));
  return json;
}

ordered_json checked_json(const CheckedTail& tail) {
  ordered_json json{{"tail", to_hex(tail.timeline)}, {"whole", tail.whole()}};
  for (const Error& error : tail.damage) json["damage"].push_back(printable(error.message));
  return json;
}

ordered_json verification_json(const ArchiveVerification& verification) {
  ordered_json json{{"whole", verification.whole()},
                    {"snapshots", ordered_json::array()},
                    {"tails", ordered_json::array()},
                    {"read",
                     {{"files", verification.files},
                      {"bytes", verification.bytes},
                      {"frames", verification.frames}}}};
  for (const auto& snapshot : verification.snapshots) {
    json["snapshots"].push_back(checked_json(snapshot));
  }
  for (const auto& tail : verification.tails) json["tails"].push_back(checked_json(tail));
  return json;
}

}  // namespace almanac
