// Whose turn it is on a GPU that tasks of several models want: decided and folded, with no GPU, no
// thread and no clock but the one the test turns.
#include <almanac/engine/model_turns.h>
#include <almanac/projections/invariants.h>
#include <almanac/projections/lane_claims.h>
#include <almanac/projections/wait_reason.h>
#include <almanac/tests/support/contains.h>
#include <almanac/tests/support/gpu_desk.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t turn_gib = std::uint64_t{1} << 30U;

// Cards of ten GiB each.
class TurnsDesk : public ::testing::Test {
 protected:
  TurnsDesk() { look({"card"}); }

  void look(const std::vector<std::string>& cards, std::uint64_t others = 0) {
    GpuReading reading;
    const GpuMemory memory{.size = 10 * turn_gib, .own = 0, .budget = 10 * turn_gib - others};
    for (const std::string& card : cards) {
      reading.devices.push_back({.device = card,
                                 .name = "Card",
                                 .kind = GpuKind::discrete,
                                 .trouble = {},
                                 .heaps = {{memory, true}}});
    }
    ASSERT_TRUE(desk.ask(ReportGpu{reading, {}, true}));
  }
  void add(const std::string& name, std::uint64_t gib, ModelSpec spec = {}) {
    spec.name = name;
    spec.bytes = gib * turn_gib;
    spec.residency = Duration(0);
    spec.commands = {.load = {"load"}, .unload = {"unload"}, .check = {}};
    ASSERT_TRUE(desk.ask(RegisterModel{std::move(spec)}));
  }
  Result<Answer> step(const std::string& name, ModelStep step) {
    return desk.ask(ReportModel{name, std::move(step)});
  }
  void load(const std::string& name, const std::string& card = "card") {
    ASSERT_TRUE(step(name, {.kind = ModelStep::Kind::load, .gpu = card, .bytes = turn_gib}));
    ASSERT_TRUE(step(name, {.kind = ModelStep::Kind::loaded, .took = 1s}));
    ASSERT_TRUE(step(name, {.kind = ModelStep::Kind::measured}));
  }
  void unload(const std::string& name) {
    ASSERT_TRUE(step(name, {.kind = ModelStep::Kind::unload, .cause = ModelUnloadCause::room}));
    ASSERT_TRUE(step(name, {.kind = ModelStep::Kind::unloaded}));
    ASSERT_TRUE(step(name, {.kind = ModelStep::Kind::released}));
  }
  TaskId ask_for(const std::string& model) {
    return desk.submit({.kind = "ask", .demands = {{model, 1}}});
  }
  [[nodiscard]] ModelTurns turns() const {
    return model_turns(desk.state(), desk.now, desk.model_patience);
  }
  [[nodiscard]] std::string text(NameId id) const {
    return std::string(desk.state().names.text(id));
  }
  // "load b to card, evict a for b, a gives way to b"
  [[nodiscard]] std::string said() const {
    std::string words;
    const ModelTurns now = turns();
    for (const ModelTurn& one : now.steps) {
      words += one.evicts ? "evict " + text(one.victim) + " for " + text(one.model) + ", "
                          : "load " + text(one.model) + " to " + text(one.gpu) + ", ";
    }
    for (const auto& [id, other] : now.closed) {
      words += text(id) + " gives way to " + text(other) + ", ";
    }
    return words;
  }

  Desk desk;
};

TEST_F(TurnsDesk, LoadsWhatTasksNameAndNothingElse) {
  add("a", 4);
  add("b", 4);
  EXPECT_EQ(said(), "");
  const TaskId task = ask_for("a");
  EXPECT_EQ(said(), "load a to card, ");
  EXPECT_TRUE(desk.start().empty()) << "it is not loaded yet";
  load("a");
  EXPECT_EQ(said(), "");
  EXPECT_EQ(desk.start(), (std::vector{task}));
  EXPECT_EQ(tasks_with(desk.state(), *desk.state().names.find("a")), 1U);
  EXPECT_EQ(desk.state().models.all.find(*desk.state().names.find("a"))->uses, 1U);
  EXPECT_TRUE(broken_invariants(desk.state()).empty());
}

TEST_F(TurnsDesk, AModelThatIsUsedIsNotUnloaded) {
  add("a", 4);
  const TaskId task = ask_for("a");
  load("a");
  desk.start();
  for (const auto cause :
       {ModelUnloadCause::room, ModelUnloadCause::asked, ModelUnloadCause::critical}) {
    const auto refused = step("a", {.kind = ModelStep::Kind::unload, .cause = cause});
    EXPECT_EQ(error_of(refused).code, ErrorCode::conflict);
    EXPECT_TRUE(contains(error_of(refused).message, "used by 1 task"));
  }
  EXPECT_EQ(error_of(desk.ask(RemoveModel{"a"})).code, ErrorCode::conflict);
  desk.finish(task, AttemptStatus::succeeded);
  unload("a");
  ask_for("a");
  EXPECT_EQ(error_of(desk.ask(RemoveModel{"a"})).code, ErrorCode::conflict)
      << "a task would begin without it";
}

TEST_F(TurnsDesk, WhatNobodyUsesGoesAtOnceAndWhatHasTasksDoesNot) {
  add("a", 6);
  add("b", 6);
  load("a");
  ask_for("b");
  EXPECT_EQ(said(), "evict a for b, ");
  ask_for("a");
  EXPECT_EQ(said(), "") << "a has a task of its own, and b has not waited long";
  EXPECT_EQ(turns().next, desk.now + 30s);
}

TEST_F(TurnsDesk, TasksOfOneModelAreDoneTogetherUntilAnotherIsOverdue) {
  add("a", 6);
  add("b", 6);
  load("a");
  std::vector<TaskId> running;
  for (int i = 0; i < 4; ++i) ask_for("a");
  ask_for("b");
  running = desk.start();
  EXPECT_EQ(running.size(), 4U) << "all slots";
  for (int i = 0; i < 20; ++i) ask_for("a");
  desk.now += 29s;
  EXPECT_EQ(said(), "");
  desk.now += 1s;
  EXPECT_EQ(said(), "a gives way to b, ");
  for (const TaskId id : running) desk.finish(id, AttemptStatus::succeeded);
  EXPECT_TRUE(desk.start().empty()) << "none of its tasks begins any more";
  EXPECT_EQ(said(), "evict a for b, a gives way to b, ");
  unload("a");
  EXPECT_EQ(said(), "load b to card, ") << "though tasks of a have waited as long";
  load("b");
  EXPECT_EQ(desk.start().size(), 1U);
  EXPECT_EQ(said(), "") << "b has its place for the patience";
  ask_for("b");
  desk.now += 30s;
  EXPECT_EQ(said(), "b gives way to a, ");
}

// The one in front would keep the only slot from all behind it, were it to wait there.
TEST_F(TurnsDesk, NobodyStandsBehindWhoWaitsForAModel) {
  add("a", 6);
  add("large", 20);
  load("a");
  const TaskId front = desk.submit({.kind = "ask", .priority = 9, .demands = {{"large", 1}}});
  const TaskId other = ask_for("a");
  const TaskId plain = desk.submit({.kind = "ask"});
  EXPECT_EQ(desk.start(), (std::vector{other, plain}));
  desk.now += 10min;
  EXPECT_EQ(said(), "") << "there is no way: a stays, and has nothing kept from it";
  const auto reason = wait_reason(desk.state(), front, desk.now);
  EXPECT_EQ(reason->wait, Wait::model);
  EXPECT_EQ(model_wait(desk.state(), *reason->limit, desk.now).numbers,
            "needs 20.0 GiB, device card has 4.0 free, 0.0 used by others, evictable 0");
}

TEST_F(TurnsDesk, ALimitOfTheSameNameStillBoundsHowManyRunAtOnce) {
  add("a", 6);
  load("a");
  ASSERT_TRUE(desk.ask(ConfigureLimit{.name = "a", .setting = {.units = 2}}));
  for (int i = 0; i < 4; ++i) ask_for("a");
  EXPECT_EQ(desk.start().size(), 2U);
}

TEST_F(TurnsDesk, WhatIsPausedOrHasNoCircuitWantsNothing) {
  add("a", 6);
  add("b", 6);
  load("a");
  ask_for("a");
  ask_for("b");
  desk.now += 1min;
  ASSERT_FALSE(turns().closed.empty());
  ASSERT_TRUE(desk.ask(PauseWork{PauseScope::kind, "ask", true}));
  EXPECT_EQ(said(), "");
}

TEST_F(TurnsDesk, ThePinnedAndThoseOfHigherPriorityDoNotGiveWay) {
  add("a", 6, {.priority = 1});
  add("b", 6);
  load("a");
  ask_for("a");
  ask_for("b");
  desk.now += 10min;
  EXPECT_EQ(said(), "");
  ASSERT_TRUE(desk.ask(ChangeModel{"a", std::nullopt, 0}));
  EXPECT_EQ(said(), "evict a for b, a gives way to b, ");
  ASSERT_TRUE(desk.ask(ChangeModel{"a", true, std::nullopt}));
  EXPECT_EQ(said(), "");
}

// b is to have what comes free, or smaller ones would take it again and again.
TEST_F(TurnsDesk, WhatComesFreeIsKeptForWhoIsOverdue) {
  add("a", 5);
  add("c", 4);
  add("b", 8);
  add("small", 3);
  load("a");
  load("c");
  ask_for("a");
  ask_for("c");
  ask_for("b");
  desk.now += 30s;
  EXPECT_EQ(said(), "evict a for b, a gives way to b, c gives way to b, ");
  unload("a");
  ask_for("small");
  EXPECT_EQ(said(), "evict c for b, c gives way to b, ");
  unload("c");
  EXPECT_EQ(said(), "load b to card, ");
}

TEST_F(TurnsDesk, WhatCannotBeLoadedKeepsNothingFromAnybody) {
  add("a", 6);
  add("b", 6);
  load("a");
  ask_for("a");
  ask_for("b");
  desk.now += 30s;
  unload("a");
  ASSERT_TRUE(step("b", {.kind = ModelStep::Kind::load, .gpu = "card", .bytes = turn_gib}));
  ASSERT_TRUE(step("b", {.kind = ModelStep::Kind::load_failed, .message = "no"}));
  EXPECT_EQ(said(), "load a to card, ");
  load("a");
  EXPECT_EQ(desk.start().size(), 1U);
  EXPECT_EQ(model_wait(desk.state(), *desk.state().names.find("b"), desk.now).kind,
            ModelWait::Kind::has_failed);
}

TEST_F(TurnsDesk, EachGpuHasATurnOfItsOwn) {
  look({"card", "other"});
  add("a", 9);
  add("b", 9);
  add("c", 9);
  ask_for("a");
  ask_for("b");
  EXPECT_EQ(turns().steps.size(), 2U);
  load("a");
  load("b", "other");
  ask_for("c");
  EXPECT_EQ(said(), "");
  desk.now += 30s;
  EXPECT_EQ(said(), "evict a for c, a gives way to c, ") << "it has been there longest";
}

TEST_F(TurnsDesk, NothingBeginsWithAModelWhoseGpuIsLost) {
  add("a", 6);
  load("a");
  ask_for("a");
  look({"other"});
  EXPECT_TRUE(desk.start().empty());
  EXPECT_TRUE(turns().steps.empty()) << "what became of it has to be said first";
  ASSERT_TRUE(step("a", {.kind = ModelStep::Kind::lost}));
  EXPECT_EQ(said(), "load a to other, ");
}

TEST_F(TurnsDesk, TheReasonIsOnRecordWithWhenOthersGiveWay) {
  add("a", 6);
  add("b", 6);
  load("a");
  ask_for("a");
  const TaskId waits = ask_for("b");
  const Time since = desk.now;
  desk.now += 2s;
  desk.start();
  desk.record_reasons();
  ASSERT_EQ(desk.last().size(), 1U);
  const auto& blocked = std::get<LaneBlocked>(desk.last().front().body);
  EXPECT_EQ(blocked.reason, LaneBlock::model);
  EXPECT_EQ(blocked.limit, "b");
  EXPECT_EQ(blocked.next, since + 30s);
  const auto reason = wait_reason(desk.state(), waits, desk.now);
  EXPECT_EQ(reason->wait, Wait::model);
  EXPECT_EQ(reason->next, since + 30s);
}

// Who comes to the front of a lane for its priority has waited no less than the lane.
TEST_F(TurnsDesk, WhoComesToTheFrontDoesNotBeginTheWaitAnew) {
  add("a", 6);
  add("b", 6);
  load("a");
  ask_for("a");
  ask_for("b");
  desk.now += 2s;
  desk.record_reasons();
  for (int i = 1; i < 20; ++i) {
    desk.now += 3s;
    desk.submit({.kind = "ask", .priority = i, .demands = {{"b", 1}}});
  }
  EXPECT_EQ(said(), "evict a for b, a gives way to b, ");
}

// ---- Models that were measured as too little ----------------------------------------------------

class TooSmall : public ::testing::Test, public GpuDesk {
 protected:
  // Declared as six GiB, and measured as so many.
  void load_as(const std::string& name, std::uint64_t gib) {
    EXPECT_TRUE(begin_load(name));
    EXPECT_TRUE(step(name, {.kind = ModelStep::Kind::loaded, .took = 1s}));
    EXPECT_TRUE(step(name, {.kind = ModelStep::Kind::measured, .bytes = gib * desk_gib}));
  }
  [[nodiscard]] bool gives_way(const std::string& name) const {
    return turns().closed.contains(id_of(name));
  }
  void use(const std::string& name) { desk.submit({.kind = "ask", .demands = {{name, 1}}}); }
};

TEST_F(TooSmall, GivesWayToWhoIsOverdueAllTheSame) {
  add("a", 6);
  load_as("a", 3);
  look(6 * desk_gib);
  const TaskId task = ask_for(9);
  desk.now += 29s;
  EXPECT_TRUE(turns().steps.empty());
  desk.now += 1s;
  ASSERT_EQ(turns().steps.size(), 1U) << "it would wait for ever";
  EXPECT_EQ(turns().steps[0].victim, id_of("a"));
  unload("a");
  look(0);
  EXPECT_EQ(desk.start(), (std::vector{task}));
}

TEST_F(TooSmall, WithItsTasksWhenTheyHaveHadTheirTurn) {
  add("a", 6);
  load_as("a", 3);
  look(6 * desk_gib);
  use("a");
  add("b", 9);
  use("b");
  desk.now += 29s;
  EXPECT_FALSE(gives_way("a"));
  desk.now += 1s;
  EXPECT_TRUE(gives_way("a"));
}

TEST_F(TooSmall, StaysWhereItIsPinnedOrOfAHigherPriority) {
  add("a", 6, 1);
  load_as("a", 3);
  look(6 * desk_gib);
  ask_for(9);
  desk.now += 10min;
  EXPECT_TRUE(turns().steps.empty());
  ASSERT_TRUE(desk.ask(ChangeModel{"a", true, 0}));
  EXPECT_TRUE(turns().steps.empty());
}

TEST_F(TooSmall, StaysWhereThatWouldNotBeEnoughEither) {
  look(6 * desk_gib);
  add("a", 2);
  load_as("a", 1);
  look(7 * desk_gib);
  ask_for(8);
  desk.now += 10min;
  EXPECT_TRUE(turns().steps.empty()) << "three are free, and it takes four at most";
}

TEST_F(TooSmall, OfWhatStaysNoMoreIsThoughtThanIsKnown) {
  add("pinned", 3);
  load_as("pinned", 2);
  ASSERT_TRUE(desk.ask(ChangeModel{"pinned", true, std::nullopt}));
  add("a", 3);
  load_as("a", 2);
  look(6 * desk_gib);
  ask_for(7);
  desk.now += 30s;
  ASSERT_EQ(turns().steps.size(), 1U);
  EXPECT_EQ(turns().steps[0].victim, id_of("a"));
}

// Three are with others for ever, and four with the model: nine never come free.
TEST_F(TooSmall, GivesWayInVainEverMoreRarely) {
  add("a", 6);
  load_as("a", 4);
  look(7 * desk_gib);
  ask_for(9);
  desk.now += 30s;
  use("a");
  std::vector<Duration> stayed;
  for (int i = 0; i < 12; ++i) {
    const Time loaded_at = desk.now;
    if (i > 0) load_as("a", 4);
    look(7 * desk_gib);
    while (!gives_way("a") && desk.now - loaded_at < 2h) {
      EXPECT_TRUE(turns().kept.empty()) << "who may wait in vain keeps nothing from anybody";
      desk.now += 1s;
    }
    stayed.push_back(desk.now - loaded_at);
    unload("a");
    look(3 * desk_gib);
    EXPECT_FALSE(turns().steps.at(0).evicts) << "it is loaded again, and nothing is kept for nine";
    desk.now += 1s;
  }
  EXPECT_EQ(stayed[0], 0s);
  for (std::size_t i = 2; i < stayed.size(); ++i) {
    EXPECT_GE(stayed[i], std::min<Duration>(stayed[i - 1] * 2 - 5s, 1h)) << i;
    EXPECT_LE(stayed[i], 1h) << i;
  }
  EXPECT_EQ(stayed.back(), 1h);
}

}  // namespace
}  // namespace almanac::test
