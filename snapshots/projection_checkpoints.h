// The checkpoints of one version of a projection, and the values that are reached from them.
#pragma once

#include <almanac/log/log.h>
#include <almanac/snapshots/projected_value.h>

#include <cstdint>
#include <filesystem>
#include <memory>

namespace almanac {

struct ProjectionOptions {
  // Holds a folder for each projection, and in that one for each version. Empty: nothing is kept.
  // What versions of before have left there stays, for a program that goes back to one.
  std::filesystem::path folder;
  std::uint64_t checkpoint_events = 200'000;  // between two checkpoints; one more at the end
  std::size_t checkpoints_max = 8;            // the newest are kept
};

// A value and the last event in it.
struct ReachedValue {
  std::unique_ptr<ProjectedValue> value;
  Position position;
};

// Belongs to a log, which must outlive it. Any thread may call, but for keep(), which one does.
class ProjectionCheckpoints {
 public:
  ProjectionCheckpoints(const Log& log, const ProjectionOptions& options,
                        const ProjectionName& name);

  // The newest that is whole and not behind `through`, or the initial value at position 0.
  [[nodiscard]] ReachedValue newest(const ProjectedValue& prototype, Position through) const;
  // Folds what the log has up to `through`. O(events). Errors: not_found (the log ends before, or
  // was trimmed behind where it would begin), corrupt (damage, `fold` threw), those of Log::read.
  [[nodiscard]] Result<void> advance(ReachedValue& reached, Position through) const;
  // Does nothing without a folder, and for values without bytes. Errors: corrupt (`encode` threw),
  // those of write_projection.
  [[nodiscard]] Result<void> keep(const ReachedValue& reached) const;

 private:
  [[nodiscard]] Result<void> load(Position position, ProjectedValue& value) const;

  const Log* log_;
  std::filesystem::path folder_;  // may be empty
  std::uint32_t version_;
  std::size_t count_max_;
};

}  // namespace almanac
