// The command on a disk that fills up while tasks run, and that kills it then.
#include <almanac/log/limits.h>
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/process_watch.h>
#include <almanac/tests/support/small_disk.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <optional>

namespace almanac::test {
namespace {

constexpr int held_tasks = 6;

// Six tasks run until they are told to go on, and leave as much output as is kept; one runs as long
// as the command does, so that it can be killed.
class RunOnAFullDisk : public testing::Test {
 protected:
  RunOnAFullDisk() : arrived_(folder_ / "arrived"), never_(folder_ / "never") {
    std::filesystem::create_directory(folder_ / "disk");
    disk_.emplace(folder_ / "disk", 32 * limits::mebibyte);
    log_ = disk_->path() / "log";
    std::string lines;
    for (int i = 0; i < held_tasks; ++i) {
      releases_.push_back(std::make_unique<NamedPipe>(folder_ / ("release-" + std::to_string(i))));
      lines += task("echo ran >> " + runs_of(i) + "; echo here > " + arrived_.path() +
                    "; read word < " + releases_.back()->path() + "; head -c 70000 /dev/zero");
    }
    lines += task("echo here > " + arrived_.path() + "; exec cat " + never_.path());
    write_file(folder_ / "w.jsonl", lines);
  }

  static std::string task(const std::string& script) {
    static int number = 0;
    return nlohmann::json{{"name", "task-" + std::to_string(++number)}, {"shell", script}}.dump() +
           "\n";
  }
  [[nodiscard]] std::string runs_of(int task) const {
    return folder_ / ("runs-" + std::to_string(task));
  }
  [[nodiscard]] CommandOutput almanac(std::vector<std::string> words) const {
    auto end = std::ranges::find(words, "--");
    words.insert(end, {"--dir", log_.string()});
    return run_almanac({.arguments = std::move(words), .folder = folder_.path(), .input = {}});
  }
  [[nodiscard]] std::string state_of(int id) const {
    auto shown = almanac({"show", std::to_string(id), "--json"});
    auto json = nlohmann::json::parse(shown.output, nullptr, false);
    return json.is_object() ? json.value("state", "") : shown.errors;
  }
  // Fills the disk while all seven run, lets six end and kills the command.
  void run_and_kill() {
    ChildProcess run({almanac_path(), "run", (folder_ / "w.jsonl").string(), "--slots",
                      std::to_string(held_tasks + 1), "--dir", log_.string()});
    for (int i = 0; i <= held_tasks; ++i) ASSERT_EQ(arrived_.read_line(), "here");
    disk_->fill();
    for (const auto& release : releases_) std::ofstream(release->path()) << "go\n";
    for (int ended = 0; ended < held_tasks;) {
      auto line = run.read_line();
      ASSERT_NE(line, "(end)");
      if (line.starts_with("succeeded")) ++ended;
    }
    run.kill(SIGKILL);
    EXPECT_EQ(run.wait(), -SIGKILL);
  }

  TempFolder folder_;
  std::optional<SmallDisk> disk_;
  std::filesystem::path log_;
  NamedPipe arrived_;
  NamedPipe never_;
  std::vector<std::unique_ptr<NamedPipe>> releases_;
};

TEST_F(RunOnAFullDisk, HasTheEndsOfItsTasksOnDiskWhenItIsKilled) {
  run_and_kill();
  for (int id = 1; id <= held_tasks; ++id) EXPECT_EQ(state_of(id), "succeeded");
  EXPECT_EQ(state_of(held_tasks + 1), "running");
}

// What the reserve of the dead has left is free for those who come first, and then there is no
// more.
TEST_F(RunOnAFullDisk, LeavesALogThatTakesNoMoreSubmissionsUntilThereIsRoom) {
  run_and_kill();
  const std::vector<std::string> submit{"submit", "--", "/bin/true", std::string(100'000, 'x')};
  auto refused = almanac(submit);
  while (refused.code == 0) refused = almanac(submit);
  EXPECT_EQ(refused.code, 9) << refused.errors;
  EXPECT_EQ(refused.output, "");
  EXPECT_EQ(state_of(1), "succeeded");
  disk_->make_room();
  EXPECT_EQ(almanac({"submit", "--", "/bin/true"}).code, 0);
}

TEST_F(RunOnAFullDisk, RunsNothingAgainThatHasEndedThere) {
  run_and_kill();
  disk_->make_room();
  std::ofstream(never_.path()) << "\n";
  std::filesystem::remove(never_.path());  // so that the last task ends
  (void)almanac({"run"});
  for (int i = 0; i < held_tasks; ++i) EXPECT_EQ(read_file(runs_of(i)), "ran\n");
  for (int id = 1; id <= held_tasks; ++id) EXPECT_EQ(state_of(id), "succeeded");
  EXPECT_NE(state_of(held_tasks + 1), "running");
}

}  // namespace
}  // namespace almanac::test
