// Limits decide what starts: by example, and in random runs against the simplest chooser there is.
#include <almanac/engine/dispatch.h>
#include <almanac/projections/invariants.h>
#include <almanac/projections/lane_claims.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace almanac::test {
namespace {

using std::chrono::seconds;
using Ids = std::vector<std::uint64_t>;

class ResourceLimitsTest : public ::testing::Test {
 protected:
  void set(std::string name, LimitSetting setting) {
    const auto answer = desk.ask(ConfigureLimit{std::move(name), setting});
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
  }
  TaskId submit(std::vector<TaskDemand> demands, std::int32_t priority = 0) {
    return desk.submit({.kind = "work", .priority = priority, .demands = std::move(demands)});
  }
  Ids started() {
    Ids ids;
    for (TaskId id : desk.start()) ids.push_back(id.value);
    return ids;
  }
  void finish(std::uint64_t id) { desk.finish(TaskId(id), AttemptStatus::succeeded); }
  Error refusal(TaskSpec spec) {
    std::vector<TaskSpec> specs;
    specs.push_back(std::move(spec));
    return error_of(desk.ask(EnqueueTasks{std::move(specs)}));
  }
  std::uint64_t in_use(std::string_view limit) {
    return units_in_use(desk.state(), *desk.state().names.find(limit));
  }

  Desk desk{{.slots = 100}};
};

TEST_F(ResourceLimitsTest, HoldNoMoreThanThereIs) {
  set("memory", {.units = 10});
  for (int i = 0; i < 4; ++i) submit({{"memory", 4}});
  submit({});
  EXPECT_EQ(started(), (Ids{1, 2, 5})) << "who asks for nothing is not held up";
  EXPECT_EQ(in_use("memory"), 8U);
  finish(1);
  EXPECT_EQ(started(), (Ids{3}));
}

TEST_F(ResourceLimitsTest, GiveBackASlotHoweverAnAttemptEnds) {
  set("memory", {.units = 1});
  const TaskId id = desk.submit({.kind = "work", .attempts_max = 9, .demands = {{"memory", 1}}});
  const auto starts = [&] {
    desk.now += std::chrono::hours(1);
    desk.come_due();
    return !desk.start().empty();
  };
  for (AttemptStatus status : {AttemptStatus::error, AttemptStatus::exited, AttemptStatus::signaled,
                               AttemptStatus::timed_out, AttemptStatus::not_started}) {
    ASSERT_TRUE(starts()) << name(status);
    desk.finish(id, status);
    ASSERT_EQ(in_use("memory"), 0U) << name(status);
  }
  ASSERT_TRUE(starts());
  ASSERT_TRUE(desk.ask(HandBackAttempt{id, desk.token(desk.task(id).lease)}).has_value());
  EXPECT_EQ(in_use("memory"), 0U);
  ASSERT_TRUE(starts());
  desk.cancel(id);
  EXPECT_EQ(in_use("memory"), 1U) << "until it has stopped";
  desk.finish(id, AttemptStatus::signaled);
  EXPECT_EQ(in_use("memory"), 0U);
}

TEST_F(ResourceLimitsTest, AreFreeAgainWhenTheEngineDied) {
  set("gpu", {.units = 2});
  set("kind:work", {.units = 2});
  ASSERT_TRUE(desk.ask(ConfigureQueue{"default", 2}).has_value());
  for (int i = 0; i < 6; ++i) submit({{"gpu", 1}});
  EXPECT_EQ(started(), (Ids{1, 2}));
  for (int death = 0; death < 5; ++death) {
    Desk next(desk.state(), {.slots = 100});
    EXPECT_EQ(units_in_use(next.state(), *next.state().names.find("gpu")), 0U);
    EXPECT_EQ(next.start().size(), 2U) << "both slots are there after death " << death;
    EXPECT_EQ(broken_invariants(next.state()), std::vector<std::string>());
  }
}

TEST_F(ResourceLimitsTest, CountEveryTaskOfAKindThatHasOne) {
  set("kind:work", {.units = 2});
  for (int i = 0; i < 3; ++i) submit({});
  desk.submit({.kind = "other"});
  EXPECT_EQ(started(), (Ids{1, 2, 4}));
  set("kind:work", {});
  EXPECT_EQ(started(), (Ids{3})) << "lifted, it holds nobody";
}

TEST_F(ResourceLimitsTest, CountEachKeyOfAFamilyByItself) {
  set("customer:*", {.units = 1});
  submit({{"customer:1", 1}});
  submit({{"customer:1", 1}});
  submit({{"customer:2", 1}});
  EXPECT_EQ(started(), (Ids{1, 3}));
}

TEST_F(ResourceLimitsTest, AreNotPassedByWhatRunsWhenTheyAreLowered) {
  set("memory", {.units = 8});
  for (int i = 0; i < 3; ++i) submit({{"memory", 4}});
  EXPECT_EQ(started(), (Ids{1, 2}));
  set("memory", {.units = 3});
  finish(1);
  finish(2);
  EXPECT_EQ(started(), Ids{});
  const auto blocked = blocked_lanes(desk.state(), desk.now, can_run_all);
  ASSERT_EQ(blocked.size(), 1U);
  EXPECT_EQ(blocked[0].wait.reason, LaneBlock::too_large);
  submit({{"memory", 3}});
  EXPECT_EQ(started(), (Ids{4})) << "what can never run keeps nothing";
}

TEST_F(ResourceLimitsTest, RefuseWhatCanNeverRunWithNumbers) {
  set("memory", {.units = 16});
  set("api", {.per_minute = 60, .burst = 5});
  EXPECT_EQ(refusal({.kind = "work", .label = "big", .demands = {{"memory", 20}}}).message,
            "'big' is refused: it asks for 20 of the limit 'memory', which has 16: it could never "
            "run");
  EXPECT_EQ(refusal({.kind = "work", .label = "big", .demands = {{"api", 6}}}).message,
            "'big' is refused: it asks for 6 of the limit 'api', which has 5 tokens at most: it "
            "could never run");
  EXPECT_EQ(refusal({.kind = "work", .demands = {{"memroy", 1}}}).code, ErrorCode::not_found);
  EXPECT_EQ(refusal({.kind = "work", .demands = {{"memory", 0}}}).code, ErrorCode::invalid);
  EXPECT_EQ(refusal({.kind = "work", .demands = {{"memory", 1}, {"memory", 1}}}).code,
            ErrorCode::invalid);
  EXPECT_EQ(refusal({.kind = "work", .demands = {{"kind:work", 1}}}).code, ErrorCode::invalid);
}

TEST_F(ResourceLimitsTest, RefuseSettingsThatMakeNoSense) {
  const auto refuses = [&](std::string name, LimitSetting setting) {
    return !desk.ask(ConfigureLimit{std::move(name), setting}).has_value();
  };
  for (const char* name : {"", "queue:x", "kind:*", "kind:", "a*", "a:b*", "*:*", "bell\a"}) {
    EXPECT_TRUE(refuses(name, {.units = 1})) << name;
  }
  EXPECT_TRUE(refuses("*", {.units = 1}));
  EXPECT_TRUE(refuses("recovery:q", {.units = 1, .per_minute = 1, .burst = 1}));
  EXPECT_TRUE(refuses("api", {.per_minute = 5}));
  EXPECT_TRUE(refuses("api", {.burst = 5}));
  set("api", {.per_minute = 5, .burst = 1});
  set("api", {.per_minute = 5, .burst = 1});
  EXPECT_TRUE(desk.last().empty()) << "set so already";
}

// --- Tokens -------------------------------------------------------------------------------------

TEST_F(ResourceLimitsTest, StartNoMoreThanTheTokensAndSayWhenTheNextMay) {
  set("api", {.per_minute = 60, .burst = 2});
  for (int i = 0; i < 4; ++i) submit({{"api", 1}});
  EXPECT_EQ(started(), (Ids{1, 2}));
  EXPECT_EQ(started(), Ids{});
  EXPECT_EQ(desk.next_start(), desk.now + seconds(1));
  finish(1);
  EXPECT_EQ(started(), Ids{}) << "tokens do not come back with the task";
  desk.now += seconds(1);
  EXPECT_EQ(started(), (Ids{3}));
}

TEST_F(ResourceLimitsTest, TakeTokensForPrograms) {
  set("api", {.per_minute = 60, .burst = 2});
  const auto ask = [&](std::uint32_t tokens) {
    return desk.ask(TakeTokens{.limit = "api", .tokens = tokens});
  };
  const auto takes = [&](std::uint32_t tokens) { return std::get<bool>(ask(tokens).value()); };
  EXPECT_TRUE(takes(2));
  EXPECT_FALSE(takes(1));
  EXPECT_TRUE(desk.last().empty());
  EXPECT_EQ(ask(3).error().code, ErrorCode::refused);
  EXPECT_EQ(ask(0).error().code, ErrorCode::invalid);
  desk.now += seconds(1);
  EXPECT_TRUE(takes(1));
}

// --- Several at once ----------------------------------------------------------------------------

TEST_F(ResourceLimitsTest, KeepATurnForALargeDemandAmongSmallOnes) {
  set("memory", {.units = 8});
  for (int i = 0; i < 4; ++i) submit({{"memory", 2}});  // 1 … 4
  EXPECT_EQ(started().size(), 4U);
  submit({{"memory", 8}});  // 5
  for (int i = 0; i < 50; ++i) submit({{"memory", 2}});
  for (std::uint64_t id = 1; id <= 3; ++id) {
    finish(id);
    EXPECT_EQ(started(), Ids{}) << "what is freed is kept for 5";
  }
  finish(4);
  EXPECT_EQ(started(), (Ids{5}));
}

TEST_F(ResourceLimitsTest, SayWhenThereAreTokensForOneBehindAnotherThatKeepsSome) {
  set("mail", {.per_minute = 60, .burst = 2});
  ASSERT_TRUE(desk.ask(ConfigureQueue{"narrow", 1}).has_value());
  desk.submit({.kind = "work", .queue = "narrow"});
  const TaskId drains = desk.submit({.kind = "work", .demands = {{"mail", 2}}});
  EXPECT_EQ(desk.start().size(), 2U);
  desk.submit({.kind = "work", .queue = "narrow", .demands = {{"mail", 1}}});
  desk.now += std::chrono::seconds(1);
  EXPECT_EQ(desk.start(), std::vector<TaskId>());
  const TaskId behind = desk.submit({.kind = "work", .demands = {{"mail", 1}}});
  EXPECT_EQ(desk.start(), std::vector<TaskId>()) << "the token that is there is kept";
  ASSERT_EQ(desk.next_start(), desk.task(drains).started_at + std::chrono::seconds(2));
  desk.now = *desk.next_start();
  EXPECT_EQ(desk.start(), std::vector<TaskId>{behind});
}

TEST_F(ResourceLimitsTest, AreAskedForInTheOrderOfTheQueuesPolicy) {
  set("memory", {.units = 2});
  ConfigureQueue fifo{.queue = "default", .policy = QueuePolicy::fifo};
  ASSERT_TRUE(desk.ask(fifo).has_value());
  submit({{"memory", 1}});
  submit({{"memory", 2}}, 1);
  submit({{"memory", 1}}, 2);
  submit({});
  EXPECT_EQ(started(), (Ids{1, 4})) << "2 keeps its turn, and who asks for nothing is not held up";
  EXPECT_EQ(broken_invariants(desk.state()), std::vector<std::string>());
  finish(1);
  EXPECT_EQ(started(), (Ids{2}));
  finish(2);
  EXPECT_EQ(started(), (Ids{3}));
}

TEST_F(ResourceLimitsTest, KeepNothingOfWhatIsSecuredLater) {
  set("a", {.units = 1});
  set("b", {.units = 4});
  submit({{"a", 1}});  // holds a
  EXPECT_EQ(started(), (Ids{1}));
  submit({{"a", 1}, {"b", 4}});  // short of a: b is for others
  submit({{"b", 4}});
  EXPECT_EQ(started(), (Ids{3}));
  finish(1);
  submit({{"a", 1}});
  EXPECT_EQ(started(), Ids{}) << "a is kept for 2, which is short of b";
  finish(3);
  EXPECT_EQ(started(), (Ids{2}));
}

// Everybody wants two of five limits, in every order, with one unit each: nobody waits for ever.
TEST_F(ResourceLimitsTest, NeverDeadlock) {
  const std::vector<std::string> names = {"a", "b", "c", "d", "e"};
  for (const std::string& name : names) set(name, {.units = 1});
  for (int round = 0; round < 10; ++round) {
    for (const std::string& one : names) {
      for (const std::string& other : names) {
        if (one != other) submit({{one, 1}, {other, 1}});
      }
    }
  }
  std::size_t turns = 0;
  while (desk.state().tasks.live() > 0) {
    started();
    ASSERT_FALSE(desk.state().tasks.running.empty()) << "nothing runs and nothing can start";
    finish(desk.state().tasks.running.begin()->id.value);
    ASSERT_LT(++turns, 1'000U);
  }
}

// --- In random runs -----------------------------------------------------------------------------

// Looks at all tasks for everything, and at them in order.
class SimpleChooser {
 public:
  SimpleChooser(const State& state, Time now) : state_(state), now_(now) {}

  Ids run() {
    std::vector<std::pair<std::int64_t, std::uint64_t>> ready;
    std::size_t held = 0;
    for (const auto& [id, task] : state_.tasks.all) {
      if (task.state == TaskState::ready) ready.emplace_back(-task.priority, id.value);
      if (holds_lease(task.state)) ++held;
    }
    std::ranges::sort(ready);
    Ids chosen;
    for (const auto& [rank, id] : ready) {
      if (held >= state_.engine.slots) break;
      const Task& task = *state_.tasks.all.find(TaskId(id));
      const Lane lane = lane_of(state_.tasks, TaskId(id), task);
      if (refused_.contains(lane)) continue;
      if (choose(TaskId(id))) {
        chosen.push_back(id);
        ++held;
      } else {
        refused_.insert(lane);
      }
    }
    return chosen;
  }

 private:
  // One of what a task takes: its name, how much, how much there ever is.
  struct Part {
    std::string name;
    std::uint64_t amount;
    std::uint64_t most;
    std::uint64_t free;
  };

  std::uint64_t used(const std::string& limit) const {
    std::uint64_t sum = 0;
    for (const auto& [id, task] : state_.tasks.all) {
      if (!holds_lease(task.state)) continue;
      if (limit == "kind:" + std::string(state_.names.text(task.kind))) ++sum;
      if (limit == "queue:" + std::string(state_.names.text(task.queue))) ++sum;
      for (const auto& demand : state_.tasks.demand_sets.of(state_.tasks.demands_of(id))) {
        if (state_.names.text(demand.limit) == limit) sum += demand.units;
      }
    }
    return sum;
  }
  static std::uint64_t minus(std::uint64_t most, std::uint64_t used) {
    return most > used ? most - used : 0;
  }

  std::vector<Part> parts(TaskId id) const {
    const Task& task = *state_.tasks.all.find(id);
    std::vector<Part> tokens;
    std::vector<Part> slots;
    std::vector<Part> units;
    const auto add = [&](const std::string& name, std::uint64_t amount) {
      const auto limit = state_.names.find(name);
      if (!limit) return;
      const auto setting = setting_of(state_.limits, state_.names, *limit);
      const auto level = tokens_at(state_.limits, *limit, setting, now_);
      if (setting.per_minute > 0)
        tokens.push_back({name + " tokens", amount, setting.burst, level});
      if (setting.units > 0) {
        units.push_back({name, amount, setting.units, minus(setting.units, used(name))});
      }
    };
    add("kind:" + std::string(state_.names.text(task.kind)), 1);
    for (const auto& demand : state_.tasks.demand_sets.of(state_.tasks.demands_of(id))) {
      add(std::string(state_.names.text(demand.limit)), demand.units);
    }
    const std::uint32_t* most = state_.queues.slots.find(task.queue);
    if (most != nullptr && *most > 0) {
      const auto name = "queue:" + std::string(state_.names.text(task.queue));
      slots.push_back({name, 1, *most, minus(*most, used(name))});
    }
    std::vector<Part> all = tokens;
    all.insert(all.end(), slots.begin(), slots.end());
    all.insert(all.end(), units.begin(), units.end());
    return all;
  }

  bool choose(TaskId id) {
    const auto wanted = parts(id);
    if (std::ranges::any_of(wanted, [](const Part& part) { return part.amount > part.most; })) {
      return false;
    }
    for (const Part& part : wanted) {
      auto& free = free_.try_emplace(part.name, part.free).first->second;
      if (part.amount > free) {
        free = 0;
        return false;
      }
      free -= part.amount;
    }
    return true;
  }

  const State& state_;
  Time now_;
  std::map<std::string, std::uint64_t> free_;
  std::set<Lane> refused_;
};

void assert_within_limits(const State& state) {
  std::map<NameId, std::uint64_t> sums;
  for (const auto& [id, task] : state.tasks.all) {
    if (!holds_lease(task.state)) continue;
    for (const auto& demand : state.tasks.demand_sets.of(state.tasks.demands_of(id))) {
      sums[demand.limit] += demand.units;
    }
    if (const NameId* limit = state.limits.kinds.find(task.kind)) ++sums[*limit];
  }
  for (const auto& [limit, sum] : sums) {
    RC_ASSERT(units_in_use(state, limit) == sum);
    const auto setting = setting_of(state.limits, state.names, limit);
    RC_ASSERT(setting.units == 0 || sum <= setting.units);
  }
}

std::vector<TaskDemand> any_demands(const std::vector<std::string>& names) {
  std::set<std::string> chosen;
  for (int left = *rc::gen::inRange(0, 4); left > 0; --left) {
    chosen.insert(*rc::gen::elementOf(names));
  }
  std::vector<TaskDemand> demands;
  for (const std::string& name : chosen) demands.push_back({name, *rc::gen::inRange(1U, 4U)});
  return demands;
}

// Limits are set before anything runs: what holds more when one is lowered goes on.
RC_GTEST_PROP(ResourceLimitsProperty, NeverHoldMoreThanThereIsAndChooseAsTheSimplestDoes, ()) {
  const std::vector<std::string> names = {"a", "b", "c", "key:1", "key:2"};
  const std::vector<std::string> kinds = {"x", "y"};
  Desk desk({.slots = *rc::gen::inRange(1U, 12U)});
  const auto any_setting = [] {
    LimitSetting setting{.units = *rc::gen::inRange(3U, 9U)};
    if (*rc::gen::arbitrary<bool>()) {
      setting.per_minute = *rc::gen::inRange(1U, 600U);
      setting.burst = *rc::gen::inRange(3U, 9U);
    }
    return setting;
  };
  for (const char* name : {"a", "b", "c", "key:*", "key:1"}) {
    RC_ASSERT(desk.ask(ConfigureLimit{name, any_setting()}).has_value());
  }
  if (*rc::gen::arbitrary<bool>()) {
    RC_ASSERT(desk.ask(ConfigureLimit{"kind:x", any_setting()}).has_value());
  }
  if (*rc::gen::arbitrary<bool>()) {
    RC_ASSERT(desk.ask(ConfigureQueue{"q", *rc::gen::inRange(1U, 5U)}).has_value());
  }
  for (int round = 0; round < 6; ++round) {
    for (int left = *rc::gen::inRange(0, 12); left > 0; --left) {
      desk.submit({.kind = *rc::gen::elementOf(kinds),
                   .queue = *rc::gen::arbitrary<bool>() ? "q" : "default",
                   .priority = *rc::gen::inRange(-1, 2),
                   .demands = any_demands(names)});
    }
    const Ids expected = SimpleChooser(desk.state(), desk.now).run();
    Ids chosen;
    for (TaskId id : desk.start()) chosen.push_back(id.value);
    RC_ASSERT(chosen == expected);
    assert_within_limits(desk.state());
    RC_ASSERT(broken_invariants(desk.state()).empty());
    std::vector<TaskId> running;
    for (const RunningKey& key : desk.state().tasks.running) running.push_back(key.id);
    for (TaskId id : running) {
      if (*rc::gen::arbitrary<bool>()) desk.finish(id, AttemptStatus::succeeded);
    }
    desk.now += seconds(*rc::gen::inRange(0, 5));
  }
}

}  // namespace
}  // namespace almanac::test
