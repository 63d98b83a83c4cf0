// Tasks over HTTP: asked for once, all or none, looked at as they are and were.
#include <almanac/tests/daemon/daemon_fixture.h>

#include <fmt/core.h>

#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace almanac::test {
namespace {

class TaskDoor : public DaemonTest {
 protected:
  HttpAnswer bulk(const std::string& lines, const HttpClient::Headers& more = {}) {
    HttpClient::Headers headers{{"Content-Type", "application/x-ndjson"}};
    headers.insert(headers.end(), more.begin(), more.end());
    return client().ask("POST", "/v1/tasks", lines, headers);
  }
  std::size_t count() { return client().ask("GET", "/v1/tasks?limit=1000").json()["items"].size(); }
  void wait_until_ended(std::uint64_t id) {
    EXPECT_TRUE(daemon->engine().wait(
        [&](const State& state) { return has_ended(state.tasks.all.find(TaskId(id))->state); },
        std::chrono::minutes(1)));
  }
};

TEST_F(TaskDoor, TakesRunsAndShowsACommand) {
  open();
  const HttpAnswer made =
      client().ask("POST", "/v1/tasks",
                   "{\n \"shell\": \"echo $WORD; exit 3\",\n \"env\": {\"WORD\": \"hello\"}\n}");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.json()["outcome"], "enqueued");
  EXPECT_EQ(made.headers.at("location"), "/v1/tasks/1");
  wait_until_ended(1);
  const HttpAnswer shown = client().ask("GET", "/v1/tasks/1");
  EXPECT_EQ(shown.json()["state"], "failed");
  EXPECT_EQ(shown.json()["output"], "hello\n");
  EXPECT_FALSE(shown.headers.at("almanac-position").empty());
  const HttpAnswer output = client().ask("GET", "/v1/tasks/1?output=true");
  EXPECT_EQ(output.body, "hello\n");
  EXPECT_EQ(output.headers.at("content-type"), "application/octet-stream");
}

TEST_F(TaskDoor, TakesTasksOfOtherKindsWithTheirPayload) {
  open();
  EXPECT_EQ(submit(R"({"kind": "mail", "payload": "to: ann", "label": "m", "priority": 7,
                       "queue": "post", "tags": ["a", "b"], "attempts": 4})"),
            1U);
  EXPECT_EQ(submit(R"({"kind": "mail", "payload_base64": "AP8="})"), 2U);
  auto shown = client().ask("GET", "/v1/tasks/1").json();
  EXPECT_EQ(shown["label"], "m");
  EXPECT_EQ(shown["priority"], 7);
  EXPECT_EQ(shown["queue"], "post");
  EXPECT_EQ(shown["attempts_max"], 4);
  EXPECT_EQ(shown["payload_bytes"], 7);
  EXPECT_EQ(client().ask("GET", "/v1/tasks/2").json()["payload_bytes"], 2);
}

struct BadBody {
  const char* what;
  std::string body;
  std::string says;
};

TEST_F(TaskDoor, RefusesWhatIsNoTaskAndSaysWhy) {
  open();
  const std::vector<BadBody> bodies = {
      {"nothing to run", "{}", "neither or both"},
      {"no JSON", "{", "not valid JSON"},
      {"a list", "[]", "must be an object"},
      {"a number", "7", "must be an object"},
      {"two objects", "{\"kind\": \"a\"} {\"kind\": \"a\"}", "not valid JSON"},
      {"an unknown key", R"({"kind": "a", "prioritty": 1})", "unknown key 'prioritty'"},
      {"a key twice", R"({"kind": "a", "kind": "b"})", "twice"},
      {"a kind and a command", R"({"kind": "a", "command": ["x"]})", "neither or both"},
      {"a command's payload", R"({"command": ["x"], "payload": "y"})", "neither or both"},
      {"the kind of commands", R"({"kind": "command", "payload": "{}"})", "are commands"},
      {"two payloads", R"({"kind": "a", "payload": "", "payload_base64": ""})", "two payloads"},
      {"no base64", R"({"kind": "a", "payload_base64": "!"})", "no base64"},
      {"a relative folder", R"({"command": ["x"], "cwd": "y"})", "no absolute path"},
      {"a text for a number", R"({"kind": "a", "priority": "high"})", "'priority'"},
      {"too many attempts", R"({"kind": "a", "attempts": 100000})", "'attempts'"},
      {"a control character", "{\"kind\": \"a\", \"queue\": \"a\\u0007\"}", "queue"},
      {"nobody to come after", R"({"kind": "a", "after": ["x"]})", "'x'"},
      {"a task that is not there", R"({"kind": "a", "after": ["9"]})", ""},
      {"no UTF-8", "{\"kind\": \"\xFF\"}", ""},
      {"an empty kind", R"({"kind": ""})", ""},
  };
  for (const BadBody& bad : bodies) {
    const HttpAnswer answer = client().ask("POST", "/v1/tasks", bad.body);
    EXPECT_TRUE(answer.status == 400 || answer.status == 404) << bad.what << ": " << answer.body;
    EXPECT_EQ(answer.headers.at("content-type"), "application/problem+json");
    EXPECT_NE(answer.json().value("detail", "").find(bad.says), std::string::npos)
        << bad.what << ": " << answer.body;
  }
  EXPECT_EQ(client().ask("POST", "/v1/tasks").status, 400);
  EXPECT_EQ(count(), 0U);
}

TEST_F(TaskDoor, TakesAllLinesOrNone) {
  open();
  const HttpAnswer refused = bulk("{\"kind\": \"a\"}\n{\"kind\": \"a\"}\n{\"kind\": 7}\n");
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(refused.body.find("line 3"), std::string::npos) << refused.body;
  const HttpAnswer late = bulk("{\"kind\": \"a\"}\n{\"kind\": \"a\", \"after\": [\"99\"]}\n");
  EXPECT_EQ(late.status, 400) << late.body;  // the engine's own refusal
  EXPECT_EQ(count(), 0U);
  const HttpAnswer taken =
      bulk("{\"kind\": \"a\", \"name\": \"x\"}\n\n{\"kind\": \"b\", \"after\": [\"x\"]}\r\n");
  ASSERT_EQ(taken.status, 201) << taken.body;
  EXPECT_EQ(taken.json()["items"].size(), 2U);
  EXPECT_EQ(client().ask("GET", "/v1/tasks/2").json()["after"], nlohmann::json::array({1}));
}

TEST_F(TaskDoor, TakesThousandsInOneRequest) {
  open();
  std::string lines;
  for (int i = 0; i < 10'000; ++i) lines += "{\"kind\":\"a\",\"payload\":\"some text\"}\n";
  EXPECT_EQ(bulk(lines).status, 201);
  EXPECT_EQ(daemon->engine().state()->tasks.all.size(), 10'000U);
}

TEST_F(TaskDoor, SubmitsAKeyOnce) {
  open();
  const HttpClient::Headers key{{"Idempotency-Key", "k1"}};
  auto first = client().ask("POST", "/v1/tasks", R"({"kind": "a"})", key);
  const auto again = client().ask("POST", "/v1/tasks", R"({"kind": "a"})", key);
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.json()["id"], first.json()["id"]);
  EXPECT_EQ(again.json()["outcome"], "same_key");
  EXPECT_EQ(client().ask("POST", "/v1/tasks", R"({"kind": "b"})", key).status, 409);
  const std::string lines = "{\"kind\": \"a\"}\n{\"kind\": \"a\"}\n";
  EXPECT_EQ(bulk(lines, {{"Idempotency-Key", "k2"}}).status, 201);
  EXPECT_EQ(bulk(lines, {{"Idempotency-Key", "k2"}}).status, 200);
  EXPECT_EQ(count(), 3U);
}

TEST_F(TaskDoor, RefusesAKeyThatStandsForOtherLines) {
  open();
  const auto line = [](const char* kind) { return fmt::format("{{\"kind\": \"{}\"}}\n", kind); };
  const std::string two = line("a") + line("b");
  const HttpClient::Headers many{{"Idempotency-Key", "many"}};
  const HttpClient::Headers one{{"Idempotency-Key", "one"}};
  EXPECT_EQ(bulk(two, many).status, 201);
  EXPECT_EQ(bulk(line("a"), one).status, 201);
  for (const auto& [lines, key] : {std::pair{line("a"), many}, std::pair{two + line("c"), many},
                                   std::pair{two + two, many}, std::pair{two, one}}) {
    const HttpAnswer refused = bulk(lines, key);
    EXPECT_EQ(refused.status, 409) << key[0].second << " for " << lines << refused.body;
    EXPECT_EQ(refused.json()["code"], "conflict");
  }
  EXPECT_EQ(client().ask("POST", "/v1/tasks", line("a"), many).status, 409);
  EXPECT_EQ(bulk(two, many).status, 200);
  EXPECT_EQ(bulk(line("a"), one).status, 200);
  EXPECT_EQ(count(), 3U);
}

// Who sends it believes that the work is safe to send again.
TEST_F(TaskDoor, RefusesAnEmptyKey) {
  open();
  const HttpAnswer refused =
      client().ask("POST", "/v1/tasks", R"({"kind": "a"})", {{"Idempotency-Key", ""}});
  EXPECT_EQ(refused.status, 400) << refused.body;
  EXPECT_NE(refused.body.find("Idempotency-Key is empty"), std::string::npos) << refused.body;
  EXPECT_EQ(count(), 0U);
}

TEST_F(TaskDoor, ListsPageByPageWhatIsAskedFor) {
  open();
  for (int i = 0; i < 7; ++i) {
    submit(R"({"kind": "a", "queue": ")" + std::string(i % 2 == 0 ? "even" : "odd") +
           R"(", "priority": )" + std::to_string(i) + "}");
  }
  const auto pages = [&](const std::string& query) {
    std::vector<std::uint64_t> seen;
    for (std::string page = "0"; !page.empty();) {
      auto json = client().ask("GET", "/v1/tasks?limit=2&page=" + page + query).json();
      for (const auto& item : json["items"]) seen.push_back(item["id"]);
      page = json["next"].is_null() ? "" : json["next"].get<std::string>();
    }
    return seen;
  };
  EXPECT_EQ(pages(""), (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(pages("&queue=even"), (std::vector<std::uint64_t>{1, 3, 5, 7}));
  EXPECT_EQ(client().ask("GET", "/v1/tasks?where=priority%20%3E%204").json()["items"].size(), 2U);
  EXPECT_EQ(client().ask("GET", "/v1/tasks?state=ready,failed").json()["items"].size(), 7U);
  EXPECT_EQ(client().ask("GET", "/v1/tasks?state=failed").json()["items"].size(), 0U);
  EXPECT_EQ(client().ask("GET", "/v1/tasks?kind=nobody").json()["items"].size(), 0U);
  for (const char* bad : {"state=bad", "where=priority%20%3E", "limit=x", "limit=5000", "page=-1",
                          "limt=3", "limit=1&limit=2", "at=tomorrowish", "at=99999"}) {
    const HttpAnswer answer = client().ask("GET", std::string("/v1/tasks?") + bad);
    EXPECT_TRUE(answer.status == 400 || answer.status == 404) << bad << ": " << answer.body;
  }
  EXPECT_NE(client().ask("GET", "/v1/tasks?limt=3").body.find("did you mean 'limit'"),
            std::string::npos);
}

// Lists by tag and by state do not look at all tasks: they have to find the same.
TEST_F(TaskDoor, ListsByTagAndStateWhatALookAtAllFinds) {
  open();
  for (int i = 0; i < 12; ++i) {
    submit(fmt::format(R"({{"kind": "nobody", "queue": "q{}", "tags": ["t{}", "all"]}})", i % 2,
                       i % 3));
  }
  for (int id : {3, 5, 6}) {
    EXPECT_EQ(client().ask("DELETE", fmt::format("/v1/tasks/{}", id)).status, 200);
  }
  const auto listed = [&](std::string query) {
    std::string ids;
    for (std::string page = "0"; !page.empty();) {
      const HttpAnswer answer = client().ask("GET", "/v1/tasks?limit=2&page=" + page + query);
      EXPECT_EQ(answer.status, 200) << answer.body;
      const auto tasks = answer.json();
      for (const auto& task : tasks["items"]) ids += task["id"].dump() + " ";
      const auto next = tasks["next"];
      page = next.is_null() ? "" : next.get<std::string>();
    }
    return ids;
  };
  EXPECT_EQ(listed("&tag=t0"), "1 4 7 10 ");
  EXPECT_EQ(listed("&tag=all&state=cancelled"), "3 5 6 ");
  EXPECT_EQ(listed("&tag=t1&queue=q0"), "5 11 ");
  EXPECT_EQ(listed("&state=cancelled"), "3 5 6 ");
  EXPECT_EQ(listed("&state=cancelled&queue=q1"), "6 ");
  EXPECT_EQ(listed("&state=ready,cancelled&queue=q1"), "2 4 6 8 10 12 ");
  EXPECT_EQ(listed("&state=running"), "");
  EXPECT_EQ(listed("&tag=nothing"), "");
}

TEST_F(TaskDoor, ShowsEveryReadAsItWas) {
  open();
  const auto id = submit(R"({"kind": "a", "queue": "q"})");
  const std::string before = client().ask("GET", "/v1").headers.at("almanac-position");
  EXPECT_EQ(client().ask("DELETE", "/v1/tasks/1").json()["state"], "cancelled");
  submit(R"({"kind": "a"})");
  const std::string at = "?at=" + before;
  EXPECT_EQ(client().ask("GET", "/v1/tasks/1" + at).json()["state"], "ready");
  EXPECT_EQ(client().ask("GET", "/v1/tasks/1").json()["state"], "cancelled");
  EXPECT_EQ(client().ask("GET", "/v1/tasks/2" + at).status, 404);
  EXPECT_EQ(client().ask("GET", "/v1/tasks" + at).json()["items"].size(), id);
  EXPECT_EQ(client().ask("GET", "/v1/tasks" + at).headers.at("almanac-position"), before);
  EXPECT_EQ(client().ask("GET", "/v1/queues/q" + at).json()["ready"], 1);
  for (const char* path :
       {"/v1/queues", "/v1/schedules", "/v1/limits", "/v1/circuits", "/v1/pools", "/v1/components",
        "/v1/gpu", "/v1/memories", "/self-healing/status", "/self-healing/component-status"}) {
    const HttpAnswer answer = client().ask("GET", path + at);
    EXPECT_EQ(answer.status, 200) << path << answer.body;
    EXPECT_EQ(answer.headers.at("almanac-position"), before) << path;
  }
}

TEST_F(TaskDoor, CancelsRetriesPausesAndResumes) {
  open();
  submit(R"({"shell": "exit 1"})");
  wait_until_ended(1);
  EXPECT_EQ(client().ask("POST", "/v1/tasks/1/retry").status, 200);
  wait_until_ended(1);
  EXPECT_EQ(client().ask("GET", "/v1/tasks/1").json()["attempts"], 2);
  EXPECT_EQ(client().ask("POST", "/v1/tasks/1/cancel").status, 409);
  submit(R"({"kind": "a"})");
  EXPECT_EQ(client().ask("POST", "/v1/tasks/2/pause").json()["state"], "held");
  EXPECT_EQ(client().ask("POST", "/v1/tasks/2/resume").json()["state"], "ready");
  EXPECT_EQ(client().ask("POST", "/v1/tasks/2/cancel", R"({"reason": "not wanted"})").status, 200);
  EXPECT_EQ(client().ask("GET", "/v1/tasks/2").json()["reason"], "not wanted");
  EXPECT_EQ(client().ask("POST", "/v1/tasks/2/cancel", R"({"why": "x"})").status, 400);
  EXPECT_EQ(client().ask("DELETE", "/v1/tasks/77").status, 404);
  EXPECT_EQ(client().ask("DELETE", "/v1/tasks/x").status, 404);
}

TEST_F(TaskDoor, PausesQueuesAndForcesCircuits) {
  open();
  submit(R"({"kind": "a", "queue": "q"})");
  EXPECT_EQ(client().ask("POST", "/v1/queues/q/pause").status, 204);
  EXPECT_EQ(client().ask("GET", "/v1/queues/q").json()["paused"], true);
  EXPECT_EQ(client().ask("POST", "/v1/queues/q/resume").status, 204);
  EXPECT_EQ(client().ask("GET", "/v1/queues/q").json()["paused"], false);
  EXPECT_EQ(client().ask("PUT", "/v1/queues/q", R"({"slots": 3})").status, 204);
  EXPECT_EQ(client().ask("GET", "/v1/queues/q").json()["slots"], 3);
  EXPECT_EQ(client().ask("PUT", "/v1/queues/q", R"({"slots": -3})").status, 400);
  EXPECT_EQ(client().ask("GET", "/v1/queues/nobody").status, 404);
  EXPECT_EQ(client().ask("POST", "/v1/circuits/api/force", R"({"to": "forced_open"})").status, 204);
  EXPECT_EQ(client().ask("GET", "/v1/circuits/api").json()["state"], "forced_open");
  EXPECT_EQ(client().ask("GET", "/v1/circuits").json()["items"].size(), 1U);
  EXPECT_EQ(client().ask("POST", "/v1/circuits/api/force", R"({"to": "ajar"})").status, 400);
  EXPECT_EQ(client().ask("GET", "/v1/circuits/nobody").status, 404);
}

TEST_F(TaskDoor, RemembersAndForgets) {
  open();
  const HttpAnswer made =
      client().ask("POST", "/v1/memories",
                   R"({"kind": "fact", "content": "the sea is deep", "embedding": [1, 0]})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(
      client()
          .ask("POST", "/v1/memories", "{\"kind\": \"fact\", \"content\": \"a\"}\n{\"kind\": 7}\n",
               {{"Content-Type", "application/x-ndjson"}})
          .status,
      400);
  EXPECT_EQ(client().ask("GET", "/v1/memories").json()["items"].size(), 1U);
  EXPECT_EQ(client().ask("GET", "/v1/memories?text=sea").json()["items"][0]["memory"], 1);
  EXPECT_EQ(client().ask("GET", "/v1/memories?text=land").json()["items"].size(), 0U);
  auto hits = client().ask("POST", "/v1/memories/search", R"({"embedding": [1, 0]})").json();
  EXPECT_NEAR(hits["items"][0]["similarity"].get<double>(), 1, 1e-6);
  EXPECT_EQ(client().ask("GET", "/v1/memories/1").json()["content"], "the sea is deep");
  EXPECT_EQ(client().ask("DELETE", "/v1/memories/1").status, 204);
  EXPECT_EQ(client().ask("GET", "/v1/memories/1").status, 404);
  EXPECT_EQ(client().ask("GET", "/v1/contexts/ann").status, 404);
}

TEST_F(TaskDoor, ExportsFigures) {
  open();
  submit(R"({"shell": "true"})");
  wait_until_ended(1);
  submit(R"({"kind": "a"})");  // what the engine tells of the first is behind it now
  const HttpAnswer answer = client().ask("GET", "/metrics");
  EXPECT_EQ(answer.status, 200);
  for (const char* line :
       {"almanac_tasks{state=\"succeeded\"} 1", "almanac_attempt_seconds_count 1",
        "almanac_task_wait_seconds_bucket{le=\"+Inf\"} 1", "# TYPE almanac_tasks gauge",
        "process_open_fds", "almanac_log_position"}) {
    EXPECT_NE(answer.body.find(line), std::string::npos) << line << "\n" << answer.body;
  }
  // As tools for such figures have it: who says counter says it at the name's end, and nobody else.
  std::istringstream lines(answer.body);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("# TYPE ")) continue;
    EXPECT_EQ(line.ends_with(" counter"), line.find("_total ") != std::string::npos) << line;
  }
}

}  // namespace
}  // namespace almanac::test
