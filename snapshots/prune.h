// Removes the snapshots of a repository that no rule keeps, and what only they needed.
#pragma once

#include <almanac/snapshots/archive_verify.h>
#include <almanac/snapshots/snapshot_retention.h>

#include <cstdint>
#include <functional>
#include <stop_token>
#include <vector>

namespace almanac {

struct PruneOptions {
  RetentionPolicy policy = {.within = keep_within_default};
  Time now;
  bool dry_run = false;  // what would go is told, and nothing is changed
  // Called on the calling thread with every file that is gone, and with the bytes of all that go.
  // May be empty.
  std::function<void(std::uint64_t bytes_removed, std::uint64_t bytes)> progress = {};
  // What is gone until then stays gone; the next one goes on.
  std::stop_token stop = {};
};

struct PruneReport {
  struct Decision {
    CheckedSnapshot snapshot;
    std::vector<RetentionRule> rules;  // that keep it; none: it goes

    [[nodiscard]] bool is_kept() const { return !rules.empty(); }
  };
  std::vector<Decision> snapshots;  // all of them, the newest first
  std::uint64_t files = 0;          // segments and states that go
  std::uint64_t bytes = 0;          // that they and the manifests that go have on the disk
};

// Each log by itself. Manifests go first, so that whatever interrupts it, every snapshot that has a
// manifest is whole, and files that none names are removed by the next prune or the next snapshot.
// Of a snapshot that goes, everything another one needs stays: its frames, and the state that a
// delta stands on.
//
// A damaged snapshot stands in for no other and goes no sooner than if it were whole: rules are
// applied to the whole ones by themselves and to all together, and what either keeps stays. What is
// missing is seen by names and sizes; nothing is read but manifests. O(manifests · files).
//
// The repository was opened for writing, or for reading when it is a dry run. Who reads a snapshot
// that goes is told not_found. Errors: of a manifest or a tail that cannot be read, since it may
// need any file (nothing is removed then); stopped; refused, io.
[[nodiscard]] Result<PruneReport> prune(Repository& repository, const PruneOptions& options);

}  // namespace almanac
