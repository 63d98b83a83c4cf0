// The commands that look at the past, on a log of known events: the moments they take, what they
// print and what they refuse.
#include <almanac/tests/support/past_commands.h>
#include <almanac/tests/support/trimmed_log.h>

#include <almanac/log/log.h>
#include <almanac/snapshots/checkpoints.h>
#include <almanac/snapshots/rebuild.h>

#include <nlohmann/json.hpp>

#include <array>
#include <filesystem>

namespace almanac::test {
namespace {

using nlohmann::json;

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

TEST_F(PastCommands, WhyDrawsATreeOfCauses) {
  EXPECT_EQ(output({"why", "1", "--tree"}), golden("why_tree.txt"));
  auto story = output_json({"why", "1", "--tree"});
  EXPECT_EQ(story["causes"], json::array());
  ASSERT_EQ(story["caused"].size(), 1U);
  const auto& sum = story["caused"][0];
  EXPECT_EQ(sum["id"], 2);
  EXPECT_EQ(sum["link"], "unblocked");
  EXPECT_EQ(sum["position"], 8);
  EXPECT_EQ(sum["caused"][0]["id"], 3);
  EXPECT_EQ(sum["caused"][0]["link"], "doomed");
  EXPECT_FALSE(output_json({"why", "1"}).contains("caused"));
  EXPECT_EQ(output_json({"why", "1", "--tree", "--at", "10"})["caused"][0]["caused"], json::array())
      << "2 had not failed yet";
  auto cut = output_json({"why", "1", "--tree", "--depth", "1"});
  EXPECT_EQ(cut["caused"][0]["caused"], json::array());
  EXPECT_EQ(cut["caused"][0]["left_out"], 1);
}

// An order leads to task 1, which enqueues 2 and 3; 2 enqueues 4, which waits for 3 and enqueues 5.
std::vector<Event> caused_events() {
  const auto enqueued = [](std::uint64_t id, std::uint64_t causation, std::uint64_t correlation) {
    return Event{.at = sample_time(static_cast<int>(id)),
                 .correlation = Position(correlation),
                 .causation = Position(causation),
                 .body = TaskEnqueued{.id = TaskId(id), .kind = "work", .queue = "web"}};
  };
  static const std::vector<TaskId> third = {TaskId(3)};
  auto fourth = enqueued(4, 3, 2);
  std::get<TaskEnqueued>(fourth.body).dependencies = third;
  return {{.at = sample_time(0), .body = CustomEvent{.type = "order.placed", .data = {}}},
          enqueued(1, 1, 0),
          enqueued(2, 2, 1),
          enqueued(3, 0, 2),
          fourth,
          enqueued(5, 5, 0),
          {.at = sample_time(6), .body = TaskStarted{.id = TaskId(3), .attempt = 1}},
          {.at = sample_time(7), .body = TaskSucceeded{.id = TaskId(3), .lease = Lease(7)}}};
}

TEST_F(PastCommands, WhyFollowsCausesBothWays) {
  write_frames(folder_ / "caused", {caused_events()});
  auto root = output_json({"why", "1", "--tree", "--dir", "caused"});
  EXPECT_EQ(root["causes"], (json::array({{{"position", 1}, {"type", "custom"}}})));
  ASSERT_EQ(root["caused"].size(), 2U);
  EXPECT_EQ(root["caused"][0]["id"], 2);
  EXPECT_EQ(root["caused"][1]["id"], 3) << "whose story began with 1";
  EXPECT_EQ(root["caused"][0]["caused"][0]["id"], 4) << "of its causation, not its correlation";
  const auto again = root["caused"][1]["caused"][0];
  EXPECT_EQ(again["id"], 4);
  EXPECT_EQ(again["link"], "unblocked");
  EXPECT_EQ(again["repeated"], true);
  EXPECT_EQ(again["caused"], json::array()) << "it stands below 2 already";
  auto leaf = output_json({"why", "4", "--tree", "--dir", "caused"});
  ASSERT_EQ(leaf["causes"].size(), 3U);
  EXPECT_EQ(leaf["causes"][0]["position"], 1);
  EXPECT_EQ(leaf["causes"][2]["task"], 2);
  EXPECT_EQ(leaf["caused"][0]["id"], 5);
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

TEST_F(PastCommands, TellByWhichImplementationAnAttemptWasRun) {
  static constexpr std::array implementations = {RankedImplementation{"remote", 1},
                                                 RankedImplementation{"local", 1}};
  const std::vector<EventBody> bodies = {
      EngineStarted{.version = "0.1.0", .process_id = 7, .slots = 2, .seed = 1},
      ImplementationsSet{"ask", ImplementationListView(implementations)},
      TaskEnqueued{.id = TaskId(1), .kind = "ask", .queue = "web"},
      TaskStarted{.id = TaskId(1), .attempt = 1, .implementation = "remote"},
      TaskFailedOver{.id = TaskId(1),
                     .lease = Lease(4),
                     .from = "remote",
                     .to = "local",
                     .end = {.status = AttemptStatus::error, .message = "down"}},
      ImplementationLeft{"ask", "remote", "down"}};
  std::vector<Event> events;
  for (const EventBody& body : bodies) {
    events.push_back({.at = sample_time(static_cast<int>(events.size())), .body = body});
  }
  write_frames(folder_ / "fallback", {events});
  const auto history = output({"history", "1", "--dir", "fallback"});
  EXPECT_NE(history.find("attempt 1 began by remote"), std::string::npos) << history;
  EXPECT_NE(history.find("remote failed: down; local goes on"), std::string::npos) << history;
  EXPECT_EQ(output_json({"show", "1", "--dir", "fallback"})["run_by"], "local");
  const auto changes = output_json({"diff", "5", "6", "--dir", "fallback"})["changes"];
  EXPECT_EQ(changes["implementations"]["ask 1"]["left"], (json::array({0, 6})));
}

TEST_F(PastCommands, TellAtWhichWorkerAnAttemptRuns) {
  const std::vector<EventBody> bodies = {
      EngineStarted{.version = "0.1.0", .process_id = 7, .slots = 2, .seed = 1},
      TaskEnqueued{.id = TaskId(1), .kind = "render", .queue = "web"},
      TaskStarted{.id = TaskId(1),
                  .attempt = 1,
                  .worker = "render-1",
                  .lease_time = std::chrono::seconds(30)},
      TaskHandedBack{
          .id = TaskId(1),
          .lease = Lease(3),
          .reason = HandBackReason::silent,
          .crashes = 1,
          .end = {.status = AttemptStatus::crashed, .message = "worker \"render-1\" was silent"}}};
  std::vector<Event> events;
  for (const EventBody& body : bodies) {
    events.push_back({.at = sample_time(static_cast<int>(events.size())), .body = body});
  }
  write_frames(folder_ / "elsewhere", {events});
  const auto history = output({"history", "1", "--dir", "elsewhere"});
  EXPECT_NE(history.find("attempt 1 began at worker render-1"), std::string::npos) << history;
  EXPECT_NE(history.find("its worker was silent (crash 1)"), std::string::npos) << history;
  const auto shown = output_json({"show", "1", "--dir", "elsewhere", "--at", "3"});
  EXPECT_EQ(shown["worker"], "render-1");
  EXPECT_EQ(shown["lease_time"], "30s");
  const std::string where = R"(worker == "render-1")";
  const auto listed = output_json({"list", "--dir", "elsewhere", "--at", "3", "--where", where});
  EXPECT_EQ(listed["id"], 1);
  EXPECT_EQ(listed["worker"], "render-1");
  const auto changes = output_json({"diff", "2", "3", "--dir", "elsewhere"})["changes"];
  EXPECT_EQ(changes["workers"]["1"]["worker"], (json::array({nullptr, "render-1"})));
  EXPECT_EQ(output_json({"show", "1", "--dir", "elsewhere"}).contains("worker"), false);
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

// The front is gone, and a checkpoint holds the state there was.
TEST_F(PastCommands, BeginWhereATrimmedLogDoes) {
  write_trimmed(folder_ / "trimmed", told_events(), Position(5));
  {
    auto whole = Log::open(folder_ / "log", {.access = Access::read});
    auto log = Log::open(folder_ / "trimmed", {.access = Access::read});
    auto state = rebuild(**whole, {.through = Position(6)});
    ASSERT_TRUE(keep_checkpoint(**log, folder_ / "trimmed", *state));
  }
  const auto on = [&](Words words) {
    words.insert(words.end(), {"--dir", "trimmed"});
    return words;
  };
  auto early = run(on({"diff", "0", "9"}));
  EXPECT_EQ(early.code, 7);
  EXPECT_EQ(early.errors,
            "almanac: the log begins at position 6: what happened before was removed\n"
            "  name a moment from position 6 on\n");
  for (const Words& between : {Words{"diff", "5", "9"}, Words{"list", "--at", "5"}}) {
    const auto refused = run(on(between));
    EXPECT_EQ(refused.code, 7) << refused.errors;
    EXPECT_NE(refused.errors.find("name a moment from position 6 on"), std::string::npos)
        << refused.errors;
  }
  EXPECT_EQ(run(on({"diff", "6", "9"})).output, output({"diff", "6", "9"}));
  EXPECT_EQ(output_json(on({"bisect", "--when", "tasks.failed > 0"}))["position"], 15);
  EXPECT_EQ(run(on({"bisect", "--from", "2", "--when", "tasks.failed > 0"})).code, 7);
  EXPECT_EQ(lines_of(output(on({"replay", "--json"}))).size(), 10U) << "7 to 16";
  std::filesystem::remove_all(folder_ / "trimmed/checkpoints");
  auto lost = run(on({"bisect", "--when", "tasks.failed > 0"}));
  EXPECT_EQ(lost.code, 7);
  EXPECT_NE(lost.errors.find("only be rebuilt from a checkpoint"), std::string::npos);
}

TEST_F(PastCommands, ForkSaysWhatItMadeAndWhereItCameFrom) {
  auto made = output_json({"fork", "--at", "9", "--to", "try"});
  EXPECT_EQ(made["origin"]["position"], 9);
  EXPECT_EQ(made["cancelled"], 1);
  EXPECT_EQ(made["requeued"], 0);
  EXPECT_EQ(made["last"], 12) << "told to stop, cancelled, the engine stopped";
  const auto stat = output_json({"log", "stat", "--dir", "try"});
  EXPECT_EQ(stat["timeline"], made["timeline"]);
  EXPECT_EQ(stat["origin"], made["origin"]);
  EXPECT_EQ(stat["origin"]["timeline"], output_json({"log", "stat"})["timeline"]);
  EXPECT_FALSE(output_json({"log", "stat"}).contains("origin"));
  EXPECT_EQ(output_json({"state", "digest", "--at", "9", "--dir", "try"})["digest"],
            output_json({"state", "digest", "--at", "9"})["digest"]);
  const auto story = output_json({"why", "2", "--dir", "try"});
  EXPECT_EQ(story["steps"].back()["sentence"],
            "cancelled: it was running when the log was forked at position 9");
  EXPECT_EQ(run({"log", "export", "--dir", "try", "--output", "try.jsonl"}).code, 0);
  EXPECT_EQ(run({"log", "import", "--dir", "copy", "try.jsonl"}).code, 0);
  EXPECT_EQ(output_json({"log", "stat", "--dir", "copy"})["origin"], made["origin"]);
}

TEST_F(PastCommands, ForkRefusesWithoutATrace) {
  EXPECT_EQ(run({"fork"}).code, 2);
  EXPECT_EQ(run({"fork", "--to", "try", "--running", "maybe"}).code, 2);
  EXPECT_EQ(run({"fork", "--to", "try", "--at", "17"}).code, 3);
  EXPECT_EQ(run({"fork", "--to", "log"}).code, 4);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "try"));
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
