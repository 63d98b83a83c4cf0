// What is in a repository as programs read it: what `almanac snapshot list --json` prints, and
// which part of a log's time that covers.
#pragma once

#include <almanac/tools/coverage.h>

#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/archive_verify.h>

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <vector>

namespace almanac {

// A snapshot, and the size of the files that no older one has.
struct ArchiveRow {
  const CheckedSnapshot* snapshot;
  std::uint64_t own_bytes;
};
// The newest first. Points into what it was given.
[[nodiscard]] std::vector<ArchiveRow> archive_rows(const std::vector<CheckedSnapshot>& snapshots);

[[nodiscard]] nlohmann::ordered_json snapshot_json(const ArchiveRow& row, bool is_encrypted);
[[nodiscard]] nlohmann::ordered_json tail_json(const CheckedTail& checked);
[[nodiscard]] nlohmann::ordered_json coverage_json(const Coverage& coverage);
// All three of a repository: {"encrypted", "snapshots", "tails", "coverage"}. O(files).
[[nodiscard]] nlohmann::ordered_json repository_json(const Repository& repository);

// What `almanac snapshot create --json` prints of one that was made.
[[nodiscard]] nlohmann::ordered_json snapshot_report_json(const SnapshotReport& report);
// {"whole", "snapshots", "tails", "read"}, with the lines that `almanac snapshot verify --json`
// prints.
[[nodiscard]] nlohmann::ordered_json checked_json(const CheckedSnapshot& snapshot);
[[nodiscard]] nlohmann::ordered_json checked_json(const CheckedTail& tail);
[[nodiscard]] nlohmann::ordered_json verification_json(const ArchiveVerification& verification);

}  // namespace almanac
