// What is in a repository as programs read it: what `almanac snapshot list --json` prints, and
// which part of a log's time that covers.
#pragma once

#include <almanac/tools/coverage.h>

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

}  // namespace almanac
