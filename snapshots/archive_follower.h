// Continuous archiving: what is new in a log goes to a repository at short intervals, so that what
// would be lost with the log is a matter of seconds, and a number.
#pragma once

#include <almanac/log/log.h>
#include <almanac/snapshots/archived_log.h>
#include <almanac/snapshots/repository.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

namespace almanac {

class SegmentWriter;

struct FollowStatus {
  LogTail archived;                       // as far as the log is archived
  Time archived_at;                       // when something was last
  Time looked_at;                         // when all was last well, to ten seconds; see report
  std::uint64_t snapshot = 0;             // the newest one; 0 before there is one
  std::uint64_t file_bytes = 0;           // written to the repository
  Position last;                          // of the log, when it was looked at last
  std::optional<Time> missing_since;      // of the first event that is not archived; none: all are
  std::uint64_t failures = 0;             // in a row
  std::optional<Error> failure;           // the last of those
  std::optional<Error> snapshot_failure;  // of the last one: why it is missing, or not smaller

  // How much of the log's time would be lost with it.
  [[nodiscard]] Duration loss_window(Time now) const;
};

struct FollowOptions {
  // New events are archived once the oldest of them was seen so long ago, or they have so many
  // bytes in the log. Each time costs four syncs of the repository's disk: after one that went by
  // its bytes comes a rest of nine times as long as it took, unless there is a whole segment or the
  // oldest is due, so that what is archived at once grows with the rate.
  std::chrono::milliseconds every{1'000};
  std::uint64_t bytes = limits::mebibyte;
  // With the first new events so long after the last one a snapshot is made, during which nothing
  // else is archived.
  Duration snapshot_every = std::chrono::hours(1);
  std::size_t jobs = 1;  // threads that compress
  std::function<Time()> clock = system_now;
  // Told when something was archived or a snapshot made, when it fails, fails for another reason,
  // and works again; and, as a sign of life, every ten seconds in which nothing of that was to be
  // told, once the repository was found in its place (follow_beat.h). On the follower's thread.
  std::function<void(const FollowStatus&)> report = {};
};

// Follows the log from its first snapshot on, which it makes where there is none, until it goes; at
// its end it archives what is left, as far as a segment goes and in one try. Has a thread of its
// own, which looks at the log every 50 ms or more often; memory as for a snapshot. Appends nothing
// to the log and holds no read transaction. On a processor that is busy it falls behind rather than
// hold up those who append, which the loss window shows.
//
// Holds the repository's lock while it writes and no longer, so that snapshots are made and pruned
// beside it, also by other processes; two that follow one log are in each other's way and harm
// nothing. Whatever fails is tried again after twice the time, at least every 30 seconds; the log
// is not affected. While the repository is away up to 64 MiB of events wait in memory, the others
// in the log.
class ArchiveFollower {
 public:
  struct Surroundings {
    const Log& log;
    std::filesystem::path folder;  // the one the log was opened in
    // Called each time anew, on the follower's thread.
    std::function<Result<Repository>(Access)> open_repository;
  };
  ArchiveFollower(Surroundings surroundings, FollowOptions options);
  ~ArchiveFollower();
  ArchiveFollower(const ArchiveFollower&) = delete;
  ArchiveFollower& operator=(const ArchiveFollower&) = delete;

  // Archives what is left behind the newest snapshot, and ends; where there is none as yet, none is
  // made. Once or not at all.
  void stop();
  // Any thread.
  [[nodiscard]] FollowStatus status() const;

 private:
  using Clock = std::chrono::steady_clock;

  void run(const std::stop_token& stop);
  void look();
  [[nodiscard]] Result<bool> turn(const std::stop_token& stop);
  [[nodiscard]] Result<Repository> open_repository() const;
  [[nodiscard]] Result<NewestArchived> find_archived(const Repository& repository) const;
  [[nodiscard]] Result<void> begin(const std::stop_token& stop);
  [[nodiscard]] Result<void> fill();
  [[nodiscard]] bool is_due(bool at_end) const;
  [[nodiscard]] Result<void> give_sign_of_life();
  [[nodiscard]] Result<bool> archive(const std::stop_token& stop);
  [[nodiscard]] Result<void> add_segment(Repository& repository, ArchiveTail& tail);
  void merge_small_segments(Repository& repository, ArchiveTail& tail) const;
  [[nodiscard]] bool is_snapshot_due(const Manifest& newest, const ArchiveTail& tail) const;
  [[nodiscard]] Result<void> make_snapshot(Repository& repository, const std::stop_token& stop);
  void go_on_behind(const Manifest& archived);
  void note(const std::optional<Error>& failure);
  template <class Change>
  void publish(const Change& change);

  const Surroundings surroundings_;
  const FollowOptions options_;

  mutable std::mutex mutex_;
  FollowStatus status_;  // guarded by mutex_

  // Of the thread.
  std::unique_ptr<SegmentWriter> segment_;  // of what is not archived; none: look what is
  std::unique_ptr<SegmentWriter> emptied_;  // of a large one that is archived: its memory
  LogTail end_;                             // where it ends
  Clock::time_point filled_since_;
  Clock::time_point rested_at_;  // from the last one that was archived
  bool was_there_ = false;       // the repository
  std::uint64_t failures_ = 0;   // in a row
  Clock::time_point retry_at_;
  Clock::time_point snapshot_retry_at_;
  std::jthread thread_;
};

}  // namespace almanac
