// Requirement A5: diagnostics are exported to one JSON file, without secrets.
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/file_bytes.h>

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

class RequirementA5 : public EngineTest {
 protected:
  // Whatever a program gives to the engine that may be a secret says "canary".
  void fill() {
    open({});
    engine->handle("ask", [](const Attempt&) {
      return almanac::Outcome::permanent_failure("the key canary timed out");
    });
    engine->handle("tell", [](const Attempt& attempt) {
      attempt.progress({.fraction = 0.5, .message = "canary", .partial = "canary"});
      return almanac::Outcome::success("canary");
    });
    ASSERT_TRUE(engine->configure_queue({.queue = "mail", .slots = 3, .retain_failed = 5min}));
    ASSERT_TRUE(engine->configure_limit("memory", {.units = 8}));
    ASSERT_TRUE(engine->configure_circuit("search", {.cooldown = 7s}));
    ASSERT_TRUE(engine->pause(PauseScope::queue, "night"));
    ASSERT_TRUE(engine->define_schedule(
        {.name = "nightly",
         .recurrence = *Recurrence::parse("every day"),
         .task = {.kind = "tell", .label = "canary", .payload = "canary"}}));
    ask = submit({.kind = "ask",
                  .queue = "mail",
                  .label = "canary",
                  .payload = "canary",
                  .tags = {"canary"},
                  .owner = "canary",
                  .idempotency_key = "canary"});
    const TaskId told = submit({.kind = "tell"});
    const TaskId ran = submit_command({.arguments = {"sh", "-c", "echo canary; exit 3 # canary"},
                                       .environment = {{"SECRET", "canary"}}});
    submit({.kind = "ask", .queue = "night", .label = "canary"});
    wait_for(ask, TaskState::failed);
    wait_for(told, TaskState::succeeded);
    wait_for(ran, TaskState::failed);
  }
  [[nodiscard]] CommandOutput export_to(std::string file) const {
    return run_almanac({.arguments = {"diagnostics", "export", std::move(file), "--dir", "log"},
                        .folder = folder.path()});
  }
  TaskId ask;
};

TEST_F(RequirementA5, OneFileHasWhatHelpsFromAfar) {
  fill();
  close();
  ASSERT_EQ(export_to("problem.json").code, 0);
  const json all = json::parse(read_file(folder / "problem.json"));
  EXPECT_EQ(all["format"], 1);
  EXPECT_GE(all["machine"]["processors"], 1);
  EXPECT_GT(all["machine"]["memory_bytes"], 0);
  EXPECT_FALSE(all["almanac"]["version"].get<std::string>().empty());
  EXPECT_EQ(all["engine"]["starts"], 1);
  EXPECT_EQ(all["engine"]["running"], false);
  EXPECT_EQ(all["log"]["verification"]["whole"], true);
  EXPECT_EQ(all["log"]["last"], all["state"]["position"]);
  EXPECT_EQ(all["state"]["broken"], json::array());
  EXPECT_EQ(all["configuration"]["queues"]["mail"]["slots"], 3);
  EXPECT_EQ(all["configuration"]["queues"]["mail"]["retain_failed_us"], 300'000'000);
  EXPECT_EQ(all["configuration"]["limits"]["memory"]["units"], 8);
  EXPECT_EQ(all["configuration"]["circuits"]["search"]["cooldown_us"], 7'000'000);
  EXPECT_EQ(all["configuration"]["schedules"]["nightly"]["recurrence"], "every day");
  EXPECT_EQ(all["configuration"]["paused"][0]["name"], "night");
  EXPECT_EQ(all["stats"]["all"]["failed"], 2);
  EXPECT_EQ(all["stats"]["kinds"]["tell"]["succeeded"], 1);
  EXPECT_EQ(all["stats"]["queues"]["mail"]["failed"], 1);
  EXPECT_EQ(all["waits"][0]["queue"], "night");
  EXPECT_EQ(all["health"]["health"], "healthy") << all["health"];
  ASSERT_EQ(all["errors"].size(), 2U);
  for (const json& error : all["errors"]) {
    if (error["task"] != ask.value) continue;
    EXPECT_EQ(error["kind"], "ask");
    EXPECT_EQ(error["recognised"], json({"timeout"}));
  }
}

TEST_F(RequirementA5, NoSecretIsInIt) {
  fill();
  close();
  ASSERT_EQ(export_to("problem.json").code, 0);
  const std::string text = read_file(folder / "problem.json");
  const auto found = text.find("canary");
  EXPECT_EQ(found, std::string::npos) << text.substr(found < 200 ? 0 : found - 200, 400);
}

TEST_F(RequirementA5, ItIsMadeBesideAnEngineThatRunsToo) {
  fill();
  const CommandOutput printed = export_to("-");
  EXPECT_EQ(printed.code, 0) << printed.errors;
  const json all = json::parse(printed.output);
  EXPECT_EQ(all["engine"]["running"], true);
  EXPECT_EQ(all["log"]["verification"]["whole"], true);
}

TEST_F(RequirementA5, AFileThatIsThereStaysAsItIs) {
  open({});
  close();
  write_file(folder / "problem.json", "mine");
  EXPECT_EQ(export_to("problem.json").code, 4);
  EXPECT_EQ(read_file(folder / "problem.json"), "mine");
}

}  // namespace
}  // namespace almanac::test
