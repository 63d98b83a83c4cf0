// Workers elsewhere, over HTTP.
#include <almanac/tests/daemon/daemon_fixture.h>
#include <almanac/tests/support/child_process.h>

#include <string>

namespace almanac::test {
namespace {

class LeaseDoor : public DaemonTest {
 protected:
  nlohmann::json lease(const std::string& more = {}) {
    const HttpAnswer answer =
        client().ask("POST", "/v1/leases", R"({"worker": "w", "kinds": ["a"])" + more + "}");
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.json()["tasks"];
  }
  static std::string held(const nlohmann::json& leased, nlohmann::json more = nullptr) {
    nlohmann::json json = {{"task", leased["task"]}, {"token", leased["token"]}};
    if (!more.is_null()) json.update(more);
    return json.dump();
  }
  std::string state_of(std::uint64_t id) {
    return client().ask("GET", "/v1/tasks/" + std::to_string(id)).json().value("state", "");
  }
};

TEST_F(LeaseDoor, GivesATaskItsWholeLife) {
  open();
  submit(R"({"kind": "a", "payload": "p", "label": "l", "queue": "q", "attempts": 3})");
  auto tasks = lease();
  ASSERT_EQ(tasks.size(), 1U);
  EXPECT_EQ(tasks[0]["payload"], "p");
  EXPECT_EQ(tasks[0]["attempt"], 1);
  EXPECT_EQ(tasks[0]["queue"], "q");
  EXPECT_EQ(state_of(1), "running");
  const std::string beat = "{\"leases\": [" + held(tasks[0]) + "]}";
  EXPECT_EQ(client().ask("POST", "/v1/leases/heartbeat", beat).json()["leases"][0]["status"],
            "held");
  EXPECT_EQ(client()
                .ask("POST", "/v1/leases/progress",
                     held(tasks[0], {{"fraction", 0.5}, {"message", "half"}}))
                .status,
            204);
  EXPECT_EQ(client().ask("GET", "/v1/tasks/1").json()["progress_message"], "half");
  EXPECT_EQ(client().ask("POST", "/v1/leases/result", held(tasks[0], {{"result", "made"}})).status,
            204);
  EXPECT_EQ(state_of(1), "succeeded");
  EXPECT_EQ(client().ask("GET", "/v1/tasks/1").json()["result"], "made");
  EXPECT_EQ(client().ask("POST", "/v1/leases/result", held(tasks[0], {{"result", "again"}})).status,
            422);
  EXPECT_EQ(client().ask("POST", "/v1/leases/heartbeat", beat).json()["leases"][0]["status"],
            "gone");
}

TEST_F(LeaseDoor, WaitsForATask) {
  open();
  auto worker = client();
  const std::string body = R"({"worker": "w", "kinds": ["a"], "wait": "1m"})";
  worker.send(
      "POST /v1/leases HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
      "Content-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
  EXPECT_EQ(client().ask("GET", "/livez").status, 200);  // the other was read before
  submit(R"({"kind": "a"})");
  EXPECT_EQ(worker.read_answer().json()["tasks"].size(), 1U);
  EXPECT_EQ(lease(R"(, "wait": "10ms")").size(), 0U);
}

TEST_F(LeaseDoor, TellsFailuresAndGivesBack) {
  open();
  submit(R"({"kind": "a", "attempts": 2, "backoff": "1ms"})");
  auto tasks = lease();
  EXPECT_EQ(client().ask("POST", "/v1/leases/return", held(tasks[0])).status, 204);
  tasks = lease();
  EXPECT_EQ(client()
                .ask("POST", "/v1/leases/result",
                     held(tasks[0], {{"outcome", "permanent_failure"}, {"message", "no"}}))
                .status,
            204);
  EXPECT_EQ(state_of(1), "failed");
  EXPECT_EQ(client().ask("GET", "/v1/tasks/1").json()["message"], "no");
  submit(R"({"kind": "a"})");
  tasks = lease();
  EXPECT_EQ(client()
                .ask("POST", "/v1/leases/result",
                     held(tasks[0], {{"outcome", "snooze"}, {"until", "in 1 hour"}}))
                .status,
            204);
  EXPECT_EQ(state_of(2), "delayed");
}

TEST_F(LeaseDoor, RefusesWhatMakesNoSense) {
  open();
  for (const char* body : {"", "{}", R"({"worker": "w", "kinds": []})",
                           R"({"worker": "w", "kinds": "a"})", R"({"worker": 7, "kinds": ["a"]})",
                           R"({"worker": "w", "kinds": ["a"], "tasks_max": 100000})",
                           R"({"worker": "", "kinds": ["a"]})", R"({"worker": "w", "kinds": [""]})",
                           R"({"worker": "w", "kinds": ["a"], "tasks_max": 0})",
                           R"({"worker": "w", "kinds": ["a"], "lease_time": "forever"})",
                           R"({"worker": "w", "kinds": ["a"], "lease_time": "1us"})",
                           R"({"worker": "w", "kinds": ["a"], "lease": "1s"})"}) {
    const HttpAnswer refused = client().ask("POST", "/v1/leases", body);
    EXPECT_EQ(refused.status, 400) << body;
    EXPECT_NE(refused.json().value("next", ""), "") << refused.body;
  }
  const std::string nobody = R"("task": 1, "token": "00000000000000000000000000000000:5")";
  EXPECT_EQ(client().ask("POST", "/v1/leases/result", "{" + nobody + "}").status, 422);
  EXPECT_EQ(client().ask("POST", "/v1/leases/result", R"({"task": 1, "token": "x"})").status, 400);
  EXPECT_EQ(client().ask("POST", "/v1/leases/result", R"({"task": "1"})").status, 400);
  EXPECT_EQ(
      client().ask("POST", "/v1/leases/result", "{" + nobody + R"(, "outcome": "odd"})").status,
      400);
  for (const char* odd :
       {R"("outcome": false)", R"("outcome": null)", R"("result": {"x": 1})", R"("result": null)",
        R"("result_base64": 7)", R"("result": "a", "result_base64": "YQ==")",
        R"("outcome": "failure", "message": 7)", R"("until": "in 1 hour")",
        R"("outcome": "success", "message": "done")", R"("outcome": "failure", "result": "a")",
        R"("outcome": "snooze", "until": "in 1 hour", "service": "api")",
        R"("outcome": "rate_limited", "until": "in 1 hour", "service": 7)"}) {
    const std::string body = "{" + nobody + ", " + odd + "}";
    EXPECT_EQ(client().ask("POST", "/v1/leases/result", body).status, 400) << body;
  }
  for (const char* odd : {R"("message": 7)", R"("partial": [])", R"("fraction": "half")"}) {
    const std::string body = "{" + nobody + ", " + odd + "}";
    EXPECT_EQ(client().ask("POST", "/v1/leases/progress", body).status, 400) << body;
  }
  const HttpAnswer no_lease = client().ask("POST", "/v1/leases/heartbeat", R"({"leases": [7]})");
  EXPECT_EQ(no_lease.status, 400);
  EXPECT_NE(no_lease.json().value("next", ""), "") << no_lease.body;
  EXPECT_EQ(client().ask("POST", "/v1/leases/heartbeat", R"({"leases": []})").status, 400);
}

TEST_F(LeaseDoor, GivesAWorkerThatNamesNoKindAnyButCommands) {
  DaemonConfig config;
  config.commands = false;
  open(std::move(config));
  submit(R"({"shell": "true"})");
  const auto id = submit(R"({"kind": "a", "payload": "x"})");
  const auto leased = client().ask("POST", "/v1/leases", R"({"worker": "w", "tasks_max": 5})");
  const auto tasks = leased.json()["tasks"];
  ASSERT_EQ(tasks.size(), 1U) << leased.body;
  EXPECT_EQ(tasks[0]["task"], id);
}

TEST_F(LeaseDoor, TakesBackWhatAWorkerWasNeverTold) {
  open();
  {
    auto gone = client();
    const std::string body = R"({"worker": "w", "kinds": ["a"], "wait": "1m", "lease_time": "1h"})";
    gone.send(
        "POST /v1/leases HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        "Content-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body);
    EXPECT_EQ(client().ask("GET", "/livez").status, 200);
  }
  submit(R"({"kind": "a"})");
  EXPECT_EQ(lease(R"(, "wait": "1m")").size(), 1U);
}

TEST_F(LeaseDoor, ServesTheWorkersOfTheExamples) {
  open();
  const std::vector<std::pair<std::string, std::string>> programs = {
      {"python3", "examples/http_worker.py"},
      {"node", "examples/http_worker.mjs"},
      {"sh", "examples/http_worker.sh"}};
  std::size_t done = 0;
  for (const auto& [interpreter, program] : programs) {
    std::uint64_t last = 0;
    for (const char* whom : {"Ann", "Ben", "Zoë"}) {
      last = submit(R"({"kind": "greet", "payload": ")" + std::string(whom) + "\"}");
    }
    ChildProcess worker(
        {"/usr/bin/env", interpreter, source_path(program), daemon->socket_paths().front(), "3"});
    EXPECT_EQ(worker.wait(), 0) << program;
    const auto task = client().ask("GET", "/v1/tasks/" + std::to_string(last)).json();
    EXPECT_EQ(task["result"], "Hello, Zoë!") << program;
    done += 3;
    EXPECT_EQ(client().ask("GET", "/v1/tasks?state=succeeded").json()["items"].size(), done)
        << program;
  }
}

}  // namespace
}  // namespace almanac::test
