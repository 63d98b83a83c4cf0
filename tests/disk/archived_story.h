// A log with a story and its archive, what is done to that, and what must hold of it wherever that
// was cut short.
#pragma once

#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/restore.h>
#include <almanac/tests/support/story.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace almanac::test {

// The log is closed between two calls. One thread.
class ArchivedStory {
 public:
  // `folder` exists, is empty and outlives this.
  explicit ArchivedStory(const std::filesystem::path& folder) : folder_(folder) {}

  // So many tasks come, and every second one starts and ends. Each event is a frame.
  void work(std::uint64_t count);
  // The log is one without the front half of these events from here on, and with the state at their
  // end. Before anything is archived.
  void trim();
  [[nodiscard]] Position end() const { return Position(digests_.size()); }

  // What is interrupted, on the archive in `store`, which need not be there but for restoring.
  [[nodiscard]] Result<SnapshotReport> snapshot(const std::filesystem::path& store) const;
  // What is new goes behind the newest snapshot; `told` is given each end that is archived.
  [[nodiscard]] Result<void> ship(const std::filesystem::path& store,
                                  const std::function<void(Position)>& told = {}) const;
  // The log as it was at a position, in the place of one that is there.
  [[nodiscard]] Result<RestoreReport> restore_to(const std::filesystem::path& target, Position at,
                                                 const std::filesystem::path& store) const;

  // What is wrong with the archive, of which everything up to `archived` must be there; "" when
  // nothing is. Reads all of it.
  [[nodiscard]] std::string problem_of(const std::filesystem::path& store, Position archived) const;
  // The same with a log that was restored.
  [[nodiscard]] std::string problem_of_restored(const std::filesystem::path& target,
                                                Position at) const;
  // Archives what is left, restores it to `target`, and finds what is wrong with either.
  [[nodiscard]] std::string problem_of_going_on(const std::filesystem::path& store,
                                                const std::filesystem::path& target) const;

 private:
  [[nodiscard]] std::filesystem::path place() const { return folder_ / "log"; }
  [[nodiscard]] const Digest& digest_at(Position at) const { return digests_[at.value - 1]; }

  std::filesystem::path folder_;
  Story story_;
  State state_;                  // where it ends
  std::vector<Digest> digests_;  // at positions 1, 2, …
  std::uint64_t tasks_ = 0;
};

// Of the log in a folder; nullopt where there is none.
[[nodiscard]] std::optional<Timeline> timeline_in(const std::filesystem::path& folder);
// Whether that log is in one of the folders in it.
[[nodiscard]] bool has_log(const std::filesystem::path& folder,
                           const std::optional<Timeline>& timeline);

}  // namespace almanac::test
