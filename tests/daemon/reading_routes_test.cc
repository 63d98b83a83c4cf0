// What the page reads: each route says what the command of the same name prints with --json.
#include <almanac/tests/daemon/daemon_fixture.h>
#include <almanac/tests/support/almanac_command.h>

#include <string>
#include <vector>

namespace almanac::test {
namespace {

using nlohmann::json;

class ReadingRoutes : public DaemonTest {
 protected:
  // Four tasks that end, in all ways there are, and one that waits for ever.
  void work() {
    open();
    submit(R"({"shell": "echo one", "queue": "web", "owner": "ann"})");
    submit(R"({"shell": "exit 3", "queue": "mail", "attempts": 2, "backoff": "1ms"})");
    submit(R"({"kind": "nobody", "queue": "mail", "label": "waits", "owner": "bob"})");
    wait_for([](const State& state) {
      return state.tasks.count(TaskState::succeeded) == 1 &&
             state.tasks.count(TaskState::failed) == 1;
    });
    at = daemon->engine().state()->position.value;
  }
  void wait_for(const std::function<bool(const State&)>& holds) {
    ASSERT_TRUE(daemon->engine().wait(holds, std::chrono::minutes(1)));
  }

  json get(const std::string& target, int status = 200) {
    const HttpAnswer answer = client().ask("GET", target);
    EXPECT_EQ(answer.status, status) << target << ": " << answer.body;
    return answer.json();
  }
  // What a command prints, each line as an item.
  json lines(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--dir", log_folder().string(), "--json"});
    const CommandOutput output = run_almanac({.arguments = arguments, .folder = folder.path()});
    EXPECT_EQ(output.code, 0) << output.errors;
    json items = json::array();
    for (const std::string& line : lines_of(output.output)) items.push_back(json::parse(line));
    return items;
  }
  [[nodiscard]] std::string now() const { return std::to_string(at); }

  std::uint64_t at = 0;  // where the work had ended
};

TEST_F(ReadingRoutes, SayOfTasksWhatTheCommandsSay) {
  work();
  EXPECT_EQ(get("/v1/tasks/2/why?at=" + now()), lines({"why", "2", "--at", now()})[0]);
  EXPECT_EQ(get("/v1/tasks/2/why?tree=true&at=" + now()),
            lines({"why", "2", "--tree", "--at", now()})[0]);
  const json history = get("/v1/tasks/2/history");
  EXPECT_EQ(history["items"], lines({"history", "2"}));
  EXPECT_EQ(history["items"].size(), 6U);  // enqueued, and begun and ended twice, and readied
  EXPECT_EQ(get("/v1/stats?at=" + now())["items"], lines({"stats", "--at", now()}));
  EXPECT_EQ(get("/v1/stats?by=owner&since=3&at=" + now())["items"],
            lines({"stats", "--by", "owner", "--since", "3", "--at", now()}));
  const json next = get("/v1/recommend?at=" + now());
  EXPECT_EQ(next["items"], lines({"recommend", "--at", now()}));
  EXPECT_EQ(next["items"][0]["label"], "waits");
  EXPECT_EQ(get("/v1/recommend?owner=ann")["items"].size(), 0U);
  EXPECT_EQ(get("/v1/recommend?queue=mail&limit=1")["items"].size(), 1U);
}

TEST_F(ReadingRoutes, PageThroughAHistory) {
  work();
  const json all = get("/v1/tasks/2/history")["items"];
  json paged = json::array();
  std::string next = "0";
  for (std::size_t pages = 0; pages < all.size(); ++pages) {
    const json page = get("/v1/tasks/2/history?limit=2&page=" + next);
    paged.insert(paged.end(), page["items"].begin(), page["items"].end());
    if (page["next"].is_null()) break;
    next = page["next"];
  }
  EXPECT_EQ(paged, all);
}

TEST_F(ReadingRoutes, SayOfThePastWhatTheCommandsSay) {
  work();
  EXPECT_EQ(get("/v1/diff?from=2&to=" + now()), lines({"diff", "2", now()})[0]);
  EXPECT_EQ(get("/v1/diff?from=" + now() + "&to=2"), lines({"diff", now(), "2"})[0]);
  const json found = get("/v1/bisect?when=tasks.failed%20%3E%200");
  EXPECT_EQ(found, lines({"bisect", "--when", "tasks.failed > 0"})[0]);
  EXPECT_EQ(found["event"]["type"], "TaskFailed");
  EXPECT_EQ(get("/v1/bisect?when=tasks.failed%20%3E%205", 404)["code"], "not_found");
  EXPECT_EQ(get("/v1/bisect?when=tasks.failed%20%3E%20(", 400)["code"], "invalid");
  EXPECT_EQ(get("/v1/bisect", 400)["code"], "invalid");
  EXPECT_EQ(get("/v1/diff?from=2", 400)["code"], "invalid");
  EXPECT_EQ(get("/v1/tasks/99/why", 404)["code"], "not_found");
  EXPECT_EQ(get("/v1/tasks/99/history", 404)["code"], "not_found");
}

TEST_F(ReadingRoutes, TellOfModels) {
  open();
  const auto works = [](const ModelJob&) { return Result<void>(); };
  auto registered = daemon->engine().register_model(
      {.name = "small", .bytes = 1'000'000, .priority = 3, .on_load = works, .on_unload = works});
  ASSERT_TRUE(registered) << describe(registered.error());
  const json models = get("/v1/models");
  EXPECT_EQ(models["items"], lines({"model", "list"}));
  ASSERT_EQ(models["items"].size(), 1U);
  EXPECT_EQ(get("/v1/models/small"), lines({"model", "show", "small"})[0]);
  EXPECT_EQ(get("/v1/models/large", 404)["code"], "not_found");
  EXPECT_EQ(get("/v1/models?at=1")["items"].size(), 0U);
}

TEST_F(ReadingRoutes, TellOfContexts) {
  for (const std::string user : {"ann", "bob", "eve"}) {
    const CommandOutput set =
        run_almanac({.arguments = {"context", "set", "--user", user, "--preference", "language=en",
                                   "--dir", log_folder().string()},
                     .folder = folder.path()});
    ASSERT_EQ(set.code, 0) << set.errors;
  }
  open();
  const json first = get("/v1/contexts?limit=2");
  ASSERT_EQ(first["items"].size(), 2U);
  EXPECT_EQ(first["items"][0]["user"], "ann");
  const json second = get("/v1/contexts?limit=2&page=" + first["next"].get<std::string>());
  ASSERT_EQ(second["items"].size(), 1U);
  EXPECT_EQ(second["items"][0]["user"], "eve");
  EXPECT_TRUE(second["next"].is_null());
  EXPECT_EQ(get("/v1/contexts/bob/history")["items"],
            lines({"context", "history", "--user", "bob"}));
  EXPECT_EQ(get("/v1/contexts/nobody/history", 404)["code"], "not_found");
}

TEST_F(ReadingRoutes, TellOfSnapshotsAndWhatTheyCover) {
  const std::string repository = (folder / "repository").string();
  open({.repositories = {repository, (folder / "missing").string()}});
  submit(R"({"shell": "true"})");
  const CommandOutput made = run_almanac({.arguments = {"snapshot", "create", "--repository",
                                                        repository, "--dir", log_folder().string()},
                                          .folder = folder.path()});
  ASSERT_EQ(made.code, 0) << made.errors;
  const json items = get("/v1/snapshots")["items"];
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0]["repository"], (folder / "missing").string());
  EXPECT_FALSE(items[0]["error"].is_null());
  const CommandOutput listed =
      run_almanac({.arguments = {"snapshot", "list", "--repository", repository, "--json"},
                   .folder = folder.path()});
  EXPECT_EQ(items[1]["snapshots"][0], json::parse(lines_of(listed.output)[0]));
  ASSERT_EQ(items[1]["coverage"].size(), 1U);
  EXPECT_EQ(items[1]["coverage"][0]["ranges"][0]["first"], 1);
  EXPECT_EQ(items[1]["coverage"][0]["marks"][0]["snapshot"], 1);
}

TEST_F(ReadingRoutes, TellOfReviews) {
  work();
  EXPECT_EQ(get("/v1/reviews")["items"], json::array());
  EXPECT_EQ(get("/v1/reviews?at=2")["next"], nullptr);
}

TEST_F(ReadingRoutes, ShowHowThingsStandNowAndAtAnyMoment) {
  work();
  const json then = get("/v1/overview?at=" + now());
  EXPECT_EQ(then["position"], at);
  EXPECT_EQ(then["now"], then["time"]);
  EXPECT_EQ(then["tasks"]["succeeded"], 1);
  EXPECT_EQ(then["tasks"]["failed"], 1);
  EXPECT_EQ(then["live"], 1);
  EXPECT_EQ(then["health"]["health"], "healthy");
  ASSERT_EQ(then["queues"].size(), 2U);
  EXPECT_EQ(then["queues"][0]["queue"], "mail");
  EXPECT_EQ(then["queues"][0]["ready"], 1);
  ASSERT_EQ(then["ended"].size(), 2U);
  EXPECT_EQ(then["ended"][0]["state"], "failed");
  EXPECT_EQ(then["ended"][0]["code"], 3);
  EXPECT_EQ(then["ended"][1]["label"], "/bin/sh -c 'echo one'");
  ASSERT_EQ(then["rates"].size(), 3U);
  EXPECT_EQ(then["rates"][0]["minutes"], 1);
  EXPECT_EQ(then["rates"][0]["enqueued_per_minute"], 3.0);
  EXPECT_EQ(then["rates"][0]["started_per_minute"], 3.0);
  EXPECT_EQ(then["rates"][0]["ended_per_minute"], 2.0);
  EXPECT_EQ(then["rates"][0]["failed_per_minute"], 1.0);
  EXPECT_EQ(then["rates"][1]["ended_per_minute"], 0.4);
  EXPECT_EQ(get("/v1/overview")["tasks"], then["tasks"]);
  EXPECT_EQ(then, lines({"top", "--once", "--at", now()})[0]);
  const json before = get("/v1/overview?at=1");
  EXPECT_EQ(before["live"], 0);
  EXPECT_EQ(before["queues"], json::array());
  EXPECT_EQ(before["ended"], json::array());
}

TEST_F(ReadingRoutes, ShowWhatRuns) {
  open();
  submit(R"({"shell": "exec cat /proc/self/fd/9", "label": "never"})");
  submit(R"({"kind": "remote", "label": "far"})");
  const HttpAnswer leased =
      client().ask("POST", "/v1/leases", R"({"worker": "w-1", "kinds": ["remote"]})");
  ASSERT_LT(leased.status, 300) << leased.body;
  const json running = get("/v1/overview")["running"];
  bool found = false;
  for (const json& task : running) {
    if (task["label"] != "far") continue;
    found = true;
    EXPECT_EQ(task["worker"], "w-1");
    EXPECT_EQ(task["id"], 2);
    EXPECT_GE(task["running_us"], 0);
  }
  EXPECT_TRUE(found) << running;
}

// What was answered before is answered again, until something has changed.
TEST_F(ReadingRoutes, AnswerAnewWhenSomethingHasChanged) {
  open();
  submit(R"({"kind": "nobody", "label": "one"})");
  for (int again = 0; again < 3; ++again) {
    EXPECT_EQ(get("/v1/tasks/1")["state"], "ready");
    EXPECT_EQ(get("/v1/overview")["tasks"]["ready"], 1);
  }
  EXPECT_EQ(client().ask("GET", "/v1/tasks/1?output=true").body, "");
  ASSERT_EQ(client().ask("DELETE", "/v1/tasks/1").status, 200);
  EXPECT_EQ(get("/v1/tasks/1")["state"], "cancelled");
  EXPECT_EQ(get("/v1/overview")["tasks"]["cancelled"], 1);
  EXPECT_EQ(tcp_client().ask("GET", "/v1/tasks/1").status, 401) << "known answers are no open ones";
}

TEST_F(ReadingRoutes, CutTheLogIntoBuckets) {
  work();
  const json line = get("/v1/timeline?buckets=4");
  EXPECT_EQ(line["first"], 1);
  EXPECT_EQ(line["first_state"], 0);
  EXPECT_EQ(line["last"], at);
  EXPECT_EQ(line["sampled"], false);
  ASSERT_EQ(line["buckets"].size(), 4U);
  std::uint64_t next = 1;
  std::uint64_t enqueued = 0;
  for (const json& bucket : line["buckets"]) {
    EXPECT_EQ(bucket["first"], next);
    next = bucket["last"].get<std::uint64_t>() + 1;
    EXPECT_EQ(bucket["events"], next - bucket["first"].get<std::uint64_t>());
    enqueued += bucket["enqueued"].get<std::uint64_t>();
  }
  EXPECT_EQ(next, at + 1);
  EXPECT_EQ(enqueued, 3U);
  EXPECT_LE(line["first_time"], line["last_time"]);
  const json part = get("/v1/timeline?from=2&to=4");
  EXPECT_EQ(part["buckets"].size(), 3U);  // no more than events
  EXPECT_EQ(part["buckets"][2]["last"], 4);
  EXPECT_EQ(get("/v1/timeline?buckets=1001", 400)["code"], "invalid");
  EXPECT_EQ(get("/v1/timeline?buckets=0", 400)["code"], "invalid");
  const std::string end = std::to_string(at);
  EXPECT_EQ(get("/v1/timeline?from=" + end)["last"], at);
  const json behind = get("/v1/timeline?from=" + std::to_string(at + 1), 400);
  EXPECT_EQ(behind["next"], "the log has 1 to " + end) << behind;
  EXPECT_EQ(get("/v1/timeline?from=4&to=2", 400)["code"], "invalid");
  EXPECT_EQ(get("/v1/recommend?limit=0", 400)["code"], "invalid");
}

}  // namespace
}  // namespace almanac::test
