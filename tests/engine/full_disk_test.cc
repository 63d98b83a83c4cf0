// A disk that is really full: what runs ends on it, nothing begins, and work goes on by itself when
// there is room.
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/gate.h>
#include <almanac/tests/support/small_disk.h>

#include <nlohmann/json.hpp>

namespace almanac::test {
namespace {

class FullDisk : public EngineTest {
 protected:
  FullDisk() {
    std::filesystem::create_directory(folder / "disk");
    disk.emplace(folder / "disk", 32 * limits::mebibyte);
    std::filesystem::create_directory(disk->path() / "log");
    std::filesystem::create_directory_symlink(disk->path() / "log", log_folder());
  }
  void leave(std::size_t bytes) const {
    disk->fill();
    auto filler = disk->path() / "filler";
    std::filesystem::resize_file(filler, std::filesystem::file_size(filler) - bytes);
  }
  // Until the engine has been told so too.
  void fill() {
    disk->fill();
    auto filling = [&] {
      return engine->submit({.kind = "none", .payload = std::string(16 * limits::kibibyte, 'x')});
    };
    auto submitted = filling();
    while (submitted) submitted = filling();
    EXPECT_EQ(submitted.error().code, ErrorCode::storage_full) << describe(submitted.error());
  }
  // What another process reads in the log.
  std::string state_on_disk(TaskId id) const {
    auto shown = run_almanac(
        {.arguments = {"show", std::to_string(id.value), "--dir", log_folder().string(), "--json"},
         .folder = folder.path(),
         .input = {}});
    EXPECT_EQ(shown.code, 0) << shown.errors;
    auto json = nlohmann::json::parse(shown.output, nullptr, false);
    return json.is_object() ? json.value("state", "") : shown.output;
  }

  std::optional<SmallDisk> disk;
};

TEST_F(FullDisk, TakesTheEndsOfAllThatRuns) {
  constexpr std::size_t count = 12;
  open({.slots = count});
  Gate gate;
  engine->handle("work", [&](const Attempt&) {
    gate.pass();
    return almanac::Outcome::success(std::string(limits::output_bytes_default, 'x'));
  });
  std::vector<TaskId> tasks;
  for (std::size_t i = 0; i < count; ++i) tasks.push_back(submit({.kind = "work"}));
  TaskId next = submit({.kind = "work"});
  gate.wait_for_arrivals(count);
  fill();
  gate.open();
  for (TaskId id : tasks) wait_for(id, TaskState::succeeded);
  for (TaskId id : tasks) EXPECT_EQ(state_on_disk(id), "succeeded");
  EXPECT_EQ(state_on_disk(next), "ready");
  EXPECT_EQ(gate.arrivals(), count);
}

TEST_F(FullDisk, LetsWorkGoOnByItselfWhenThereIsRoom) {
  open();
  Gate gate;
  engine->handle("work", [&](const Attempt&) {
    gate.pass();
    return almanac::Outcome::success();
  });
  TaskId first = submit({.kind = "work"});
  TaskId second = submit({.kind = "work", .dependencies = {first}});
  gate.wait_for_arrivals(1);
  fill();
  gate.open();
  wait_for(first, TaskState::succeeded);
  EXPECT_FALSE(engine->has_room());
  disk->make_room();
  wait_for(second, TaskState::succeeded);
  EXPECT_TRUE(engine->has_room());
  wait_for(submit({.kind = "work"}), TaskState::succeeded);
  EXPECT_EQ(gate.arrivals(), 3U);
}

// The largest output there may be has its end in one piece.
TEST_F(FullDisk, TakesTheEndWithTheLargestOutput) {
  open({.output_bytes_max = limits::output_bytes_max - limits::message_bytes_max});
  Gate gate;
  engine->handle("work", [&](const Attempt&) {
    gate.pass();
    return almanac::Outcome::success(
        std::string(limits::output_bytes_max - limits::message_bytes_max, 'x'));
  });
  TaskId id = submit({.kind = "work"});
  gate.wait_for_arrivals(1);
  fill();
  gate.open();
  wait_for(id, TaskState::succeeded);
  EXPECT_EQ(state_on_disk(id), "succeeded");
}

TEST_F(FullDisk, LetsFewRunWhereThereIsNoRoomForTheEndsOfAll) {
  leave(6 * limits::mebibyte);
  open({.output_bytes_max = 1 * limits::mebibyte});
  std::vector<TaskId> tasks;
  for (int i = 0; i < 4; ++i) tasks.push_back(submit({.kind = "work"}));
  engine->handle("work", [](const Attempt&) { return almanac::Outcome::success(); });
  for (TaskId id : tasks) wait_for(id, TaskState::succeeded);
}

TEST_F(FullDisk, TakesNothingToRunThatHasNoRoomForItsEnd) {
  leave(4 * limits::mebibyte);
  open_on_manual_clock({.output_bytes_max = limits::output_bytes_max});
  std::atomic<int> runs = 0;
  engine->handle("work", [&](const Attempt&) {
    ++runs;
    return almanac::Outcome::success();
  });
  TaskId kept = submit({.kind = "none"});
  auto refused = engine->submit({.kind = "work"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::storage_full) << describe(refused.error());
  disk->make_room();
  advance(limits::storage_retry_interval);
  TaskId taken = submit({.kind = "work"});
  wait_for(taken, TaskState::succeeded);
  EXPECT_EQ(task(kept).state, TaskState::ready);
  EXPECT_EQ(runs, 1);
}

// What waits cannot be written again then. What nobody needs can go where a few pages are left, and
// that is room.
TEST_F(FullDisk, IsTrimmedAsFarAsThatTakesLittleRoom) {
  const auto open_again = [&] {
    open({.checkpoints = {.events_at_stop = 1}});
    engine->handle("work", [](const Attempt&) { return almanac::Outcome::success(); });
  };
  open_again();
  for (int i = 0; i < 100; ++i) {
    submit({.kind = "work", .payload = std::string(64 * limits::kibibyte, 'x')});
  }
  wait_until_all_ended();
  const TaskId old = submit({.kind = "later"});
  const Position needed = task(old).enqueued;
  for (int i = 0; i < 2; ++i) open_again();
  fill();
  leave(512 * limits::kibibyte);
  const auto trimmed = engine->trim({.before = Position(UINT64_MAX)});
  ASSERT_TRUE(trimmed.has_value()) << describe(trimmed.error());
  EXPECT_GE(trimmed->log.events, 100U);
  EXPECT_LE(trimmed->log.first, task(old).enqueued);
  EXPECT_GE(task(old).enqueued, needed);
  open_again();
  wait_until_ended(submit({.kind = "work"}));
  close();
}

}  // namespace
}  // namespace almanac::test
