// Tasks that ask for memory of a GPU by its size: decided and folded, with no GPU, no thread and no
// clock but the one the test turns.
#include <almanac/engine/model_turns.h>
#include <almanac/projections/gpu_memory.h>
#include <almanac/projections/invariants.h>
#include <almanac/projections/wait_reason.h>
#include <almanac/snapshots/state_codec.h>
#include <almanac/tests/support/contains.h>
#include <almanac/tests/support/gpu_desk.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

class MemoryOfGpus : public ::testing::Test, public GpuDesk {};

TEST_F(MemoryOfGpus, IsGivenUntilTheTaskEnds) {
  const TaskId one = ask_for(6);
  const TaskId other = ask_for(6);
  EXPECT_EQ(desk.start(), (std::vector{one}));
  EXPECT_EQ(desk.state().names.text(desk.state().tasks.on_gpu.find(one)->gpu), "card");
  EXPECT_EQ(to_give(), 4U);
  EXPECT_TRUE(broken_invariants(desk.state()).empty());
  const auto reason = wait_reason(desk.state(), other, desk.now);
  EXPECT_EQ(reason->wait, Wait::gpu_memory);
  desk.finish(one, AttemptStatus::succeeded);
  EXPECT_TRUE(desk.state().tasks.on_gpu.empty());
  EXPECT_EQ(desk.start(), (std::vector{other}));
}

TEST_F(MemoryOfGpus, StaysFreeForATaskUntilASampleShowsIt) {
  const TaskId one = ask_for(4);
  desk.start();
  EXPECT_EQ(to_give(), 6U) << "nothing of it was seen";
  desk.now += 1s;
  look(4 * desk_gib);
  EXPECT_EQ(to_give(), 6U) << "it was seen, and does not count twice";
  look(7 * desk_gib);
  EXPECT_EQ(to_give(), 3U) << "others have some as well";
  desk.finish(one, AttemptStatus::succeeded);
  look(3 * desk_gib);
  EXPECT_EQ(to_give(), 7U);
}

TEST_F(MemoryOfGpus, WhatIsTakenLateStaysKeptFreeForIt) {
  ask_for(4);
  desk.start();
  desk.now += 11s;
  look();
  EXPECT_EQ(to_give(), 6U);
  look(2 * desk_gib);
  EXPECT_EQ(to_give(), 4U) << "whose that is, nobody can say";
}

TEST_F(MemoryOfGpus, WhatWasTakenByOneThatHasEndedIsNotTakenForALaterOnes) {
  const TaskId first = ask_for(4);
  ask_for(1);
  EXPECT_EQ(desk.start().size(), 2U);
  desk.now += 1s;
  look(3 * desk_gib);
  desk.finish(first, AttemptStatus::succeeded);
  desk.now += 100ms;
  ask_for(4);
  EXPECT_EQ(desk.start().size(), 1U);
  EXPECT_EQ(to_give(), 3U) << "nobody has looked since it began";
}

TEST_F(MemoryOfGpus, OthersLeaveLessAndTheReasonHasTheNumbers) {
  look(5 * desk_gib);
  const TaskId waits = ask_for(9);
  const TaskId small = ask_for(2);
  EXPECT_EQ(desk.start(), (std::vector{small})) << "nobody stands behind who waits for memory";
  EXPECT_EQ(wait_of(9).numbers,
            "needs 9.0 GiB, device card has 3.0 free, 5.0 used by others, evictable 0");
  desk.now += 2s;
  desk.record_reasons();
  ASSERT_EQ(desk.last().size(), 1U);
  const auto& blocked = std::get<LaneBlocked>(desk.last().front().body);
  EXPECT_EQ(blocked.reason, LaneBlock::gpu_memory);
  EXPECT_EQ(blocked.next, desk.task(waits).enqueued_at + 30s);
  EXPECT_EQ(wait_reason(desk.state(), waits, desk.now)->asked, 9U * 1'024);
}

TEST_F(MemoryOfGpus, TheCheapestIdleModelsMakeRoom) {
  add("a", 3);
  add("b", 6);
  load("a");
  load("b");
  const TaskId task = ask_for(5);
  EXPECT_TRUE(desk.start().empty());
  const ModelTurns now = turns();
  ASSERT_EQ(now.steps.size(), 1U);
  EXPECT_TRUE(now.steps[0].evicts);
  EXPECT_EQ(now.steps[0].victim, id_of("b")) << "a alone is not enough";
  EXPECT_EQ(wait_of(5).kind, ModelWait::Kind::makes_room);
  unload("b");
  EXPECT_EQ(desk.start(), (std::vector{task}));
}

TEST_F(MemoryOfGpus, OneThatIsPinnedOrOfAHigherPriorityStays) {
  add("a", 6, 1);
  load("a");
  ask_for(5);
  desk.now += 10min;
  EXPECT_TRUE(turns().steps.empty());
  EXPECT_TRUE(turns().closed.empty());
  ASSERT_TRUE(desk.ask(ChangeModel{"a", std::nullopt, 0}));
  EXPECT_EQ(turns().steps.size(), 1U);
  ASSERT_TRUE(desk.ask(ChangeModel{"a", true, std::nullopt}));
  EXPECT_TRUE(turns().steps.empty());
}

TEST_F(MemoryOfGpus, IsKeptForWhoIsOverdue) {
  const TaskId first = ask_for(4);
  desk.start();
  const TaskId large = ask_for(9);
  desk.now += 29s;
  const TaskId small = ask_for(2);
  EXPECT_EQ(desk.start(), (std::vector{small})) << "it has not waited long";
  desk.now += 1s;
  const TaskId late = ask_for(1);
  EXPECT_TRUE(desk.start().empty()) << "small ones would come again and again";
  desk.finish(first, AttemptStatus::succeeded);
  EXPECT_TRUE(desk.start().empty());
  EXPECT_EQ(wait_of(1).kind, ModelWait::Kind::gives_way);
  desk.finish(small, AttemptStatus::succeeded);
  EXPECT_EQ(desk.start(), (std::vector{large}));
  EXPECT_EQ(desk.next_start(), desk.now) << "what is left is for others again";
  EXPECT_EQ(desk.start(), (std::vector{late}));
}

TEST_F(MemoryOfGpus, TasksOfAModelGiveWayToWhoIsOverdue) {
  add("a", 6);
  load("a");
  const TaskId uses = desk.submit({.kind = "ask", .demands = {{"a", 1}}});
  desk.start();
  const TaskId task = ask_for(5);
  desk.now += 30s;
  desk.submit({.kind = "ask", .demands = {{"a", 1}}});
  EXPECT_TRUE(desk.start().empty());
  EXPECT_EQ(turns().closed, (std::map{std::pair(id_of("a"), id_of("gpu_memory"))}));
  EXPECT_TRUE(turns().steps.empty()) << "it is used";
  desk.finish(uses, AttemptStatus::succeeded);
  ASSERT_EQ(turns().steps.size(), 1U);
  unload("a");
  EXPECT_EQ(desk.start(), (std::vector{task}));
}

TEST_F(MemoryOfGpus, AModelThatIsOverdueHasWhatTasksGiveBack) {
  add("a", 8);
  std::vector<TaskId> running;
  for (int i = 0; i < 3; ++i) running.push_back(ask_for(3));
  EXPECT_EQ(desk.start().size(), 3U);
  desk.submit({.kind = "ask", .demands = {{"a", 1}}});
  desk.now += 30s;
  ask_for(3);
  desk.finish(running[0], AttemptStatus::succeeded);
  EXPECT_TRUE(desk.start().empty());
  desk.finish(running[1], AttemptStatus::succeeded);
  EXPECT_TRUE(desk.start().empty());
  desk.finish(running[2], AttemptStatus::succeeded);
  ASSERT_EQ(turns().steps.size(), 1U);
  EXPECT_FALSE(turns().steps[0].evicts);
}

// Two looks at the same memory: one by the runner of models, one by who begins tasks.
TEST_F(MemoryOfGpus, OfALoadAndATaskThatRaceForItOneIsRefused) {
  add("a", 8);
  ask_for(4);
  desk.start();
  const auto refused = begin_load("a");
  EXPECT_EQ(error_of(refused).code, ErrorCode::conflict);
  EXPECT_TRUE(contains(error_of(refused).message, "a task has begun that has the memory"));
  add("b", 5);
  EXPECT_TRUE(begin_load("b"));
  ask_for(1);
  EXPECT_TRUE(desk.start().empty()) << "what is being loaded could not be measured";
}

TEST_F(MemoryOfGpus, NothingIsGivenOfAGpuThatIsNotThere) {
  ask_for(4);
  ASSERT_TRUE(desk.ask(ReportGpu{GpuReading{}, {}, true}));
  EXPECT_TRUE(desk.start().empty());
  EXPECT_TRUE(contains(wait_of(4).numbers, "no GPU that it could go to is known to work"));
  look();
  EXPECT_EQ(desk.start().size(), 1U);
}

TEST_F(MemoryOfGpus, WhatNoneCanEverHaveIsRefused) {
  const auto refusal = [&](TaskSpec spec) {
    return error_of(desk.ask(EnqueueTasks{{std::move(spec)}}));
  };
  const Error large = refusal(asking(11 * desk_gib));
  EXPECT_EQ(large.code, ErrorCode::refused);
  EXPECT_TRUE(contains(large.message, "asks for 11.0 GiB")) << large.message;
  EXPECT_TRUE(contains(large.message, "has 10.0 GiB: it could never run")) << large.message;
  EXPECT_EQ(refusal(asking(desk_gib, "nowhere")).code, ErrorCode::not_found);
  EXPECT_EQ(refusal(asking(0)).code, ErrorCode::invalid);
  TaskSpec twice = asking(desk_gib);
  twice.demands = {{"gpu_memory:card", 5}};
  EXPECT_EQ(refusal(twice).code, ErrorCode::invalid);
  add("a", 1);
  TaskSpec both = asking(desk_gib);
  both.demands = {{"a", 1}};
  EXPECT_EQ(refusal(both).code, ErrorCode::invalid);
  EXPECT_EQ(error_of(desk.ask(ConfigureLimit{.name = "gpu_memory", .setting = {.units = 2}})).code,
            ErrorCode::invalid);
  EXPECT_EQ(
      error_of(desk.ask(ConfigureLimit{.name = "gpu_memory:*", .setting = {.units = 2}})).code,
      ErrorCode::invalid);
}

// As the simulation has found it: taken, and never begun.
TEST_F(MemoryOfGpus, OfAnEstimateNoMoreThanThatIsEverHad) {
  const GpuMemory memory{
      .size = 20 * desk_gib, .budget = estimated_budget(20 * desk_gib), .is_estimate = true};
  GpuReading reading;
  reading.devices.push_back({.device = "card", .name = "Card", .heaps = {{memory, true}}});
  ASSERT_TRUE(desk.ask(ReportGpu{reading, {}, true}));
  const Error large = error_of(desk.ask(EnqueueTasks{{asking(17 * desk_gib)}}));
  EXPECT_EQ(large.code, ErrorCode::refused);
  EXPECT_TRUE(contains(large.message, "has 16.0 GiB: it could never run")) << large.message;
  const TaskId task = ask_for(16);
  EXPECT_EQ(desk.start(), (std::vector{task}));
  add("a", 9);
  add("b", 8);
  const TaskSpec both{.kind = "ask", .demands = {{"a", 1}, {"b", 1}}};
  EXPECT_EQ(error_of(desk.ask(EnqueueTasks{{both}})).code, ErrorCode::refused);
}

TEST_F(MemoryOfGpus, ModelsThatNeverFitTogetherAreRefusedTogether) {
  add("a", 6);
  add("b", 6);
  add("c", 4);
  TaskSpec spec{.kind = "ask", .demands = {{"a", 1}, {"b", 1}}};
  const Error refused = error_of(desk.ask(EnqueueTasks{{spec}}));
  EXPECT_EQ(refused.code, ErrorCode::refused);
  EXPECT_TRUE(contains(refused.message, "'a', 'b'")) << refused.message;
  spec.demands = {{"a", 1}, {"c", 1}};
  desk.submit(spec);
  EXPECT_EQ(turns().steps.size(), 1U);
  add("c", 5);
  EXPECT_TRUE(turns().steps.empty()) << "they would take turns for ever, and nothing would begin";
}

TEST_F(MemoryOfGpus, AModelThatFailsAgainAndAgainIsGivenTwiceTheRoom) {
  add("a", 4);
  add("b", 3);
  load("b");
  desk.submit({.kind = "ask", .demands = {{"a", 1}}});
  desk.now += 1h;
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(turns().steps.size(), 1U) << i;
    EXPECT_FALSE(turns().steps[0].evicts) << i;
    ASSERT_TRUE(begin_load("a"));
    ASSERT_TRUE(step("a", {.kind = ModelStep::Kind::load_failed, .message = "out of memory"}));
    desk.now += 1h;
    look(3 * desk_gib);
  }
  ASSERT_EQ(turns().steps.size(), 1U);
  EXPECT_TRUE(turns().steps[0].evicts);
  EXPECT_EQ(turns().steps[0].victim, id_of("b"));
  unload("b");
  look();
  ASSERT_EQ(turns().steps.size(), 1U);
  EXPECT_FALSE(turns().steps[0].evicts) << "as there is room now";
  ASSERT_TRUE(begin_load("a"));
  EXPECT_EQ(desk.state().models.all.find(id_of("a"))->reserved, 4 * desk_gib);
}

TEST(MemoryOfALaterGpu, IsNotKeptForWhoAsksForMoreThanItHas) {
  GpuDesk late(std::vector<std::string>{});
  const TaskId vain = late.ask_for(12);
  const TaskId small = late.ask_for(6);
  late.plug_in("card");
  late.desk.now += 10min;
  EXPECT_EQ(late.turns().kept.at(late.id_of("card")).bytes(), 6 * desk_gib);
  EXPECT_EQ(late.desk.start(), (std::vector{small}));
  const auto reason = wait_reason(late.desk.state(), vain, late.desk.now);
  EXPECT_EQ(reason->wait, Wait::too_large);
  EXPECT_EQ(reason->asked, 12U * 1'024);
  late.desk.record_reasons();
  ASSERT_EQ(late.desk.last().size(), 1U);
  EXPECT_EQ(std::get<LaneBlocked>(late.desk.last().front().body).reason, LaneBlock::too_large);
}

TEST(MemoryOfSeveralGpus, GoesWhereMostIsLeft) {
  GpuDesk two({"card", "other"});
  two.look(3 * desk_gib);
  const TaskId one = two.ask_for(6);
  const TaskId other = two.ask_for(6);
  const TaskId third = two.ask_for(6);
  EXPECT_EQ(two.desk.start(), (std::vector{one, other}));
  const auto& places = two.desk.state().tasks.on_gpu;
  EXPECT_EQ(places.find(one)->gpu, two.id_of("other"));
  EXPECT_EQ(places.find(other)->gpu, two.id_of("card"));
  EXPECT_EQ(places.find(third), nullptr);
}

TEST(MemoryOfSeveralGpus, OfOneThatIsNamedIsOfThatOne) {
  GpuDesk two({"card", "other"});
  const TaskId one = two.ask_for(6, "card");
  const TaskId waits = two.ask_for(6, "card");
  const TaskId other = two.ask_for(6, "other");
  EXPECT_EQ(two.desk.start(), (std::vector{one, other}));
  EXPECT_EQ(wait_reason(two.desk.state(), waits, two.desk.now)->wait, Wait::gpu_memory);
  EXPECT_EQ(two.desk.state().tasks.on_gpu.find(other)->gpu, two.id_of("other"));
}

TEST(MemoryOfSeveralGpus, SurvivesACheckpoint) {
  GpuDesk two({"card", "other"});
  two.look(desk_gib);
  two.add("a", 2);
  two.load("a");
  two.desk.submit({.kind = "ask", .demands = {{"a", 1}}});
  two.ask_for(6);
  two.desk.start();
  const State& state = two.desk.state();
  ASSERT_EQ(state.tasks.on_gpu.size(), 1U);
  ASSERT_GT(state.models.all.find(two.id_of("a"))->heat, 0U);
  const auto read = decode_state(encode(state));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->tasks.on_gpu, state.tasks.on_gpu);
  EXPECT_TRUE(read->models.all == state.models.all);
  EXPECT_EQ(digest(*read), digest(state));
  const auto [task, place] = *state.tasks.on_gpu.begin();
  for (const GpuPlace& other :
       {GpuPlace{two.id_of("card"), place.mebibytes}, GpuPlace{place.gpu, place.mebibytes + 1}}) {
    State changed = state;
    changed.tasks.on_gpu.set(task, other);
    EXPECT_NE(digest(changed), digest(state));
  }
  State changed = state;
  changed.tasks.on_gpu.clear();
  EXPECT_NE(digest(changed), digest(state));
}

TEST(MemoryOfSeveralGpus, SurvivesACheckpointWithoutAnyModel) {
  GpuDesk two({"card", "other"});
  two.ask_for(6, "other");
  two.desk.start();
  const State& state = two.desk.state();
  const auto read = decode_state(encode(state));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->tasks.on_gpu, state.tasks.on_gpu);
  EXPECT_EQ(digest(*read), digest(state));
}

}  // namespace
}  // namespace almanac::test
