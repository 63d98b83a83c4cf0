#include <almanac/tests/support/test_log.h>

#include <almanac/tests/support/event_text.h>

#include <cstdio>
#include <utility>

namespace almanac::test {

TestLog::TestLog(const std::filesystem::path& folder, LogOptions options) {
  auto started = start(folder, std::move(options));
  if (!started) std::fprintf(stderr, "%s\n", describe(started.error()).c_str());
  ALMANAC_CHECK(started.has_value());
}

Result<std::unique_ptr<TestLog>> TestLog::open(const std::filesystem::path& folder,
                                               LogOptions options) {
  std::unique_ptr<TestLog> log(new TestLog);
  auto started = log->start(folder, std::move(options));
  if (!started) return std::unexpected(started.error());
  return log;
}

Result<void> TestLog::start(const std::filesystem::path& folder, LogOptions options) {
  options.on_commit = [this, then = std::move(options.on_commit)](const CommitReport& report) {
    {
      std::lock_guard guard(mutex_);
      reports_.push_back(report);
      failed_ = report.error.has_value();
    }
    reported_.notify_all();
    then(report);
  };
  options.after_refusal = AfterRefusal::wait;
  options.pending_bytes_max = SIZE_MAX;
  auto opened = Log::open(folder, std::move(options));
  if (!opened) return std::unexpected(opened.error());
  log_ = std::move(*opened);
  return {};
}

Result<Position> TestLog::append(std::vector<Event> events, const AppendOptions& options) {
  return append(make_batch(std::move(events)), options);
}

Result<Position> TestLog::append(std::shared_ptr<const EventBatch> batch,
                                 const AppendOptions& options) {
  auto count = batch->events.size();
  auto first = log_->append(std::move(batch), options);
  if (!first) return first;
  auto report = wait_for(Position(first->value + count - 1));
  if (report.error) return std::unexpected(*report.error);
  return first;
}

CommitReport TestLog::wait_for(Position last) {
  std::unique_lock lock(mutex_);
  reported_.wait(lock,
                 [&] { return failed_ || (!reports_.empty() && reports_.back().through >= last); });
  return reports_.back();
}

void TestLog::resume() {
  std::lock_guard guard(mutex_);
  failed_ = false;
  log_->resume();
}

std::vector<CommitReport> TestLog::reports() {
  std::lock_guard guard(mutex_);
  return reports_;
}

Event numbered_event(std::uint64_t number) {
  return {.at = Time(Duration(number)), .body = TaskReadied{TaskId(number)}};
}

std::vector<Event> numbered_events(std::uint64_t first, std::size_t count) {
  std::vector<Event> events;
  for (std::size_t i = 0; i < count; ++i) events.push_back(numbered_event(first + i));
  return events;
}

std::shared_ptr<const EventBatch> make_batch(std::vector<Event> events) {
  return std::make_shared<EventBatch>(EventBatch{.events = std::move(events), .memory = {}});
}

Result<std::vector<std::string>> read_texts(const Log& log, Position from) {
  std::vector<std::string> texts;
  auto read = log.read(from, [&](const RecordedEvent& recorded) -> Result<bool> {
    texts.push_back(event_text(recorded));
    return true;
  });
  if (!read) return std::unexpected(read.error());
  return texts;
}

std::vector<std::string> texts_of(const std::vector<Event>& events, Position first) {
  std::vector<std::string> texts;
  for (const Event& event : events) {
    texts.push_back(event_text(RecordedEvent{first, event}));
    first = first.next();
  }
  return texts;
}

}  // namespace almanac::test
