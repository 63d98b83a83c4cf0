// A log whose commits a test can wait for.
#pragma once

#include <almanac/log/log.h>

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace almanac::test {

// A log opened for writing. Used by one thread, as a log is.
class TestLog {
 public:
  // Stops the test program when the log cannot be opened.
  explicit TestLog(const std::filesystem::path& folder, LogOptions options = {.index = false});
  // For when that is what the test is about.
  [[nodiscard]] static Result<std::unique_ptr<TestLog>> open(const std::filesystem::path& folder,
                                                             LogOptions options = {.index = false});

  [[nodiscard]] Log* operator->() { return log_.get(); }
  [[nodiscard]] Log& operator*() { return *log_; }

  // Appends one batch and waits until it is on disk. Answers the position of its first event, or
  // why the commit failed; while the log waits for resume(), the error of the failed commit again.
  Result<Position> append(std::vector<Event> events, const AppendOptions& options = {});
  Result<Position> append(std::shared_ptr<const EventBatch> batch,
                          const AppendOptions& options = {});
  // Waits until everything up to `last` is on disk or a commit has failed.
  CommitReport wait_for(Position last);
  void resume();

  // All reports so far.
  [[nodiscard]] std::vector<CommitReport> reports();

 private:
  TestLog() = default;
  Result<void> start(const std::filesystem::path& folder, LogOptions options);

  std::mutex mutex_;
  std::condition_variable reported_;
  std::vector<CommitReport> reports_;
  bool failed_ = false;  // the last report was an error, and resume() was not called since
  std::unique_ptr<Log> log_;
};

// A small event that tells itself apart by its number, which is also its time.
[[nodiscard]] Event numbered_event(std::uint64_t number);
// Those of first … first + count - 1.
[[nodiscard]] std::vector<Event> numbered_events(std::uint64_t first, std::size_t count);
[[nodiscard]] std::shared_ptr<const EventBatch> make_batch(std::vector<Event> events);

// The events of a log from `from` to its end, as event_text() gives them.
[[nodiscard]] Result<std::vector<std::string>> read_texts(const Log& log,
                                                          Position from = Position(1));
// What read_texts() gives for a log that holds `events` from position `first` on.
[[nodiscard]] std::vector<std::string> texts_of(const std::vector<Event>& events,
                                                Position first = Position(1));

}  // namespace almanac::test
