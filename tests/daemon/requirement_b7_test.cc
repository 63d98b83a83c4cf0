// Row B7: the endpoints of self-healing that existing programs expect, with exactly these members.
#include <almanac/tests/daemon/daemon_fixture.h>
#include <almanac/tests/support/component_parts.h>

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

class RequirementB7 : public DaemonTest {
 protected:
  void SetUp() override {
    fs::create_directory(parts());
    write_file(folder / "parts.toml",
               parts_with_builtin("attempts = 0\ncheck_interval = \"5m\"\n"));
    write_file(parts() / "source", "#!/bin/sh\necho 2.0\n");
    open({.components = (folder / "parts.toml").string()});
  }
  [[nodiscard]] fs::path parts() const { return folder / "parts"; }
  nlohmann::json get(const std::string& path) {
    const HttpAnswer answer = client().ask("GET", path);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.json();
  }
  nlohmann::json post(const std::string& path, std::string_view body = {}) {
    const HttpAnswer answer = client().ask("POST", path, body);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.json();
  }
  static std::set<std::string> members(const nlohmann::json& json) {
    std::set<std::string> names;
    for (const auto& [name, value] : json.items()) names.insert(name);
    return names;
  }
  using Names = std::set<std::string>;
};

TEST_F(RequirementB7, DiagnosesFixesAndTellsOfIt) {
  auto diagnosis = post("/self-healing/diagnose", R"({"implementation": "native"})");
  EXPECT_EQ(diagnosis["issue_type"], "not_built");
  EXPECT_FALSE(diagnosis["details"].get<std::string>().empty());
  EXPECT_EQ(diagnosis["recommended_fix"], "build");
  EXPECT_EQ(diagnosis["can_auto_fix"], true);

  auto fixed = post("/self-healing/fix", "{}");
  EXPECT_EQ(members(fixed), (Names{"success", "issue_type", "strategy_used", "error"}));
  EXPECT_EQ(fixed["success"], true) << fixed;
  EXPECT_EQ(fixed["issue_type"], "not_built");
  EXPECT_EQ(fixed["strategy_used"], "build");
  EXPECT_TRUE(fixed["error"].is_null());
  EXPECT_TRUE(fs::exists(parts() / "tool"));

  auto status = get("/self-healing/status");
  EXPECT_EQ(members(status), (Names{"running", "total_fix_attempts", "success_rate",
                                    "last_successful_build", "retry_counts", "recent_fixes"}));
  EXPECT_EQ(status["running"], true);
  EXPECT_EQ(status["total_fix_attempts"], 1);
  EXPECT_EQ(status["success_rate"], 1.0);
  EXPECT_TRUE(status["last_successful_build"].is_string());
  EXPECT_EQ(status["retry_counts"]["not_built"], 1);
  EXPECT_EQ(status["recent_fixes"].size(), 1U);

  auto health = get("/health");
  EXPECT_EQ(members(health), (Names{"status", "self_healing"}));
  EXPECT_EQ(members(health["self_healing"]),
            (Names{"enabled", "fix_attempts", "success_rate", "last_successful_build"}));
  EXPECT_EQ(health["self_healing"]["enabled"], true);
  EXPECT_EQ(health["self_healing"]["fix_attempts"], 1);
}

TEST_F(RequirementB7, TellsOfItsComponents) {
  post("/self-healing/fix", "{}");
  auto status = get("/self-healing/component-status");
  EXPECT_EQ(members(status), (Names{"loader_running", "check_interval_seconds", "components"}));
  EXPECT_EQ(status["loader_running"], true);
  EXPECT_EQ(status["check_interval_seconds"], 300.0);
  auto tool = status["components"]["tool"];
  EXPECT_EQ(members(tool), (Names{"active_implementation", "available_implementations"}));
  auto native = tool["available_implementations"]["native"];
  EXPECT_EQ(members(native), (Names{"available", "performance_score", "error_count"}));
  EXPECT_EQ(native["available"], true);
  EXPECT_EQ(members(tool["available_implementations"]), (Names{"native", "plain"}));
}

TEST_F(RequirementB7, ChecksWhenItIsForcedTo) {
  post("/self-healing/fix", "{}");
  fs::remove(parts() / "tool");
  auto checked = post("/self-healing/force-check");
  EXPECT_EQ(members(checked), (Names{"success", "changes", "message"}));
  EXPECT_EQ(checked["success"], true);
  EXPECT_EQ(checked["changes"]["tool"].size(), 1U) << checked;
}

TEST_F(RequirementB7, BuildsAnewAlsoWhatIsHealthy) {
  post("/self-healing/fix", "{}");
  write_file(parts() / "source", "#!/bin/sh\necho 3.0\n");
  auto built = post("/self-healing/clean-build", R"({"implementation": "native"})");
  EXPECT_EQ(members(built), (Names{"success", "message"}));
  EXPECT_EQ(built["success"], true) << built;
  EXPECT_EQ(read_file(parts() / "tool"), "#!/bin/sh\necho 3.0\n");
  write_file(parts() / "source", "exit 1\n");
  auto broken = post("/self-healing/clean-build", R"({"implementation": "native"})");
  EXPECT_EQ(broken["success"], false);
}

TEST_F(RequirementB7, LetsOneRequestWaitForARepairAndServesOthersBeside) {
  fs::remove(parts() / "source");
  ASSERT_EQ(::mkfifo((parts() / "source").c_str(), 0600), 0);  // the build waits to read it
  const auto id = submit(R"({"kind": "nobody"})");
  auto first = client();
  first.send("POST /self-healing/fix HTTP/1.1\r\nHost: a\r\n\r\n");
  daemon->engine().wait([](const State& state) { return state.components.running().has_value(); },
                        std::chrono::minutes(1));
  for (const char* path : {"/self-healing/fix", "/self-healing/clean-build"}) {
    const HttpAnswer second = client().ask("POST", path, "{}");
    EXPECT_EQ(second.status, 503) << second.body;
    EXPECT_EQ(second.code(), "busy");
  }
  EXPECT_EQ(client().ask("DELETE", "/v1/tasks/" + std::to_string(id)).status, 200);
  std::ofstream(parts() / "source") << "#!/bin/sh\necho 2.0\n";
  EXPECT_EQ(first.read_answer().json()["success"], true);
}

TEST_F(RequirementB7, KnowsWhatItDoesNotKeep) {
  EXPECT_EQ(client().ask("POST", "/self-healing/fix", R"({"component": "x"})").status, 404);
  EXPECT_EQ(client().ask("POST", "/self-healing/fix", R"({"strategy": "pray"})").status, 400);
  EXPECT_EQ(client().ask("POST", "/self-healing/diagnose", R"({"part": "x"})").status, 400);
  // Not all of them.
  EXPECT_EQ(client().ask("POST", "/self-healing/clean-build", R"({"component": 5})").status, 400);
  EXPECT_EQ(client().ask("POST", "/self-healing/fix", R"({"implementation": null})").status, 400);
  EXPECT_EQ(client().ask("GET", "/self-healing/fix").status, 405);
}

}  // namespace
}  // namespace almanac::test
