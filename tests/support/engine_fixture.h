// What tests of a whole engine share: one in a folder of its own, a clock to turn, and named
// moments to wait for.
#pragma once

#include <almanac/engine/engine.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace almanac::test {

// Stands still until it is turned. Any thread.
class ManualClock {
 public:
  [[nodiscard]] Time now() const { return Time(Duration(micros_.load())); }
  void advance(Duration by) { micros_ += by.count(); }
  [[nodiscard]] std::function<Time()> function() const {
    return [this] { return now(); };
  }

 private:
  std::atomic<std::int64_t> micros_ = std::int64_t{1'700'000'000} * 1'000'000;
};

class EngineTest : public ::testing::Test {
 protected:
  // On a clock that stands still the time a stop gives never passes.
  void TearDown() override {
    if (engine) engine->stop_at_once();
  }

  // Opens the engine in this test's folder, with four slots and a seed unless it says otherwise.
  void open(EngineOptions options = {});
  // The same on the clock that the test turns.
  void open_on_manual_clock(EngineOptions options = {});
  void close() { engine.reset(); }
  [[nodiscard]] std::filesystem::path log_folder() const { return folder / "log"; }

  TaskId submit(TaskSpec spec);
  TaskId submit_command(const CommandSpec& command, TaskSpec spec = {});
  TaskId submit_shell(std::string script, TaskSpec spec = {});

  // Lets the engine see what time it is: what is due has been decided and published behind it.
  void turn();
  void advance(Duration by);

  [[nodiscard]] Task task(TaskId id) const;
  // Fails the test when it does not come to that in a minute.
  Task wait_for(TaskId id, TaskState state) const;
  Task wait_until_ended(TaskId id) const;
  void wait_until_all_ended() const;

  // What the task's last attempt left, read from the log.
  [[nodiscard]] AttemptOutcome outcome(TaskId id) const;
  AttemptOutcome outcome_at_end(TaskId id) const;
  // The types of all events about a task, in order: "TaskEnqueued TaskStarted …".
  [[nodiscard]] std::string history(TaskId id) const;

  TempFolder folder;
  ManualClock clock;
  std::unique_ptr<Engine> engine;
};

// The same for a log that no engine writes any more.
[[nodiscard]] std::string history(const Log& log, TaskId id);

}  // namespace almanac::test
