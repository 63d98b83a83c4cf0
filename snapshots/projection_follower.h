// What follows a log for a Projection, whatever its value is: the thread that folds, what was
// published last, the checkpoints, and the change from one version to another.
#pragma once

#include <almanac/log/log.h>
#include <almanac/snapshots/projected_value.h>
#include <almanac/snapshots/projection_checkpoints.h>

#include <any>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace almanac {

// Owned by a Projection, whose header says what each call means.
class ProjectionFollower {
 public:
  [[nodiscard]] static Result<std::unique_ptr<ProjectionFollower>> open(
      const Log& log, ProjectionOptions options, ProjectionName name,
      std::unique_ptr<ProjectedValue> value);
  // Writes a checkpoint when there is something new.
  ~ProjectionFollower();
  ProjectionFollower(const ProjectionFollower&) = delete;
  ProjectionFollower& operator=(const ProjectionFollower&) = delete;

  struct Seen {
    std::any value;
    Position position;
    std::uint32_t version = 0;
  };
  [[nodiscard]] Seen now() const;
  [[nodiscard]] bool wait_for(Position position, std::chrono::milliseconds wait_max) const;
  [[nodiscard]] Result<Seen> at(Position position) const;
  [[nodiscard]] Result<void> replace(const ProjectionName& name,
                                     std::unique_ptr<ProjectedValue> value);
  [[nodiscard]] std::optional<Error> failure() const;
  [[nodiscard]] std::optional<Error> checkpoint_failure() const;

 private:
  class Run;

  ProjectionFollower(const Log& log, ProjectionOptions options, std::string name);
  void publish(const Run& run, Seen seen);
  void report(const Run& run, const Error& error);
  void report_checkpoint(std::optional<Error> error);

  const Log& log_;
  const ProjectionOptions options_;
  const std::string name_;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Seen seen_;                                // guarded by mutex_, as are:
  std::shared_ptr<Run> serving_;             // whose values are published
  std::shared_ptr<Run> next_;                // of another version, on its way to the same position
  std::vector<std::shared_ptr<Run>> ended_;  // told to stop
  std::optional<Error> failure_;
  bool fails_ = false;  // the one that serves does not follow any more
  std::optional<Error> checkpoint_failure_;
};

}  // namespace almanac
