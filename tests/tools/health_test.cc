// `almanac health`: what it finds, in words, in JSON and in its exit code.
#include <almanac/engine/pool.h>
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/process_watch.h>

#include <nlohmann/json.hpp>

#include <csignal>
#include <memory>
#include <regex>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

class HealthOfAFolder : public EngineTest {
 protected:
  [[nodiscard]] CommandOutput almanac(std::vector<std::string> words,
                                      std::string input = {}) const {
    words.insert(words.end(), {"--dir", "log"});
    return run_almanac(
        {.arguments = std::move(words), .folder = folder.path(), .input = std::move(input)});
  }
  // So many attempts of commands that succeed, then so many that fail.
  void run(int succeeding, int failing) {
    std::string tasks;
    for (int i = 0; i < succeeding + failing; ++i) {
      tasks += json{{"name", "task-" + std::to_string(++named_)},
                    {"shell", i < succeeding ? "true" : "false"}}
                   .dump() +
               "\n";
    }
    (void)almanac({"run", "-"}, tasks);
  }
  // The engine on this folder had so much to do and is gone.
  void open_and_close(std::vector<TaskSpec> specs, EngineOptions options = {}) {
    open(std::move(options));
    for (TaskSpec& spec : specs) submit(std::move(spec));
    close();
  }
  void expect_reason(const std::string& health, const std::string& sentence) const {
    const CommandOutput told = almanac({"health"});
    EXPECT_EQ(told.code, 1);
    EXPECT_TRUE(
        std::regex_search(told.output, std::regex("\n  " + health + " +" + sentence + "\n")))
        << told.output;
  }

 private:
  int named_ = 0;
};

TEST_F(HealthOfAFolder, IsHealthyWhereAllGoesWell) {
  run(20, 1);
  const CommandOutput told = almanac({"health"});
  EXPECT_EQ(told.output, "healthy\n");
  EXPECT_EQ(told.code, 0);
}

TEST_F(HealthOfAFolder, SaysWhichKindFailsAndHowOften) {
  run(11, 1);
  expect_reason("degraded",
                R"(1 of 12 attempts of kind 'command' failed in the last 1h \(8\.3%\))");
  run(0, 5);
  expect_reason("unhealthy",
                R"(6 of 17 attempts of kind 'command' failed in the last 1h \(35\.3%\))");
  const CommandOutput told = almanac({"health", "--json"});
  const json object = json::parse(told.output);
  EXPECT_EQ(told.code, 1);
  EXPECT_EQ(object["health"], "unhealthy");
  EXPECT_EQ(object["reasons"][0]["health"], "unhealthy");
}

TEST_F(HealthOfAFolder, CountsAttemptsThatCrashedWithTheLastOne) {
  (void)almanac({"run", "-"}, R"({"name":"dies","shell":"kill -SEGV $$","crashes":3})"
                              "\n");
  expect_reason("degraded", "3 attempts crashed in the last 1h");
}

TEST_F(HealthOfAFolder, CountsOnlyWhatEndedInTheWindow) {
  run(0, 12);
  EXPECT_EQ(almanac({"health", "--window", "1us"}).code, 0);
  EXPECT_EQ(almanac({"health", "--at", "1"}).code, 0);
  EXPECT_EQ(almanac({"health"}).code, 1);
}

TEST_F(HealthOfAFolder, KnowsWhatIsOverdueAndThatNoEngineRuns) {
  open_and_close({{.kind = "none", .deadline = system_time() - 1h}, {.kind = "none"}});
  expect_reason("degraded", "1 task is behind the deadline and not done");
  expect_reason("degraded", "no engine runs, and 2 tasks could begin");
}

TEST_F(HealthOfAFolder, KnowsOpenCircuits) {
  open({});
  ASSERT_TRUE(engine->force_circuit("search", CircuitState::forced_open));
  ASSERT_TRUE(engine->configure_circuit(
      "index", {.consecutive_failures = 1, .cooldown = 1h, .cooldown_max = 1h}));
  { auto failing = (*engine->circuit("index"))->allow(); }
  ASSERT_TRUE(engine->wait([](const State& state) {
    return circuit_of(state.circuits, *state.names.find("index")).state == CircuitState::open;
  }));
  close();
  expect_reason("degraded", "the circuit of 'search' is kept open until it is reset");
  expect_reason("degraded", "the circuit of 'index' is open until [0-9T:-]+Z");
}

TEST_F(HealthOfAFolder, KnowsComponentsThatRunOnAFallback) {
  const auto broken = []() -> Result<std::string> { return almanac::fail(ErrorCode::io, "no"); };
  open({.components = {
            {.name = "tool",
             .folder = folder.path(),
             .implementations = {
                 {.name = "native", .kind = ComponentKind::builtin, .builtin_probe = broken},
                 {.name = "plain", .kind = ComponentKind::builtin}}}}});
  ASSERT_TRUE(engine->wait([](const State& state) {
    const Component& tool = (*state.components.all.begin()).value;
    return tool.active && state.names.text(*tool.active) == "plain";
  }));
  close();
  expect_reason("degraded", "the component 'tool' runs on 'plain' in place of 'native'");
}

TEST_F(HealthOfAFolder, KnowsPoolsThatLoseInstances) {
  open({});
  {
    auto pool = Pool<int>::open(*engine->on_record({.name = "reasoners", .size = 1}),
                                {.create = [] { return std::make_unique<int>(1); }});
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(pool->warm_up(30s));
      pool->check_out()->discard("it has lost its mind");
    }
    ASSERT_TRUE(engine->wait([](const State& state) {
      std::uint64_t discarded = 0;
      for (const auto& [id, record] : state.pools.all) {
        discarded += record.retired_for(PoolRetirement::discarded);
      }
      return discarded == 3;
    }));
  }
  close();
  expect_reason("degraded",
                "the pool 'reasoners' has lost or could not make 3 instances in the last 1h");
  EXPECT_EQ(almanac({"health", "--window", "1us"}).code, 0);
}

TEST_F(HealthOfAFolder, TellsSinceWhenAsTheEngineHasPutItOnRecord) {
  ManualClock clock;
  open({.clock = clock.function(), .health_hold = 30s});
  ASSERT_TRUE(engine->force_circuit("search", CircuitState::forced_open));
  for (const Duration later : {Duration(2s), Duration(31s)}) {
    clock.advance(later);
    ASSERT_TRUE(engine->configure_queue("any", 1));  // so that it looks at its clock
  }
  EXPECT_EQ(engine->state()->health.health, Health::degraded);
  engine->stop_at_once();
  close();
  const CommandOutput told = almanac({"health"});
  EXPECT_TRUE(told.output.starts_with("degraded since 2023-11-14T22:13:53Z\n")) << told.output;
  const json object = json::parse(almanac({"health", "--json"}).output);
  EXPECT_EQ(object["recorded"]["health"], "degraded");
  EXPECT_EQ(object["recorded"]["changes"], 1);
  ASSERT_EQ(almanac({"circuit", "reset", "search"}).code, 0);
  EXPECT_EQ(almanac({"health"}).output,
            "healthy\n  on record  degraded since 2023-11-14T22:13:53Z\n");
}

TEST_F(HealthOfAFolder, KnowsBackupsThatAreOverdueOrFail) {
  ManualClock past;
  open_and_close({}, {.clock = past.function(),
                      .backups = {.repository = folder / "backup",
                                  .jobs = {{.action = BackupAction::snapshot,
                                            .recurrence = *Recurrence::parse("every 1 hour")}}}});
  expect_reason("degraded", "the backup job 'snapshot' was due at 2023-11-14T23:[0-9:]+Z");
}

TEST_F(HealthOfAFolder, KnowsAnEngineThatHasDiedAndOneThatDiesAgainAndAgain) {
  NamedPipe arrived(folder / "arrived");
  write_file(folder / "w.jsonl",
             json{{"shell", "echo here > " + arrived.path() + "; exec sleep 60"}}.dump() + "\n");
  for (int death = 1; death <= 3; ++death) {
    ChildProcess running(
        {almanac_path(), "run", folder / "w.jsonl", "--dir", log_folder().string()});
    EXPECT_EQ(arrived.read_line(), "here");
    running.kill(SIGKILL);
    running.wait();
    expect_reason("unhealthy", "the engine \\(process [0-9]+\\) has died, with 1 task to do");
  }
  expect_reason("degraded", "the engine died 2 times in the last 1h");
}

TEST_F(HealthOfAFolder, IsHealthyBesideAnEngineThatWorks) {
  open({});
  engine->handle("ask", [](const Attempt&) { return almanac::Outcome::success(); });
  wait_for(submit({.kind = "ask"}), TaskState::succeeded);
  EXPECT_EQ(almanac({"health"}).output, "healthy\n");
}

TEST_F(HealthOfAFolder, KnowsAnEngineThatDoesNotDoWhatIsDue) {
  ManualClock stopped;
  open({.clock = stopped.function()});
  submit({.kind = "none", .run_at = stopped.now() + 1h});
  const CommandOutput told = almanac({"health"});
  EXPECT_NE(told.output.find("unhealthy  the engine has not done what was due at 2023-11-14T23:"),
            std::string::npos)
      << told.output;
  engine->stop_at_once();
}

}  // namespace
}  // namespace almanac::test
