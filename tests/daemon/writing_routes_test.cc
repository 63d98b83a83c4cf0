// What can be changed over HTTP: what was read can be sent back, and what makes no sense is refused
// with what was meant, and changes nothing.
#include <almanac/tests/daemon/daemon_fixture.h>

#include <almanac/daemon/task_request.h>
#include <almanac/tools/task_request_json.h>

#include <string>
#include <tuple>
#include <vector>

namespace almanac::test {
namespace {

using nlohmann::json;

class WritingRoutes : public DaemonTest {
 protected:
  void SetUp() override {
    DaemonConfig config;
    config.commands = false;
    open(std::move(config));
  }
  void done(std::string_view method, std::string_view path, std::string_view body = {},
            int status = 204) {
    const HttpAnswer answer = client().ask(method, path, body);
    EXPECT_EQ(answer.status, status) << method << " " << path << answer.body;
  }
  json get(std::string_view path) { return client().ask("GET", path).json(); }
  // That one of the requests of the table could have changed.
  std::string everything() {
    std::string all;
    for (const char* path : {"/v1/tasks", "/v1/queues", "/v1/limits", "/v1/circuits",
                             "/v1/schedules", "/v1/memories", "/v1/components"}) {
      all += client().ask("GET", path).body;
    }
    const auto state = daemon->engine().state();
    return all + std::to_string(state->pauses.all.size() + state->tasks.groups.all.size() +
                                daemon->engine().models().size());
  }
  json item(std::string_view path, std::size_t place = 0) { return get(path)["items"][place]; }
};

struct BadChange {
  const char* method;
  const char* path;
  std::string body;
  int status;
  const char* says;
};

const std::vector<BadChange> bad_changes = {
    {"POST", "/v1/tasks/cancel", "{}", 400, "which tasks"},
    {"POST", "/v1/tasks/cancel", R"({"tasks": [1], "where": "true"})", 400, "two ways"},
    {"POST", "/v1/tasks/cancel", R"({"tasks": 1})", 400, "'tasks'"},
    {"POST", "/v1/tasks/cancel", R"({"tasks": []})", 400, "'tasks'"},
    {"POST", "/v1/tasks/cancel", R"({"tasks": [0]})", 400, "'tasks'"},
    {"POST", "/v1/tasks/cancel", R"({"tasks": [1, "2"]})", 400, "'tasks'"},
    {"POST", "/v1/tasks/cancel", R"({"taks": [1]})", 400, "did you mean 'tasks'?"},
    {"POST", "/v1/tasks/cancel", R"({"tasks": [1, 99]})", 404, "99"},
    {"POST", "/v1/tasks/cancel", R"({"where": "quue == \"a\""})", 400, "quue"},
    {"POST", "/v1/tasks/cancel", R"({"where": "true", "dry_run": "yes"})", 400, "'dry_run'"},
    {"POST", "/v1/tasks/cancel", "[1]", 400, "no JSON object"},
    {"POST", "/v1/tasks/cancel", "{", 400, "no JSON object"},
    {"POST", "/v1/tasks/retry", R"({"tasks": [1]})", 409, ""},
    {"POST", "/v1/tasks/forget", R"({"tasks": [1]})", 409, ""},
    {"POST", "/v1/tasks/hasten", R"({"tasks": [1]})", 409, ""},
    {"POST", "/v1/tasks/1/forget", "{}", 409, ""},
    {"POST", "/v1/tasks/1/hasten", "{}", 409, ""},
    {"POST", "/v1/tasks/x/hasten", "{}", 404, "'x'"},
    {"POST", "/v1/reviews", R"({"tasks": [1], "decision": "maybe"})", 400, "'decision'"},
    {"POST", "/v1/reviews", R"({"tasks": [1]})", 400, "'decision' is missing"},
    {"POST", "/v1/reviews", R"({"tasks": [1], "decision": "run"})", 409, ""},
    {"PUT", "/v1/groups/g%07", "", 404, ""},
    {"POST", "/v1/groups/none/close", "", 404, "none"},
    {"POST", "/v1/groups/none/cancel", R"({"reson": "a"})", 400, "did you mean 'reason'?"},
    {"PUT", "/v1/queues/q", "{}", 400, "nothing to set"},
    {"PUT", "/v1/queues/q", R"({"slots": 1.5})", 400, "'slots'"},
    {"PUT", "/v1/queues/q", R"({"slots": 4097})", 400, "from 0 to 4096"},
    {"PUT", "/v1/queues/q", R"({"slots": 18446744073709551615})", 400, "'slots'"},
    {"PUT", "/v1/queues/q", R"({"slots": 1, "polcy": "fair"})", 400, "did you mean 'policy'?"},
    {"PUT", "/v1/queues/q", R"({"policy": "fairest"})", 400, "fairest"},
    {"PUT", "/v1/queues/q", R"({"ageing_us": -1})", 400, "'ageing_us'"},
    {"PUT", "/v1/queues/q", R"({"weights": [1]})", 400, "'weights'"},
    {"PUT", "/v1/queues/q", R"({"weights": {"high": 99999999999}})", 400, "'high'"},
    {"PUT", "/v1/queues/q", R"({"retain_failed_us": "ever"})", 400, "forever"},
    {"POST", "/v1/kinds/a%07/pause", "", 404, ""},
    {"PUT", "/v1/limits/l", "{}", 400, "not said"},
    {"PUT", "/v1/limits/l", R"({"units": -1})", 400, "'units'"},
    {"PUT", "/v1/limits/l", R"({"units": "4"})", 400, "whole number of 0 or more send that"},
    {"PUT", "/v1/limits/l", R"({"sise": 4})", 400, "there are: units, per_minute, burst"},
    {"PUT", "/v1/limits/l", R"({"unit": 1})", 400, "did you mean 'units'?"},
    {"PUT", "/v1/limits/l", R"({"per_minute": 4294967296})", 400, "'per_minute'"},
    {"PUT", "/v1/circuits/s/setting", R"({"probes": 0})", 400, "'probes'"},
    {"PUT", "/v1/circuits/s/setting", R"({"failure_permille": 1001})", 400, "1000"},
    {"PUT", "/v1/circuits/s/setting", R"({"cooldwn_us": 1})", 400, "did you mean 'cooldown_us'?"},
    {"PUT", "/v1/schedules/s", "{}", 400, "'recurrence' is missing"},
    {"PUT", "/v1/schedules/s", R"({"recurrence": "every hour"})", 400, "'enqueues' is missing"},
    {"PUT", "/v1/schedules/s", R"({"recurrence": "evry hour", "enqueues": {"kind": "a"}})", 400,
     "'recurrence'"},
    {"PUT", "/v1/schedules/s", R"({"recurrence": null, "enqueues": {"kind": "a"}})", 400, "null"},
    {"PUT", "/v1/schedules/s",
     R"({"recurrence": "every hour", "enqueues": {"kind": "a", "delay": "1h"}})", 400, "'delay'"},
    {"PUT", "/v1/schedules/s",
     R"({"recurrence": "every hour", "enqueues": {"kind": "a", "key": "k"}})", 400, "'key'"},
    {"PUT", "/v1/schedules/s", R"({"recurrence": "every hour", "enqueues": 7})", 400, "object"},
    {"PUT", "/v1/schedules/s",
     R"({"recurrence": "every hour", "missed": "all", "enqueues": {"kind": "a"}})", 400, "window"},
    {"PUT", "/v1/schedules/s",
     R"({"recurrence": "every hour", "overlap": "al", "enqueues": {"kind": "a"}})", 400, "'al'"},
    {"POST", "/v1/schedules/none/pause", R"({"reason": 7})", 400, "'reason'"},
    {"POST", "/v1/schedules/none/pause", "", 404, "none"},
    {"PUT", "/v1/models/m", "{}", 400, ""},
    {"PUT", "/v1/models/m", R"({"bytes": 5, "commands": {"laod": []}})", 400, "'commands'"},
    {"PUT", "/v1/models/m", R"({"byts": 5})", 400, "did you mean 'bytes'?"},
    {"PUT", "/v1/models/m", R"({"bytes": 5, "pinned": 1})", 400, "'pinned'"},
    {"POST", "/v1/models/none/change", "{}", 400, "nothing to change"},
    {"POST", "/v1/models/none/change", R"({"pinned": true})", 404, "none"},
    {"POST", "/v1/models/none/load", R"({"timeout": "long"})", 400, "'timeout'"},
    {"POST", "/v1/models/none/load", "{}", 422, "GPU"},
    {"POST", "/v1/models/none/unload", "{}", 422, "GPU"},
    {"DELETE", "/v1/models/none", "", 404, "none"},
    {"POST", "/v1/memories/change", R"({"stor": []})", 400, "did you mean 'store'?"},
    {"POST", "/v1/memories/change", R"({"store": {}})", 400, "'store'"},
    {"POST", "/v1/memories/change", R"({"store": [{"kind": "n"}]})", 400, ""},
    {"POST", "/v1/memories/change", R"({"store": [{"kind": "n", "content": "a"}], "forget": [9]})",
     404, "9"},
    {"POST", "/v1/memories/change", R"({"update": [{"content": "a"}]})", 400, "\"memory\""},
    {"POST", "/v1/memories/change", R"({"forget": ["1"]})", 400, "'forget'"},
    {"PUT", "/v1/memories/9", R"({"content": "a"})", 404, "9"},
    {"PUT", "/v1/memories/9", R"({"contnt": "a"})", 400, "did you mean 'content'?"},
    {"PUT", "/v1/memories/9", R"({"embedding": ["a"]})", 400, "'embedding'"},
    {"PUT", "/v1/memories/9", R"({"content": "a", "expected": "x"})", 400, "'expected'"},
    {"GET", "/v1/memories/duplicates?similarity=2", "", 400, "similarity"},
    {"POST", "/v1/memories/consolidate", "{}", 400, "'kind' is missing"},
    {"POST", "/v1/memories/consolidate", R"({"kind": "n", "content": "a"})", 404, ""},
    {"PUT", "/v1/contexts/ann", "{}", 400, "nothing to change"},
    {"PUT", "/v1/contexts/ann", R"({"preferences": {"a": []}})", 400, "'a'"},
    {"PUT", "/v1/contexts/ann", R"({"friendship": 7})", 400, "friendship"},
    {"PUT", "/v1/contexts/ann", R"({"add_turns": [{"role": "nobody", "text": "a"}]})", 400,
     "'role'"},
    {"PUT", "/v1/contexts/ann", R"({"add_turns": [{"role": "user"}]})", 400, "'text' is missing"},
    {"PUT", "/v1/contexts/ann", R"({"friendship": 0.5, "expected": 7})", 409, ""},
    {"DELETE", "/v1/contexts/bob", "", 404, ""},
    {"POST", "/v1/components/c/repair", "{}", 400, "'implementation' is missing"},
    {"POST", "/v1/components/c/repair", R"({"implementation": "i", "strategy": "x"})", 400, "'x'"},
    {"POST", "/v1/components/c/repair", R"({"implementation": "i"})", 404, ""},
    {"POST", "/v1/components/c/switch", R"({"implementatin": "i"})", 400, "did you mean"},
    {"POST", "/v1/components/c/check", "", 404, ""},
    {"POST", "/v1/log/trim", "{}", 400, "nothing says"},
    {"POST", "/v1/log/trim", R"({"before": 0})", 400, "'before'"},
    {"POST", "/v1/log/trim", R"({"older_than": "soon"})", 400, "'older_than'"},
};

TEST_F(WritingRoutes, RefuseWhatMakesNoSenseAndChangeNothing) {
  submit(R"({"kind": "a"})");
  const std::string before = everything();
  for (const BadChange& bad : bad_changes) {
    const HttpAnswer answer = client().ask(bad.method, bad.path, bad.body);
    const std::string what = std::string(bad.method) + " " + bad.path + " " + bad.body;
    EXPECT_EQ(answer.status, bad.status) << what << answer.body;
    if (answer.body.empty()) continue;
    const json told = answer.json();
    EXPECT_NE((told.value("detail", "") + " " + told.value("next", "")).find(bad.says),
              std::string::npos)
        << what << answer.body;
    EXPECT_FALSE(told.value("next", "").empty()) << what << answer.body;
  }
  EXPECT_EQ(everything(), before);
}

TEST_F(WritingRoutes, ChangeManyTasksByAnExpression) {
  for (int i = 0; i < 5; ++i) submit(R"({"kind": "a", "queue": "web"})");
  submit(R"({"kind": "a", "delay": "1h"})");
  const std::string web = R"("where": "queue == \"web\"")";
  const auto bulk = [&](const std::string& verb, const std::string& body) {
    return client().ask("POST", "/v1/tasks/" + verb, body).json();
  };
  EXPECT_EQ(bulk("pause", "{" + web + ", \"dry_run\": true}"), (json{{"would_change", 5}}));
  EXPECT_EQ(get("/v1/tasks?state=held")["items"].size(), 0U);
  EXPECT_EQ(bulk("pause", "{" + web + "}"), (json{{"changed", 5}}));
  EXPECT_EQ(get("/v1/tasks?state=held")["items"].size(), 5U);
  EXPECT_EQ(bulk("pause", "{" + web + "}"), (json{{"changed", 0}}));
  EXPECT_EQ(bulk("resume", R"({"tasks": [1, 2]})"), (json{{"changed", 2}}));
  EXPECT_EQ(bulk("resume", R"({"tasks": [1, 3]})").value("code", ""), "conflict");
  EXPECT_EQ(bulk("resume", R"({"tasks": [1, 3], "skip": true})"), (json{{"changed", 1}}));
  EXPECT_EQ(bulk("resume", R"({"tasks": [4], "dry_run": true})"), (json{{"would_change", 1}}));
  EXPECT_EQ(bulk("hasten", R"({"where": "state == \"delayed\""})"), (json{{"changed", 1}}));
  EXPECT_EQ(bulk("cancel", "{" + web + ", \"reason\": \"over\"}"), (json{{"changed", 5}}));
  EXPECT_EQ(get("/v1/tasks/1")["reason"], "over");
  EXPECT_EQ(bulk("forget", "{" + web + "}"), (json{{"changed", 5}}));
  EXPECT_EQ(get("/v1/tasks")["items"].size(), 1U);
}

TEST_F(WritingRoutes, TakeBackWhatTheyHaveShown) {
  done("PUT", "/v1/queues/a%2Fb%20c",
       R"({"slots": 3, "policy": "urgency", "ageing_us": 5000000, "weights": {"high": 40},
           "retain_failed_us": "forever"})");
  done("PUT", "/v1/limits/host%2Fa", R"({"units": 4, "per_minute": 60, "burst": 7})");
  done("PUT", "/v1/circuits/api%2Fv1/setting", R"({"failure_permille": 200, "probes": 2})");
  done("PUT", "/v1/schedules/nightly",
       R"({"recurrence": "0 0 1 1 *", "missed": "all", "window": "6h", "overlap": "queue",
           "enqueues": {"shell": "make \"a\"", "env": {"A": "b"}, "attempts": 3, "tags": ["x"],
                        "needs": {"host/a": 2}, "queue": "a/b c"}})");
  const json queue = get("/v1/queues/a%2Fb%20c");
  EXPECT_EQ(queue["slots"], 3);
  EXPECT_EQ(queue["weights"]["high"], 40);
  const json limit = item("/v1/limits");
  const json setting = get("/v1/circuits/api%2Fv1")["setting"];
  const json schedule = item("/v1/schedules");
  EXPECT_EQ(schedule["enqueues"]["command"], (json{"/bin/sh", "-c", "make \"a\""}));
  EXPECT_EQ(schedule["window"], "6h");
  done("PUT", "/v1/queues/a%2Fb%20c", R"({"slots": 1, "policy": "fifo", "retain_failed_us": 0})");
  done("PUT", "/v1/limits/host%2Fa", R"({"units": 1})");
  done("DELETE", "/v1/circuits/api%2Fv1/setting");
  done("DELETE", "/v1/schedules/nightly");
  done("PUT", "/v1/queues/a%2Fb%20c", queue.dump());
  done("PUT", "/v1/limits/host%2Fa", limit.dump());
  done("PUT", "/v1/circuits/api%2Fv1/setting", setting.dump());
  done("PUT", "/v1/schedules/nightly", schedule.dump());
  EXPECT_EQ(get("/v1/queues/a%2Fb%20c"), queue);
  EXPECT_EQ(item("/v1/limits"), limit);
  EXPECT_EQ(get("/v1/circuits/api%2Fv1")["setting"], setting);
  json again = item("/v1/schedules");
  EXPECT_NE(again["defined"], schedule["defined"]);
  again["defined"] = schedule["defined"];
  EXPECT_EQ(again, schedule);
  done("DELETE", "/v1/limits/host%2Fa");
  EXPECT_EQ(get("/v1/limits")["items"].size(), 0U);
}

TEST_F(WritingRoutes, HoldKindsGroupsAndModels) {
  done("POST", "/v1/kinds/mail/pause");
  const auto kind = daemon->engine().state()->names.find("mail");
  ASSERT_TRUE(kind);
  EXPECT_TRUE(daemon->engine().state()->pauses.all.contains(PausedWork{PauseScope::kind, *kind}));
  done("POST", "/v1/kinds/mail/resume");
  EXPECT_TRUE(daemon->engine().state()->pauses.all.empty());
  done("PUT", "/v1/groups/import");
  submit(R"({"kind": "a", "group": "import"})");
  EXPECT_EQ(client().ask("POST", "/v1/groups/import/cancel", R"({"reason": "no"})").json(),
            (json{{"changed", 1}}));
  done("PUT", "/v1/models/llama",
       R"({"bytes": 5, "commands": {"load": ["true"], "unload": ["true"]}})");
  done("POST", "/v1/models/llama/change", R"({"pinned": true, "priority": -3})");
  const auto models = daemon->engine().models();
  ASSERT_EQ(models.size(), 1U);
  EXPECT_TRUE(models[0].model.setting.is_pinned);
  EXPECT_EQ(models[0].model.setting.priority, -3);
  EXPECT_EQ(client().ask("POST", "/v1/models/llama/load", "{}").status, 422) << "no GPU is watched";
  done("DELETE", "/v1/models/llama");
}

TEST_F(WritingRoutes, ChangeMemoriesAndContextsByTheirVersion) {
  const HttpAnswer stored =
      client().ask("POST", "/v1/memories/change",
                   R"({"store": [{"kind": "note", "content": "a", "embedding": [0.1]},
                    {"kind": "note", "content": "A "}]})");
  EXPECT_EQ(stored.json(), (json{{"memories", {1, 2}}})) << stored.body;
  EXPECT_EQ(item("/v1/memories/duplicates")["repeats"], 1);
  json entry = get("/v1/memories/1");
  const std::string changed = std::to_string(entry["changed"].get<std::uint64_t>());
  entry["content"] = "b";
  const std::string text = entry.dump();
  EXPECT_EQ(
      client().ask("PUT", "/v1/memories/1", text, {{"If-Match", "\"" + changed + "\""}}).status,
      204);
  EXPECT_EQ(client().ask("PUT", "/v1/memories/1", text, {{"If-Match", changed}}).status, 409);
  EXPECT_EQ(client().ask("PUT", "/v1/memories/1", text, {{"If-Match", "new"}}).status, 400);
  EXPECT_EQ(get("/v1/memories/1")["content"], "b");
  EXPECT_EQ(get("/v1/memories/1")["embedding"], entry["embedding"]);
  const HttpAnswer summed =
      client().ask("POST", "/v1/memories/consolidate",
                   R"({"kind": "note", "below": 0.9, "content": "both", "tags": ["sum"]})");
  EXPECT_EQ(summed.json(), (json{{"memory", 3}, {"replaced", {1, 2}}})) << summed.body;

  const HttpAnswer first =
      client().ask("PUT", "/v1/contexts/ann%2Fb",
                   R"({"preferences": {"language": "en", "loud": false}, "fields": {"age": 7},
          "add_turns": [{"role": "user", "text": "Hello"}], "expected": 0})");
  ASSERT_EQ(first.status, 200) << first.body;
  const std::string tag = first.headers.at("etag");
  json shown = get("/v1/contexts/ann%2Fb");
  shown["preferences"]["loud"] = nullptr;
  const auto put_back = [&] {
    return client().ask("PUT", "/v1/contexts/ann%2Fb", shown.dump(), {{"If-Match", tag}}).status;
  };
  EXPECT_EQ(put_back(), 200);
  EXPECT_EQ(put_back(), 409);
  EXPECT_EQ(get("/v1/contexts/ann%2Fb")["preferences"], (json{{"language", "en"}}));
  EXPECT_EQ(get("/v1/contexts/ann%2Fb")["turns"].size(), 1U);
  done("DELETE", "/v1/contexts/ann%2Fb");
  EXPECT_EQ(client().ask("GET", "/v1/contexts/ann%2Fb").status, 404);
}

// All that a task can say, but for what only batches can.
TEST(TaskRequestJson, IsReadBackAsItWas) {
  TaskSpec task{.kind = "mail",
                .queue = "a b",
                .label = "l",
                .payload = std::string("\0\xFF", 2),
                .priority = -7,
                .run_at = Time(Duration(1'800'000'000'000'001)),
                .attempts_max = 9,
                .backoff = {.initial = Duration(1), .max = Duration(61'000'001)},
                .timeout = Duration(90'000'000),
                .retry_policy = RetryPolicy::fixed,
                .crashes_max = 2};
  task.dependencies = {TaskId(3), TaskId(4)};
  task.conditions = {DependencyCondition::end, DependencyCondition::success_in_the_end};
  task.demands = {{"gpu", 2}, {"a/b", 1}};
  task.tags = {"x", "y"};
  task.owner = "ann";
  task.deadline = task.run_at + Duration(1);
  task.estimate = Duration(5);
  task.expires_at = task.run_at + Duration(2);
  task.idempotency_key = "k";
  task.version = 4'000'000'000;
  task.group = "g";
  task.after_group = AfterGroup{"h", DependencyCondition::end};
  task.unique = UniqueSpec{.key = "u",
                           .per_queue = true,
                           .until = UniqueUntil::succeeded,
                           .within = Duration(7),
                           .on_conflict = OnConflict::replace};
  const auto written = task_request_json(task);
  ASSERT_TRUE(written);
  const auto read = read_task_request(written->dump(), Time());
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(read->payload, task.payload);
  EXPECT_EQ(read->dependencies, task.dependencies);
  EXPECT_EQ(read->conditions, task.conditions);
  EXPECT_EQ(read->demands, task.demands);
  EXPECT_EQ(read->tags, task.tags);
  EXPECT_EQ(read->unique, task.unique);
  EXPECT_EQ(read->after_group, task.after_group);
  EXPECT_EQ(read->backoff, task.backoff);
  EXPECT_EQ(read->deadline, task.deadline);
  const auto rest = [](const TaskSpec& spec) {
    return std::tie(spec.kind, spec.queue, spec.label, spec.priority, spec.run_at,
                    spec.attempts_max, spec.timeout, spec.retry_policy, spec.crashes_max,
                    spec.owner, spec.estimate, spec.expires_at, spec.idempotency_key, spec.version,
                    spec.group);
  };
  EXPECT_EQ(rest(*read), rest(task));
}

}  // namespace
}  // namespace almanac::test
