// A log that branches off from another one, while it is made: the events of its origin up to a
// position, and then those that make this past its own. What forks and restores have in common.
#pragma once

#include <almanac/log/import.h>
#include <almanac/projections/state.h>
#include <almanac/snapshots/read_back.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace almanac {

struct BranchReport {
  Timeline timeline{};
  LogOrigin origin;
  Position last;  // of the new log, with its own first events
};

// Behind all other first events of a branch: no engine runs in it.
void stop_engine(const State& state, Time at, std::vector<Event>& events);

// Owned by whoever makes it; one thread. Until finish() there is nothing under the folder's name.
class LogBranch {
 public:
  struct Beginning {
    LogOrigin origin;  // but for the chain, which is found on the way
    LogTail base;      // what the new log has no events of; its first is the one behind
    // Kept with a log without its front: at the base or behind it.
    std::optional<State> first = {};
    ReadBack::Options fold;  // begins there or behind, and not behind the origin's position
  };
  // Errors: those of LogImport::begin.
  [[nodiscard]] static Result<LogBranch> begin(const std::filesystem::path& folder,
                                               Beginning beginning);

  // Copies the next frame of the origin as far as its position. False: that is reached, or reading
  // back has failed. Errors: those of reading and of LogImport::add.
  [[nodiscard]] Result<bool> add(const FrameReader& frame);
  // What the index knows of events in front of the base. Errors: those of LogImport.
  [[nodiscard]] Result<void> add_removed(const IndexRecord& record) {
    return import_->add_removed(record);
  }
  // The last position that was copied.
  [[nodiscard]] Position last() const { return import_->tail().last; }
  // Behind the last add(): waits until all that was copied has been read back from the disk and
  // folded. Errors: those of LogImport::commit and of ReadBack.
  [[nodiscard]] Result<void> read_back();
  // Of the log as it has been read back.
  [[nodiscard]] const State& state() const { return state_; }

  // The last call: adds the log's own first events, behind
  // which no attempt runs and no engine, keeps the state a log without its front begins with, and
  // names the log. `check` is shown the finished log before. Errors: those of `check` and of
  // LogImport::finish.
  using Check = std::function<Result<void>(const std::filesystem::path& folder)>;
  [[nodiscard]] Result<BranchReport> finish(const std::vector<Event>& parting,
                                            const Check& check = {});

 private:
  LogBranch() = default;
  Result<void> add_front(const FrameReader& frame);
  Result<void> part(const std::vector<Event>& events);

  std::unique_ptr<LogImport> import_;
  std::unique_ptr<ReadBack> read_back_;
  BranchReport report_;
  std::optional<State> first_;  // of a log without its front
  State state_;
};

}  // namespace almanac
