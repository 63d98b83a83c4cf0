// `almanac snapshot follow` beside a writer: in a process of its own, as it is run.
#include <almanac/snapshots/archive_verify.h>
#include <almanac/snapshots/archived_log.h>
#include <almanac/snapshots/checkpoint.h>
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>
#include <almanac/tools/exit_code.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Clock = std::chrono::steady_clock;

class SnapshotFollow : public testing::Test {
 protected:
  using Words = std::vector<std::string>;

  void append(std::size_t count = 3) {
    ASSERT_TRUE((*log)->append_and_wait(numbered_events(end.value + 1, count)));
    end = Position(end.value + count);
  }
  [[nodiscard]] std::unique_ptr<ChildProcess> follow(const Words& more = {}) const {
    Words words = {almanac_path(), "snapshot", "follow",  "--dir", (folder / "log").string(),
                   "-r",           store(),    "--every", "10ms",  "--json"};
    words.insert(words.end(), more.begin(), more.end());
    return std::make_unique<ChildProcess>(words);
  }
  // What it tells once it has archived all there is.
  json read_through_end(ChildProcess& child) const {
    while (true) {
      const std::string line = child.read_line();
      auto told = json::parse(line, nullptr, false);
      if (!told.is_object()) ADD_FAILURE() << line;
      if (!told.is_object() || told["archived"] == end.value) return told;
    }
  }
  [[nodiscard]] CommandOutput snapshot(Words words) const {
    words.insert(words.begin(), "snapshot");
    words.insert(words.end(), {"-r", store()});
    return run_almanac({.arguments = std::move(words), .folder = folder.path(), .input = {}});
  }
  [[nodiscard]] std::string store() const { return (folder / "backup").string(); }
  [[nodiscard]] NewestArchived newest() const {
    const auto from = Repository::open(store(), Access::read);
    auto found = find_newest(*from, (*log)->timeline());
    EXPECT_TRUE(found) << describe(found.error());
    return std::move(*found);
  }
  void expect_whole() const {
    auto verified = verify_archive(*Repository::open(store(), Access::read), {});
    ASSERT_TRUE(verified);
    EXPECT_TRUE(verified->whole());
    const LogTail archived = newest().joined().tail;
    EXPECT_EQ(chain_at(**log, archived.last), archived.digest);
  }

  TempFolder folder;
  Position end;
  std::unique_ptr<TestLog> log = std::make_unique<TestLog>(folder / "log");
};

TEST_F(SnapshotFollow, ArchivesALogWhoseWriterComesAndGoes) {
  append();
  const auto child = follow();
  for (int i = 0; i < 4; ++i) {
    const auto told = read_through_end(*child);
    EXPECT_EQ(told["loss_window_us"], 0);
    EXPECT_EQ(told["failures"], 0);
    log.reset();
    log = std::make_unique<TestLog>(folder / "log");
    append();
  }
  read_through_end(*child);
  append();
  child->kill(SIGINT);
  EXPECT_EQ(read_through_end(*child)["snapshot"], 1) << "what is left at its end is archived";
  EXPECT_EQ(child->wait(), 0);
  expect_whole();
}

TEST_F(SnapshotFollow, GoesOnBesideOtherCommands) {
  append();
  const auto child = follow();
  read_through_end(*child);
  append();
  read_through_end(*child);
  const auto listed = snapshot({"list"});
  EXPECT_NE(listed.output.find("\nbehind snapshot 1: positions 4 to 6, "), std::string::npos)
      << listed.output;
  EXPECT_NE(listed.output.find("\nfollowed: all was well "), std::string::npos) << listed.output;
  const auto lines = lines_of(snapshot({"list", "--json"}).output);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_TRUE(json::parse(lines[1]).contains("looked_at"));
  const auto tail = json::parse(lines.back());
  EXPECT_EQ(tail["last"], 6);
  EXPECT_EQ(tail["whole"], true);
  const auto verified = snapshot({"verify"});
  EXPECT_NE(verified.output.find("\ntail of log "), std::string::npos) << verified.output;
  const auto plan = snapshot({"restore", "--dry-run", "--to", "restored"});
  EXPECT_EQ(plan.output.find("snapshot  1 and its tail, made at "), 0U) << plan.output;
  for (int i = 0; i < 3; ++i) {
    append();
    EXPECT_EQ(snapshot({"create", "--dir", "log"}).code, 0);
    EXPECT_EQ(snapshot({"prune", "--keep-last", "1"}).code, 0);
  }
  append();
  EXPECT_EQ(read_through_end(*child)["snapshot"], 4);
  EXPECT_EQ(snapshot({"restore", "--at", "17", "--to", "restored"}).code, 0);
  expect_whole();
}

// Where it is killed is a matter of chance: between a segment and its tail, in a merge, in a
// snapshot.
TEST_F(SnapshotFollow, LosesNothingItHasArchivedWhenItIsKilled) {
  append();
  read_through_end(*follow());
  std::atomic<bool> ending = false;
  std::jthread writer([&] {
    while (!ending) append(1);
  });
  std::mt19937_64 random(4'711);
  Position archived = newest().joined().tail.last;
  for (int round = 0; round < 25; ++round) {
    const auto child = follow({"--snapshot-every", "1ms"});
    for (auto lines = random() % 4; lines > 0; --lines) child->read_line();
    const auto moment = Clock::now() + std::chrono::microseconds(random() % 30'000);
    while (Clock::now() < moment) std::this_thread::yield();
    child->kill(SIGKILL);
    EXPECT_EQ(child->wait(), -SIGKILL);
    const Position now = newest().joined().tail.last;
    EXPECT_GE(now, archived);
    archived = now;
    expect_whole();
  }
  ending = true;
  writer.join();
  const auto child = follow();
  read_through_end(*child);
  child->kill(SIGTERM);
  EXPECT_EQ(child->wait(), 0);
  expect_whole();
}

TEST_F(SnapshotFollow, TellsWhatIsWrongAtOnce) {
  const Words begin = {"follow", "--dir", "log"};
  auto code = [&](Words words) {
    words.insert(words.begin(), begin.begin(), begin.end());
    return ExitCode(snapshot(words).code);
  };
  EXPECT_EQ(code({"--every", "1ms"}), ExitCode::usage);
  EXPECT_EQ(code({"--every", "10"}), ExitCode::usage);
  EXPECT_EQ(code({"--bytes", "many"}), ExitCode::usage);
  EXPECT_EQ(ExitCode(snapshot({"follow", "--dir", "none"}).code), ExitCode::not_found);
  EXPECT_FALSE(fs::exists(store()));
}

}  // namespace
}  // namespace almanac::test
