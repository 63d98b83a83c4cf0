// Advisors of a running engine: that help, hang, lie, flood and crash. Whatever they do the tasks
// all run, the switch is on record, and they come back. Requirement A8, for advice: at most three
// attempts with growing delay, then automatic fallback; the switch takes less than 100 ms; the
// service stays available.
#include <almanac/engine/advisor.h>
#include <almanac/projections/wait_reason.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/process_watch.h>

#include <gtest/gtest.h>

#include <semaphore>
#include <string>
#include <utility>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

// Does what a file says that it reads before each answer; "good" ranks the last first. A request
// has the number of the line first, and the fields of a task in the order of the alphabet.
constexpr const char* script = R"SH(
while read -r line; do
  id=${line#*:} id=${id%%,*}
  rank=${line#*\"rank\":} rank=${rank%%,*}
  ids=$(printf '%s\n' "$line" | grep -o '"id":[0-9]*,"kind"' | tr -dc '0-9\n' | tac | paste -sd, -)
  order=$ids
  case $(cat mode) in
    hang) [ -p asked ] && echo asked > asked; while :; do sleep 1; done ;;
    crash) echo 'no more memory' >&2; exit 7 ;;
    flood) while :; do echo '{"id":1}'; done ;;
    babble) echo 'let me think'; continue ;;
    error) echo "{\"id\":$id,\"error\":\"no idea\"}"; continue ;;
    late) rank=$((rank - 1)) ;;
    unknown) order=$ids,77777 ; order=${order#*,} ;;
    duplicate) order=${ids%%,*},${ids%%,*} ;;
  esac
  echo "{\"id\":$id,\"answer\":{\"rank\":$rank,\"order\":[$order]}}"
done
)SH";

class AdvisorTest : public EngineTest {
 protected:
  void advises(const std::string& mode) { write_file(folder / "mode", mode); }
  [[nodiscard]] AdvisorSpec spec() const {
    return {.name = "ranker",
            .command = {.arguments = {"/bin/sh", "-c", script}, .working_folder = folder.path()},
            .size = 1,
            .interval = 1ms,
            .timeout = 10s,
            .start_timeout = 500ms,
            .backoff = 10ms,
            .probe_backoff = 5ms,
            .probe_backoff_max = 50ms};
  }
  void open_with(AdvisorSpec advisor, std::uint32_t slots = 1) {
    open({.slots = slots, .advisor = std::move(advisor)});
  }
  [[nodiscard]] static AdvisorRecord record_in(const State& state) {
    const auto id = state.names.find("ranker");
    const AdvisorRecord* record = id ? state.advisors.all.find(*id) : nullptr;
    return record == nullptr ? AdvisorRecord() : *record;
  }
  bool wait_until(AdvisorMode mode) {
    return engine->wait([&](const State& state) { return record_in(state).mode == mode; }, 60s);
  }
  template <class Body>
  [[nodiscard]] std::vector<Time> times_of() const {
    std::vector<Time> times;
    EXPECT_TRUE(engine->log().read(Position(1), [&](const RecordedEvent& event) -> Result<bool> {
      if (std::holds_alternative<Body>(event.event.body)) times.push_back(event.event.at);
      return event.position < engine->state()->position;
    }));
    return times;
  }
  struct Fall {
    AdvisorFault fault = AdvisorFault::unavailable;
    std::uint32_t attempts = 0;
    std::string evidence;
  };
  [[nodiscard]] Fall last_fall() const {
    Fall last;
    EXPECT_TRUE(
        engine->log().read_one(record_in(*engine->state()).trouble, [&](const Event& event) {
          const auto& fell = std::get<AdvisorFellBack>(event.body);
          last = {fell.fault, fell.attempts, std::string(fell.evidence)};
        }));
    return last;
  }
  [[nodiscard]] static PoolRecord pool_in(const State& state) {
    const auto id = state.names.find(pool_of_advisor("ranker"));
    const PoolRecord* record = id ? state.pools.all.find(*id) : nullptr;
    return record == nullptr ? PoolRecord() : *record;
  }
  // One task that runs until `gate` is opened, and some that wait behind it.
  std::vector<TaskId> submit_backlog(std::size_t count) {
    engine->handle("work", [this](const Attempt& attempt) {
      if (as_text(attempt.payload) == "first") gate.acquire();
      return Outcome::success();
    });
    std::vector<TaskId> ids = {submit({.kind = "work", .payload = "first"})};
    wait_for(ids[0], TaskState::running);
    for (std::size_t i = 0; i < count; ++i) ids.push_back(submit({.kind = "work"}));
    return ids;
  }
  [[nodiscard]] std::vector<TaskId> begun() const {
    std::vector<TaskId> ids;
    EXPECT_TRUE(engine->log().read(Position(1), [&](const RecordedEvent& event) -> Result<bool> {
      if (const auto* start = std::get_if<TaskStarted>(&event.event.body)) ids.push_back(start->id);
      return event.position < engine->state()->position;
    }));
    return ids;
  }

  std::binary_semaphore gate{0};
};

TEST_F(AdvisorTest, SaysWhichTasksBeginFirstAndTheLogSaysWhoDid) {
  advises("good");
  auto advisor = spec();
  advisor.has_fallback = false;  // so that nothing begins before it has spoken
  open_with(advisor);
  engine->handle("work", [](const Attempt&) { return Outcome::success(); });
  ASSERT_TRUE(engine->submit(std::vector<TaskSpec>(3, {.kind = "work"})));
  wait_until_all_ended();
  EXPECT_EQ(begun(), (std::vector<TaskId>{TaskId(3), TaskId(2), TaskId(1)}));
  EXPECT_EQ(record_in(*engine->state()).begun, 3U);
  EXPECT_EQ(record_in(*engine->state()).returned, 1U);
  close();
  open();
  EXPECT_EQ(record_in(*engine->state()).begun, 3U) << "whatever advisor there is now";
}

struct Case {
  const char* mode;
  AdvisorFault fault;
  const char* evidence;
  Duration timeout = 10s;  // short where nobody is there to give the next answer
};
void PrintTo(const Case& one, std::ostream* out) { *out << one.mode; }
class BadAdvisor : public AdvisorTest, public ::testing::WithParamInterface<Case> {};

TEST_P(BadAdvisor, IsLeftOnRecordWhileTheTasksRunAndComesBack) {
  const auto [mode, fault, said, timeout] = GetParam();
  advises("good");
  auto advisor = spec();
  advisor.timeout = timeout;
  open_with(advisor);
  ASSERT_TRUE(wait_until(AdvisorMode::advising));
  advises(mode);
  const auto ids = submit_backlog(3);
  ASSERT_TRUE(wait_until(AdvisorMode::fallen_back));
  const Fall fall = last_fall();
  EXPECT_EQ(name(fall.fault), name(fault));
  EXPECT_EQ(fall.attempts, 3U);
  EXPECT_NE(fall.evidence.find(said), std::string::npos) << fall.evidence;
  gate.release();
  wait_until_all_ended();
  advises("good");
  ASSERT_TRUE(wait_until(AdvisorMode::advising));
  EXPECT_EQ(record_in(*engine->state()).fell_back_for(fault), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    AdvisorTest, BadAdvisor,
    ::testing::Values(Case{"crash", AdvisorFault::ended, "no more memory", 1s},
                      Case{"flood", AdvisorFault::protocol, "it ", 1s},
                      Case{"babble", AdvisorFault::protocol, "let me think", 1s},
                      Case{"error", AdvisorFault::refused, "no idea"},
                      Case{"late", AdvisorFault::late, "it answers request"},
                      Case{"unknown", AdvisorFault::unknown_task, "task 77777"},
                      Case{"duplicate", AdvisorFault::duplicate_task, "twice"}),
    [](const auto& one) { return std::string(one.param.mode); });

TEST_F(AdvisorTest, RequirementA8OneThatHangsHasThreeAttemptsAndNobodyWaitsForIt) {
  advises("good");
  auto advisor = spec();
  advisor.size = 3;  // one for each attempt
  advisor.timeout = 1s;
  advisor.start_timeout = 3s;
  advisor.backoff = 100ms;
  open_with(advisor, 2);
  ASSERT_TRUE(engine->configure_queue("default", 1));
  ASSERT_TRUE(wait_until(AdvisorMode::advising));
  ASSERT_TRUE(engine->wait([](const State& state) { return pool_in(state).alive == 3; }, 60s));
  const auto before = times_of<InstanceRetired>().size();
  advises("hang");
  const auto ids = submit_backlog(2);
  const TaskId meanwhile = submit({.kind = "work", .queue = "free"});
  wait_until_ended(meanwhile);
  EXPECT_LT(task(meanwhile).ended_at - task(meanwhile).enqueued_at, 100ms);
  ASSERT_TRUE(wait_until(AdvisorMode::fallen_back));
  EXPECT_EQ(last_fall().fault, AdvisorFault::timed_out);
  EXPECT_EQ(last_fall().attempts, 3U);

  ASSERT_TRUE(engine->wait(
      [](const State& state) { return pool_in(state).retired_for(PoolRetirement::discarded) == 3; },
      60s));
  const auto retired = times_of<InstanceRetired>();
  const Time last = retired[before + 2];
  EXPECT_GE(retired[before + 1] - retired[before], 1'050ms);
  EXPECT_GE(last - retired[before + 1], 1'150ms) << "the delay grows";
  const Time fell = times_of<AdvisorFellBack>().back();
  EXPECT_LT(fell - last, 100ms);
  gate.release();
  wait_until_all_ended();
}

TEST_F(AdvisorTest, OneThatCannotBeStartedIsOnRecordOnceAndTheTasksRun) {
  auto advisor = spec();
  advisor.command = {.arguments = {"/bin/false"}};
  advisor.timeout = 20ms;
  open_with(advisor);
  engine->handle("work", [](const Attempt&) { return Outcome::success(); });
  const TaskId id = submit({.kind = "work"});
  wait_until_ended(id);
  ASSERT_TRUE(wait_until(AdvisorMode::fallen_back));
  EXPECT_EQ(last_fall().fault, AdvisorFault::unavailable);
  EXPECT_EQ(times_of<AdvisorFellBack>().size(), 1U);
}

TEST_F(AdvisorTest, WhatWaitsForOneThatDoesNotAdviseIsSaidToWaitForIt) {
  advises("error");
  auto advisor = spec();
  advisor.has_fallback = false;
  advisor.timeout = 200ms;
  open_with(advisor);
  engine->handle("work", [](const Attempt&) { return Outcome::success(); });
  const TaskId id = submit({.kind = "work"});
  ASSERT_TRUE(wait_until(AdvisorMode::holding_back));
  const auto state = engine->state();
  const auto reason = wait_reason(*state, id, task(id).enqueued_at);
  ASSERT_TRUE(reason.has_value());
  EXPECT_EQ(reason->wait, Wait::advice);
  EXPECT_EQ(reason->limit, state->names.find("ranker"));
  advises("good");
  wait_until_ended(id);
  EXPECT_EQ(record_in(*engine->state()).mode, AdvisorMode::advising);
}

TEST_F(AdvisorTest, AStopWaitsForNoAnswer) {
  advises("good");
  auto advisor = spec();
  advisor.timeout = 1h;
  open_with(advisor);
  ASSERT_TRUE(wait_until(AdvisorMode::advising));
  advises("hang");
  NamedPipe asked(folder / "asked");
  submit_backlog(2);
  EXPECT_EQ(asked.read_line(), "asked");
  gate.release();
  wait_until_all_ended();
  close();  // or the test takes an hour
}

TEST_F(AdvisorTest, WhatCannotBeIsRefused) {
  const auto error_of = [&](auto change) {
    auto advisor = spec();
    change(advisor);
    const auto opened = Engine::open({.folder = folder / "other", .advisor = advisor});
    return opened ? ErrorCode::io : opened.error().code;
  };
  EXPECT_EQ(error_of([](AdvisorSpec& one) { one.name.clear(); }), ErrorCode::invalid);
  EXPECT_EQ(error_of([](AdvisorSpec& one) { one.command.arguments.clear(); }), ErrorCode::invalid);
  EXPECT_EQ(error_of([](AdvisorSpec& one) { one.size = 0; }), ErrorCode::invalid);
  EXPECT_EQ(error_of([](AdvisorSpec& one) { one.tasks_max = 1'001; }), ErrorCode::invalid);
  EXPECT_EQ(error_of([](AdvisorSpec& one) { one.attempts_max = 0; }), ErrorCode::invalid);
  EXPECT_EQ(error_of([](AdvisorSpec& one) { one.timeout = Duration(0); }), ErrorCode::invalid);
}

}  // namespace
}  // namespace almanac::test
