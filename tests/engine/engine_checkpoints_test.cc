// Checkpoints of an engine: what they spare a start, and that nothing rests on any one of them.
#include <almanac/engine/diagnostics.h>
#include <almanac/snapshots/checkpoints.h>
#include <almanac/snapshots/rebuild.h>
#include <almanac/snapshots/state_at.h>
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/small_disk.h>

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class EngineCheckpoints : public EngineTest {
 protected:
  // Runs so many tasks and stops, which writes a checkpoint.
  void run_tasks(std::size_t count, const TaskSpec& task = {.kind = "work"},
                 std::uint64_t events = 100'000) {
    open({.checkpoints = {.events = events, .period = 1h, .events_at_stop = 1}});
    engine->handle("work", [](const Attempt&) { return almanac::Outcome::success(); });
    for (std::size_t i = 0; i < count; ++i) submit(task);
    wait_until_all_ended();
    close();
  }
  // Of a size that gives the log several values, so that some can be removed.
  static TaskSpec large_task() {
    return {.kind = "work", .payload = std::string(64 * limits::kibibyte, 'x')};
  }
  [[nodiscard]] std::vector<Position> kept() const { return checkpoints_of(log_folder()); }
  [[nodiscard]] fs::path file(Position position) const {
    return checkpoint_file(log_folder(), position);
  }
  [[nodiscard]] std::unique_ptr<Log> log(Access access = Access::read) const {
    auto opened = Log::open(log_folder(), {.access = access, .index = false});
    EXPECT_TRUE(opened) << describe(opened.error());
    return std::move(*opened);
  }
  [[nodiscard]] Position end_of_log() const { return log()->tail()->last; }
  // Where folding begins, of all the events there are, and that it leads to the same.
  [[nodiscard]] Position begin_of_start() const {
    const auto opened = log();
    auto reached = reach_state(*opened, log_folder());
    EXPECT_TRUE(reached) << describe(reached.error());
    EXPECT_EQ(to_hex(digest(reached->state)), to_hex(digest(*rebuild(*opened))));
    return reached->checkpoint;
  }
  // What an engine that is opened and closed says about itself.
  [[nodiscard]] std::string warnings_of_a_start() const {
    const auto run = run_almanac({.arguments = {"run", "--dir", log_folder().string()},
                                  .folder = folder.path(),
                                  .input = {}});
    EXPECT_EQ(run.code, 0) << run.errors;
    return run.errors;
  }
};

TEST_F(EngineCheckpoints, AreWhereTheNextStartBegins) {
  EXPECT_TRUE(kept().empty());
  run_tasks(20);
  ASSERT_EQ(kept().size(), 1U);
  EXPECT_EQ(begin_of_start(), kept().front());
  EXPECT_EQ(begin_of_start(), end_of_log());
  run_tasks(20);
  EXPECT_EQ(begin_of_start(), end_of_log());
}

TEST_F(EngineCheckpoints, AreNotWrittenWhenSwitchedOffNorAtAStopBehindFewEvents) {
  open({.checkpoints = {.write = false, .events = 1, .events_at_stop = 1}});
  submit({.kind = "none"});
  open();
  submit({.kind = "none"});
  close();
  EXPECT_TRUE(kept().empty());
}

TEST_F(EngineCheckpoints, LeadToTheSameStatesAsTheFirstEvent) {
  for (int i = 0; i < 3; ++i) run_tasks(50, {.kind = "work"}, 20);
  const auto opened = log();
  const auto last = opened->tail()->last;
  ASSERT_GT(kept().size(), 2U);
  for (Position position; position <= last; position = Position(position.value + 7)) {
    auto reached = reach_state(*opened, log_folder(), position);
    ASSERT_TRUE(reached) << describe(reached.error());
    EXPECT_TRUE(reached->refused.empty());
    EXPECT_EQ(reached->checkpoint.value == 0, position < kept().back());
    EXPECT_EQ(to_hex(digest(reached->state)),
              to_hex(digest(*rebuild(*opened, {.through = position}))));
  }
}

TEST_F(EngineCheckpoints, GiveWayToAnOlderOneWhenTheyAreDamagedAndItIsSaid) {
  run_tasks(20);
  run_tasks(20);
  const auto newest = kept().at(0);
  const auto older = kept().at(1);
  const auto whole = read_file(file(newest));
  auto flipped = whole;
  flipped[whole.size() / 2] = static_cast<char>(flipped[whole.size() / 2] ^ 1);
  for (const auto& bytes :
       {flipped, whole.substr(0, whole.size() / 2), std::string(), read_file(file(older))}) {
    write_file(file(newest), bytes);
    EXPECT_EQ(begin_of_start(), older);
    const auto said = warnings_of_a_start();
    EXPECT_NE(said.find("a checkpoint is not used"), std::string::npos) << said;
    EXPECT_NE(said.find(file(newest).string()), std::string::npos) << said;
    EXPECT_NE(said.find("remove it"), std::string::npos) << said;
  }
  write_file(file(newest), whole);
  EXPECT_EQ(begin_of_start(), newest);
  EXPECT_EQ(warnings_of_a_start(), "");
}

TEST_F(EngineCheckpoints, OpenALogWhoseFrontIsGone) {
  run_tasks(60, large_task());
  run_tasks(60, large_task());
  const auto state = to_hex(digest(*state_at(*log(), log_folder())));
  ASSERT_TRUE(log(Access::write)->trim({.before = Position(UINT64_MAX)}));
  ASSERT_GT(log()->first()->value, 60U);
  EXPECT_EQ(to_hex(digest(*state_at(*log(), log_folder()))), state);
  run_tasks(1);
  open();
  EXPECT_EQ(task(TaskId(1)).state, TaskState::succeeded);
}

TEST_F(EngineCheckpoints, AreMissedWhenTheFrontIsGoneAndNoneIsWhole) {
  run_tasks(60, large_task());
  run_tasks(60, large_task());
  ASSERT_TRUE(log(Access::write)->trim({.before = Position(UINT64_MAX)}));
  for (const Position position : kept()) write_file(file(position), "damaged");
  auto opened = Engine::open({.folder = log_folder()});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::refused);
  EXPECT_NE(opened.error().message.find("of 2 checkpoints none serves"), std::string::npos)
      << opened.error().message;
  EXPECT_NE(opened.error().next_step.find("put one back"), std::string::npos);
}

// What waits keeps its payload, however old it is.
TEST_F(EngineCheckpoints, LeaveInTheLogWhatTasksStillNeed) {
  run_tasks(20, large_task());
  open({.checkpoints = {.write = false}});
  const TaskId waits = submit({.kind = "later", .payload = "needed"});
  engine->handle("work", [](const Attempt&) { return almanac::Outcome::success(); });
  for (int i = 0; i < 40; ++i) wait_until_ended(submit(large_task()));
  const auto needed = task(waits).enqueued;
  for (int i = 0; i < 2; ++i) {
    open({.checkpoints = {.events_at_stop = 1}});
    close();
  }
  EXPECT_EQ(log(Access::write)->trim({.before = Position(UINT64_MAX)})->held_by,
            Position(needed.value - 1));
  open();
  std::string payload;
  engine->handle("later", [&](const Attempt& attempt) {
    payload = as_text(attempt.payload);
    return almanac::Outcome::success();
  });
  wait_for(waits, TaskState::succeeded);
  close();
  EXPECT_EQ(payload, "needed");
}

// --- What stands in the way ---------------------------------------------------------------------

// Follows what happens to unfinished files of a folder: made, written to, renamed.
class UnfinishedWatch {
 public:
  explicit UnfinishedWatch(const fs::path& folder) : watch_(::inotify_init1(IN_CLOEXEC)) {
    constexpr auto events = IN_CREATE | IN_MODIFY | IN_MOVED_FROM;
    ALMANAC_CHECK(::inotify_add_watch(watch_.get(), folder.c_str(), events) >= 0);
  }
  void wait_for(int events) const {
    std::array<char, 4096> buffer;
    while (events > 0) {
      const auto size = ::read(watch_.get(), buffer.data(), buffer.size());
      ALMANAC_CHECK(size > 0);
      for (const char* at = buffer.data(); at < buffer.data() + size;) {
        inotify_event event;
        std::memcpy(&event, at, sizeof(event));
        at += sizeof(event);
        if (std::string_view(at).ends_with(".writing")) --events;
        at += event.len;
      }
    }
  }

 private:
  FileDescriptor watch_;
};

TEST_F(EngineCheckpoints, DoNotStopAnEngineWhenTheirDiskIsFull) {
  fs::create_directory(folder / "disk");
  const SmallDisk disk(folder / "disk", 1 * limits::mebibyte);
  fs::create_directory(disk.path() / "checkpoints");
  open({.checkpoints = {.write = false}});
  close();
  fs::create_directory_symlink(disk.path() / "checkpoints", checkpoints_folder(log_folder()));
  disk.fill();
  const UnfinishedWatch tries(disk.path() / "checkpoints");
  ::testing::internal::CaptureStderr();
  open({.checkpoints = {.events = 1, .period = 1ms, .events_at_stop = 1}});
  submit({.kind = "none"});
  tries.wait_for(3);
  submit({.kind = "none"});
  EXPECT_FALSE(engine->failure());
  flush_log();
  const auto said = ::testing::internal::GetCapturedStderr();
  const auto warning = said.find("a checkpoint could not be written and is tried again later");
  EXPECT_NE(warning, std::string::npos) << said;
  EXPECT_EQ(said.find("warning", warning), std::string::npos) << "it is said once: " << said;
  EXPECT_TRUE(kept().empty());
  disk.make_room();
  submit({.kind = "none"});
  close();
  EXPECT_EQ(begin_of_start(), end_of_log());
}

TEST_F(EngineCheckpoints, AreWholeOrAbsentHoweverOftenTheirWriterIsKilled) {
  const int rounds = std::getenv("ALMANAC_CAMPAIGN") != nullptr ? 300 : 25;
  open();
  close();
  fs::create_directory(checkpoints_folder(log_folder()));
  int unfinished = 0;
  for (int round = 0; round < rounds; ++round) {
    const UnfinishedWatch watch(checkpoints_folder(log_folder()));
    ChildProcess victim({program_path("checkpoint_victim"), log_folder(), "20000"});
    watch.wait_for(1 + round % 9);
    victim.kill(SIGKILL);
    EXPECT_EQ(victim.wait(), -SIGKILL);
    for (const auto& entry : fs::directory_iterator(checkpoints_folder(log_folder()))) {
      unfinished += entry.path().extension() == ".writing" ? 1 : 0;
    }
    for (const Position position : kept()) {
      EXPECT_TRUE(read_checkpoint(file(position))) << position.value;
    }
    (void)begin_of_start();
  }
  EXPECT_GE(unfinished * 5, rounds) << "too few were killed while they wrote";
  open();
  close();
  for (const auto& entry : fs::directory_iterator(checkpoints_folder(log_folder()))) {
    EXPECT_NE(entry.path().extension(), ".writing") << entry.path();
  }
}

}  // namespace
}  // namespace almanac::test
