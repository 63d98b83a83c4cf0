// The commands that look at the past, on a log of known events: the moments they take, what they
// print and what they refuse.
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/log_commands.h>
#include <almanac/tests/support/temp_folder.h>

#include <almanac/tools/text.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

AttemptEnd broken_end() {
  return {.status = AttemptStatus::exited, .code = 3, .message = "exit code 3"};
}

// An engine of one slot and queues with limits; task 2 needs 1 and fails at its second attempt,
// which dooms 3; 4 has to wait for its queue. One event a minute from 10:00 on.
std::vector<Event> told_events() {
  static const std::vector<TaskId> first = {TaskId(1)};
  static const std::vector<TaskId> second = {TaskId(2)};
  const auto task = [](std::uint64_t id, std::string_view label) {
    return TaskEnqueued{
        .id = TaskId(id), .kind = "work", .queue = "web", .label = label, .attempts_max = 2};
  };
  auto sum = task(2, "sum");
  sum.dependencies = first;
  auto report = task(3, "report");
  report.dependencies = second;
  const std::vector<EventBody> bodies = {
      EngineStarted{.version = "0.1.0", .process_id = 7, .slots = 2, .seed = 1},
      QueueConfigured{.queue = "web", .slots = 1},
      task(1, "fetch"),
      sum,
      report,
      task(4, "other"),
      TaskStarted{.id = TaskId(1), .attempt = 1},
      TaskSucceeded{.id = TaskId(1), .lease = Lease(7)},
      TaskStarted{.id = TaskId(2), .attempt = 1},
      TaskAttemptFailed{
          .id = TaskId(2), .lease = Lease(9), .retry_at = sample_time(11), .end = broken_end()},
      TaskStarted{.id = TaskId(4), .attempt = 1},
      TaskReadied{.id = TaskId(2)},
      TaskSucceeded{.id = TaskId(4), .lease = Lease(11)},
      TaskStarted{.id = TaskId(2), .attempt = 2},
      TaskFailed{.id = TaskId(2), .lease = Lease(14), .end = broken_end()},
      EngineStopped{}};
  std::vector<Event> events;
  for (const EventBody& body : bodies) {
    events.push_back({.at = sample_time(static_cast<int>(events.size())), .body = body});
  }
  return events;
}

class PastCommands : public testing::Test {
 protected:
  PastCommands() { write_frames(folder_ / "log", {told_events()}); }

  Outcome run(Words words) {
    return run_almanac({.arguments = std::move(words),
                        .folder = folder_.path(),
                        .environment = {{"ALMANAC_DIR", "log"}}});
  }
  std::string output(Words words) {
    auto done = run(std::move(words));
    EXPECT_EQ(done.code, 0) << done.errors;
    EXPECT_EQ(done.errors, "");
    for (const auto& line : lines_of(done.output)) {
      EXPECT_TRUE(line.starts_with('{') || columns(line) <= 80) << line;
    }
    return done.output;
  }
  json output_json(Words words) {
    words.emplace_back("--json");
    return json::parse(output(words), nullptr, false);
  }
  static std::string golden(const std::string& name) {
    return read_file(std::filesystem::path(std::getenv("ALMANAC_SOURCE_DIR")) /
                     "tests/tools/golden" / name);
  }

  TempFolder folder_;
};

TEST_F(PastCommands, WhyTellsEveryWaitAndAttempt) {
  EXPECT_EQ(output({"why", "2"}), golden("why_sum.txt"));
  EXPECT_EQ(output({"why", "3"}), golden("why_report.txt"));
  EXPECT_EQ(output({"why", "4"}), golden("why_other.txt"));
}

TEST_F(PastCommands, WhySaysWhyATaskDidNotRunThen) {
  auto story = output_json({"why", "4", "--at", "9"});
  EXPECT_EQ(story["steps"].back()["wait"], "queue_limit");
  EXPECT_FALSE(story["steps"].back().contains("until"));
  story = output_json({"why", "3", "--at", "2026-11-21T10:14:30Z"});
  EXPECT_EQ(story["steps"].back()["wait"], "doomed");
  EXPECT_EQ(story["steps"].back()["position"], 15);
  EXPECT_EQ(output_json({"why", "1"})["unblocked"], json::array({2}));
  EXPECT_EQ(output_json({"why", "2"})["doomed"], json::array({3}));
}

TEST_F(PastCommands, DiffShowsWhatChanged) {
  EXPECT_EQ(output({"diff", "8", "15"}), golden("diff.txt"));
  EXPECT_EQ(output({"diff", "0", "6"}), golden("diff_from_nothing.txt"));
  auto changes = output_json({"diff", "9", "10"})["changes"];
  EXPECT_EQ(changes["tasks"]["2"]["state"], (json::array({"running", "delayed"})));
  EXPECT_EQ(changes.size(), 1U);
  EXPECT_EQ(output_json({"diff", "9", "9"})["changes"], json::object());
}

TEST_F(PastCommands, HistoryShowsTheTasksOwnEvents) {
  auto lines = lines_of(output({"history", "2"}));
  ASSERT_EQ(lines.size(), 7U);
  EXPECT_EQ(lines[2], "9         2026-11-21T10:08:00.000Z  +5m00s  attempt 1 began");
  EXPECT_EQ(lines_of(output({"history", "2", "--at", "9"})).size(), 3U);
  EXPECT_EQ(run({"history", "2", "--at", "3"}).code, 3);
}

TEST_F(PastCommands, BisectFindsTheFirstPosition) {
  EXPECT_EQ(output_json({"bisect", "--when", "tasks.failed > 0"})["position"], 15);
  EXPECT_EQ(output_json({"bisect", "--when", "exists(id == 4 && attempts > 0)"})["position"], 11);
  EXPECT_EQ(run({"bisect", "--when", "tasks.total >= 0"}).code, 7) << "holds at the start";
  EXPECT_EQ(run({"bisect", "--when", "tasks.failed > 5"}).code, 3);
  auto wrong = run({"bisect", "--when", "tasks.faild > 5"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_EQ(wrong.errors,
            "almanac: column 1: there is no name 'tasks.faild'; did you mean 'tasks.failed'?\n"
            "  tasks.faild > 5\n"
            "  ^\n");
}

TEST_F(PastCommands, TakesPositionsAndTimes) {
  const auto position = [&](const char* at) {
    return output_json({"state", "digest", "--at", at})["position"];
  };
  EXPECT_EQ(position("7"), 7);
  EXPECT_EQ(position("0"), 0);
  EXPECT_EQ(position("2026-11-21T10:06:00Z"), 7) << "the event of that time is in it";
  EXPECT_EQ(position("2026-11-21T10:06:59Z"), 7);
  EXPECT_EQ(position("2226-11-21T10:06:59Z"), 16);
  EXPECT_EQ(run({"list", "--at", "17"}).code, 3);
  EXPECT_EQ(run({"list", "--at", "99999999999999999999999"}).code, 3);
  EXPECT_EQ(run({"list", "--at", "2026-11-21T09:59:59Z"}).code, 3);
  EXPECT_EQ(run({"list", "--at", "yesterday"}).code, 2);
}

TEST_F(PastCommands, ListAndQueuesShowTheMoment) {
  EXPECT_EQ(output_json({"list", "--where", "state == \"delayed\"", "--at", "10"})["id"], 2);
  EXPECT_EQ(output({"list", "--where", "state == \"delayed\""}), "no tasks match\n");
  auto queue = output_json({"queues", "--at", "9"});
  EXPECT_EQ(queue["slots"], 1);
  EXPECT_EQ(queue["running"], 1);
  EXPECT_EQ(queue["waiting"], 1);
  EXPECT_EQ(output_json({"show", "2", "--at", "9"})["state"], "running");
}

TEST_F(PastCommands, VerifyFindsAnEventThatContradictsTheState) {
  EXPECT_EQ(output_json({"state", "verify"})["sound"], true);
  write_frames(folder_ / "odd", {{{.at = sample_time(0), .body = TaskReadied{TaskId(9)}}}});
  auto done = run({"state", "verify", "--dir", "odd"});
  EXPECT_EQ(done.code, 6);
  EXPECT_NE(done.output.find("1 event contradicted the state"), std::string::npos);
}

}  // namespace
}  // namespace almanac::test
