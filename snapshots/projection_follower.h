// What follows a log for a Projection, whatever its value is: the thread that folds, what was
// published last, the checkpoints, and the change from one version to another.
#pragma once

#include <almanac/log/log.h>

#include <any>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace almanac {

struct ProjectionOptions {
  // Holds a folder for each projection, and in that one for each version. Empty: nothing is kept.
  // What versions of before have left there stays, for a program that goes back to one.
  std::filesystem::path folder;
  std::uint64_t checkpoint_events = 200'000;  // between two checkpoints; one more at the end
  std::size_t checkpoints_max = 8;            // the newest are kept
};

struct ProjectionName {
  std::string name;
  std::uint32_t version = 0;
};

// The value of a projection, with the fold it is changed by. Used by one thread at a time, but for
// initial(), which any may call.
class ProjectedValue {
 public:
  virtual ~ProjectedValue() = default;
  virtual void fold(const RecordedEvent& event) = 0;
  [[nodiscard]] virtual std::any copy() const = 0;
  [[nodiscard]] virtual std::unique_ptr<ProjectedValue> initial() const = 0;
  [[nodiscard]] virtual bool has_bytes() const = 0;
  [[nodiscard]] virtual std::vector<std::byte> encode() const = 0;
  [[nodiscard]] virtual Result<void> decode(Bytes bytes) = 0;

 protected:
  ProjectedValue() = default;
  ProjectedValue(const ProjectedValue&) = default;
  ProjectedValue& operator=(const ProjectedValue&) = default;
};

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
