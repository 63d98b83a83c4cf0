// A whole engine from the outside: handlers, orders, slots, keys, and many callers at once.
#include <almanac/snapshots/rebuild.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/gate.h>
#include <almanac/tests/support/story.h>

#include <future>
#include <set>
#include <stdexcept>
#include <thread>

namespace almanac::test {
namespace {

class Handlers : public EngineTest {};

Outcome succeed(const Attempt&) { return Outcome::success(); }

// --- Handlers -----------------------------------------------------------------------------------

TEST_F(Handlers, AreShownTheirAttempt) {
  open_on_manual_clock();
  std::promise<Attempt> shown;
  std::string payload;
  engine->handle("work", [&](const Attempt& attempt) {
    payload = as_text(attempt.payload);
    EXPECT_EQ(attempt.kind, "work");
    shown.set_value(attempt);
    return Outcome::success();
  });
  auto now = clock.now();
  TaskId id = submit(
      {.kind = "work", .payload = std::string("a\0b", 3), .timeout = std::chrono::seconds(9)});
  Attempt attempt = shown.get_future().get();
  wait_until_ended(id);
  EXPECT_EQ(attempt.id, id);
  EXPECT_EQ(attempt.number, 1U);
  EXPECT_EQ(attempt.deadline, now + std::chrono::seconds(9));
  EXPECT_GT(attempt.token.lease.value, task(id).enqueued.value);
  EXPECT_EQ(payload, std::string("a\0b", 3));
}

TEST_F(Handlers, CannotTakeTheKindOfCommands) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  open();
  EXPECT_DEATH(engine->handle("command", succeed), "command_kind");
}

TEST_F(Handlers, LeaveTheirResultInTheLog) {
  open();
  engine->handle("work", [](const Attempt&) { return Outcome::success("42"); });
  TaskId id = submit({.kind = "work"});
  EXPECT_EQ(outcome_at_end(id).result, "42");
  EXPECT_EQ(task(id).state, TaskState::succeeded);
}

TEST_F(Handlers, FailWithTheirMessage) {
  open();
  engine->handle("work", [](const Attempt&) { return Outcome::failure("out of flour"); });
  auto end = outcome_at_end(submit({.kind = "work"}));
  EXPECT_EQ(end.status, AttemptStatus::error);
  EXPECT_EQ(end.message, "out of flour");
}

TEST_F(Handlers, FailWithTheTextOfWhatTheyThrow) {
  open();
  engine->handle("throws", [](const Attempt&) -> Outcome { throw std::runtime_error("burnt"); });
  engine->handle("throws a number", [](const Attempt&) -> Outcome { throw 42; });
  EXPECT_EQ(outcome_at_end(submit({.kind = "throws"})).message, "burnt");
  EXPECT_EQ(outcome_at_end(submit({.kind = "throws a number"})).status, AttemptStatus::error);
}

TEST_F(Handlers, FailWithAResultOverTheLimitAndNotWithOneAtIt) {
  open();
  engine->handle("work", [](const Attempt& attempt) {
    auto extra = as_text(attempt.payload) == "one more" ? 1U : 0U;
    return Outcome::success(std::string(limits::output_bytes_max + extra, 'x'));
  });
  EXPECT_EQ(outcome_at_end(submit({.kind = "work"})).result.size(), limits::output_bytes_max);
  auto end = outcome_at_end(submit({.kind = "work", .payload = "one more"}));
  EXPECT_EQ(end.status, AttemptStatus::error);
  EXPECT_EQ(end.result, "");
}

TEST_F(Handlers, HaveALongMessageCut) {
  open();
  engine->handle("work", [](const Attempt&) {
    return Outcome::failure(std::string(limits::message_bytes_max + 1, 'x'));
  });
  EXPECT_EQ(outcome_at_end(submit({.kind = "work"})).message.size(), limits::message_bytes_max);
}

TEST_F(Handlers, ThatComeLateFindTheTasksThatWaited) {
  open();
  TaskId first = submit({.kind = "late"});
  TaskId second = submit({.kind = "late", .dependencies = {first}});
  EXPECT_EQ(task(first).state, TaskState::ready);
  engine->handle("late", succeed);
  EXPECT_EQ(wait_until_ended(second).state, TaskState::succeeded);
}

TEST_F(Handlers, OfOtherKindsAreNotKeptWaitingByAKindWithoutOne) {
  open({.slots = 1});
  TaskId strange = submit({.kind = "strange", .priority = 9});
  engine->handle("work", succeed);
  EXPECT_EQ(wait_until_ended(submit({.kind = "work"})).state, TaskState::succeeded);
  EXPECT_EQ(task(strange).state, TaskState::ready);
}

TEST_F(Handlers, AreReplacedForTheNextAttempts) {
  open();
  engine->handle("work", [](const Attempt&) { return Outcome::success("old"); });
  EXPECT_EQ(outcome_at_end(submit({.kind = "work"})).result, "old");
  engine->handle("work", [](const Attempt&) { return Outcome::success("new"); });
  EXPECT_EQ(outcome_at_end(submit({.kind = "work"})).result, "new");
}

TEST_F(Handlers, MaySubmitAndCancelThemselves) {
  open({.slots = 1});
  engine->handle("parent", [&](const Attempt&) {
    auto child = engine->submit({.kind = "child"});
    auto dropped = engine->submit({.kind = "child"});
    if (!child || !dropped || !engine->cancel(dropped->id)) return Outcome::failure("refused");
    return Outcome::success(std::to_string(child->id.value));
  });
  engine->handle("child", succeed);
  EXPECT_EQ(outcome_at_end(submit({.kind = "parent"})).result, "2");
  wait_until_all_ended();
  EXPECT_EQ(engine->state()->tasks.count(TaskState::succeeded), 2U);
}

// --- Orders and slots ---------------------------------------------------------------------------

class Order : public EngineTest {
 protected:
  // A handler that writes down which task it was.
  Handler recorder() {
    return [this](const Attempt& attempt) {
      std::lock_guard guard(mutex_);
      order_.push_back(attempt.id.value);
      return Outcome::success();
    };
  }
  std::vector<std::uint64_t> order() {
    std::lock_guard guard(mutex_);
    return order_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::uint64_t> order_;
};

TEST_F(Order, IsByPriorityThenFirstComeFirstServed) {
  open({.slots = 1});
  Gate gate;
  engine->handle("first", [&](const Attempt&) {
    gate.pass();
    return Outcome::success();
  });
  engine->handle("work", recorder());
  submit({.kind = "first"});
  gate.wait_for_arrivals(1);
  for (std::int32_t priority : {0, -1, 7, 0, 7}) submit({.kind = "work", .priority = priority});
  gate.open();
  wait_until_all_ended();
  EXPECT_EQ(order(), (std::vector<std::uint64_t>{4, 6, 2, 5, 3}));
}

TEST_F(Order, FollowsDependenciesAndNotPriorities) {
  open({.slots = 4});
  engine->handle("work", recorder());
  // 1 and 2 before 3, 3 before 4 and 5; the more urgent the later.
  std::vector<TaskSpec> specs(5, TaskSpec{.kind = "work"});
  for (std::size_t i = 0; i < 5; ++i) specs[i].priority = static_cast<std::int32_t>(i);
  specs[2].dependencies = {InBatch{0}, InBatch{1}};
  specs[3].dependencies = specs[4].dependencies = {InBatch{2}};
  ASSERT_TRUE(engine->submit(std::move(specs)).has_value());
  wait_until_all_ended();
  auto ids = order();
  ASSERT_EQ(ids.size(), 5U);
  EXPECT_EQ(ids[2], 3U);
  EXPECT_EQ((std::set{ids[0], ids[1]}), (std::set<std::uint64_t>{1, 2}));
}

TEST_F(Order, CancelsWhatDependsOnAFailureThroughAllLevels) {
  open();
  engine->handle("fails", [](const Attempt&) { return Outcome::failure("no"); });
  engine->handle("work", recorder());
  std::vector<TaskSpec> specs(60, TaskSpec{.kind = "work"});
  specs.front().kind = "fails";
  for (std::size_t i = 1; i < specs.size(); ++i) specs[i].dependencies = {InBatch{i - 1}};
  ASSERT_TRUE(engine->submit(std::move(specs)).has_value());
  wait_until_all_ended();
  EXPECT_EQ(engine->state()->tasks.count(TaskState::failed), 1U);
  EXPECT_EQ(engine->state()->tasks.count(TaskState::cancelled), 59U);
  EXPECT_TRUE(order().empty());
}

TEST_F(Order, NeverRunsMoreAtOnceThanThereAreSlots) {
  std::atomic<std::size_t> most_published = 0;
  open({.slots = 3, .on_events = [&](const State& state, std::span<const RecordedEvent>) {
          most_published = std::max(most_published.load(), state.tasks.running.size());
        }});
  ASSERT_TRUE(engine->configure_queue("narrow", 1).has_value());
  Gate wide;
  Gate narrow;
  auto through = [](Gate& gate) {
    return [&gate](const Attempt&) {
      gate.pass();
      return Outcome::success();
    };
  };
  engine->handle("wide", through(wide));
  engine->handle("narrow", through(narrow));
  for (int i = 0; i < 20; ++i) {
    submit({.kind = "narrow", .queue = "narrow", .priority = 1});
    submit({.kind = "wide", .queue = "wide"});
  }
  wide.wait_for_arrivals(2);
  narrow.wait_for_arrivals(1);
  wide.open();
  narrow.open();
  wait_until_all_ended();
  EXPECT_EQ(narrow.inside_max(), 1U);
  EXPECT_LE(wide.inside_max(), 3U);
  EXPECT_EQ(most_published, 3U);
  auto at_every_position = [&](const State& state) {
    auto queue = state.names.find("narrow");
    EXPECT_LE(state.tasks.running.size(), 3U);
    EXPECT_LE(queue ? state.tasks.running_in(*queue) : 0U, 1U);
  };
  EXPECT_TRUE(rebuild(engine->log(), {.visit = at_every_position}).has_value());
  close();  // on_events is called until then
}

TEST_F(Order, FillsSlotsThatAQueueIsGivenLater) {
  open({.slots = 4});
  ASSERT_TRUE(engine->configure_queue("q", 1).has_value());
  Gate gate;
  engine->handle("work", [&](const Attempt&) {
    gate.pass();
    return Outcome::success();
  });
  for (int i = 0; i < 4; ++i) submit({.kind = "work", .queue = "q"});
  gate.wait_for_arrivals(1);
  ASSERT_TRUE(engine->configure_queue("q", 3).has_value());
  gate.wait_for_arrivals(3);
  gate.open();
  wait_until_all_ended();
  EXPECT_EQ(gate.inside_max(), 3U);
}

// --- Callers ------------------------------------------------------------------------------------

class Callers : public EngineTest {};

TEST_F(Callers, NeedNotNameTheTypeOfOneTask) {
  open();
  EXPECT_TRUE(engine->submit({.kind = "of two", .payload = "texts"}));
}

TEST_F(Callers, AreToldWhatWasRefusedAndNothingIsWritten) {
  open();
  auto position = engine->state()->position;
  EXPECT_EQ(engine->submit(TaskSpec{}).error().code, ErrorCode::invalid);
  EXPECT_EQ(engine->submit(std::vector<TaskSpec>()).error().code, ErrorCode::invalid);
  EXPECT_EQ(engine->cancel(TaskId(1)).error().code, ErrorCode::not_found);
  EXPECT_EQ(engine->configure_queue("", 1).error().code, ErrorCode::invalid);
  EXPECT_EQ(engine->state()->position, position);
}

TEST_F(Callers, SeeWhatTheyWereAnswered) {
  open();
  TaskId id = submit({.kind = "work"});
  EXPECT_EQ(task(id).state, TaskState::ready);
  ASSERT_TRUE(engine->cancel(id).has_value());
  EXPECT_EQ(task(id).state, TaskState::cancelled);
  EXPECT_EQ(engine->cancel(id).error().code, ErrorCode::conflict);
  ASSERT_TRUE(engine->configure_queue("q", 2).has_value());
  EXPECT_EQ(engine->state()->queues.slots.size(), 1U);
}

TEST_F(Callers, FindTheirTaskAgainByItsKeyWhenTheEngineIsOpenedAgain) {
  open();
  TaskSpec spec{.kind = "work", .payload = "p", .idempotency_key = "key"};
  TaskId first = submit(spec);
  open();
  auto again = engine->submit(spec);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->id, first);
  EXPECT_TRUE(again->existed());
  spec.payload = "other";
  EXPECT_EQ(engine->submit(spec).error().code, ErrorCode::conflict);
  EXPECT_EQ(engine->state()->tasks.all.size(), 1U);
}

TEST_F(Callers, MayBeEightAtOnceAndLoseNothing) {
  constexpr std::size_t threads = 8;
  constexpr std::size_t each = 1'000;
  open();
  std::vector<std::set<TaskId>> ids(threads);
  {
    std::vector<std::jthread> callers;
    for (std::size_t caller = 0; caller < threads; ++caller) {
      callers.emplace_back([&, caller] {
        for (std::size_t i = 0; i < each; ++i) {
          auto key = std::to_string(caller) + "/" + std::to_string(i);
          auto submitted = engine->submit({.kind = "work", .idempotency_key = key});
          ASSERT_TRUE(submitted.has_value()) << describe(submitted.error());
          ids[caller].insert(submitted->id);
        }
      });
    }
  }
  std::set<TaskId> all;
  for (const auto& some : ids) all.insert(some.begin(), some.end());
  EXPECT_EQ(all.size(), threads * each);
  auto state = engine->state();
  EXPECT_EQ(state->tasks.all.size(), threads * each);
  EXPECT_EQ(state->tasks.keys.size(), threads * each);
  EXPECT_EQ(state->tasks.last, TaskId(threads * each));
  auto rebuilt = rebuild(engine->log());
  ASSERT_TRUE(rebuilt.has_value());
  EXPECT_EQ(to_hex(digest(*rebuilt)), to_hex(digest(*state)));
}

TEST_F(Callers, MayGoOnWithoutWaiting) {
  open();
  engine->handle("work", succeed);
  std::promise<void> all_answered;
  std::atomic<int> answers = 0;
  for (int i = 0; i < 500; ++i) {
    engine->submit({{.kind = "work"}}, [&](Result<std::vector<Submitted>> answer) {
      EXPECT_TRUE(answer.has_value());
      if (++answers == 500) all_answered.set_value();
    });
  }
  all_answered.get_future().wait();
  wait_until_all_ended();
  EXPECT_EQ(engine->state()->tasks.count(TaskState::succeeded), 500U);
}

TEST_F(Callers, CannotWaitForTheEngineOnItsOwnThread) {
  open();
  std::promise<std::vector<Error>> told;
  engine->submit({TaskSpec{.kind = "work"}}, [&](const Result<std::vector<Submitted>>&) {
    std::vector<Error> errors;
    if (auto done = engine->submit({.kind = "work"}); !done) errors.push_back(done.error());
    if (auto done = engine->take("api"); !done) errors.push_back(done.error());
    if (auto done = engine->lease({.worker = "w"}); !done) errors.push_back(done.error());
    if (auto done = engine->use_model("m"); !done) errors.push_back(done.error());
    if (auto done = engine->wait_until_stopped(); !done) errors.push_back(done.error());
    EXPECT_FALSE(engine->wait([](const State&) { return false; }));
    EXPECT_TRUE(engine->wait([](const State& state) { return state.tasks.all.size() == 1; }));
    told.set_value(std::move(errors));
  });
  const auto errors = told.get_future().get();
  ASSERT_EQ(errors.size(), 5U);
  for (const Error& error : errors) {
    EXPECT_EQ(error.code, ErrorCode::refused);
    EXPECT_NE(error.message.find("on the engine's own thread"), std::string::npos) << error.message;
  }
  EXPECT_EQ(engine->state()->tasks.all.size(), 1U);
}

TEST_F(Callers, AreToldAtOnceWhenTheMailboxIsFull) {
  std::promise<void> loop_waits;
  std::promise<void> loop_goes_on;
  std::atomic<bool> hold = false;
  open({.on_events = [&](const State&, auto) {
    if (!hold.exchange(false)) return;
    loop_waits.set_value();
    loop_goes_on.get_future().wait();
  }});
  hold = true;
  std::promise<void> all_answered;
  std::size_t left = limits::mailbox_commands_max + 1;
  auto answered = [&](const Result<std::vector<Submitted>>& answer) {
    EXPECT_TRUE(answer.has_value());
    if (--left == 0) all_answered.set_value();
  };
  engine->submit({{.kind = "work"}}, answered);
  loop_waits.get_future().wait();
  for (std::size_t i = 0; i < limits::mailbox_commands_max; ++i) {
    engine->submit({{.kind = "work"}}, answered);
  }
  EXPECT_EQ(engine->submit({.kind = "work"}).error().code, ErrorCode::busy);
  loop_goes_on.set_value();
  all_answered.get_future().wait();
  EXPECT_TRUE(engine->submit({.kind = "work"}).has_value());
  EXPECT_EQ(engine->state()->tasks.all.size(), limits::mailbox_commands_max + 2);
  close();  // on_events is called until then
}

TEST_F(Callers, WaitNoLongerThanTheySay) {
  open();
  EXPECT_FALSE(engine->wait([](const State&) { return false; }, std::chrono::milliseconds(1)));
  EXPECT_TRUE(engine->wait([](const State&) { return true; }, std::chrono::milliseconds(0)));
}

TEST_F(Callers, CannotOpenAFolderTwiceOrWithSettingsThatMakeNoSense) {
  open();
  auto second = Engine::open({.folder = log_folder()});
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::conflict);
  close();
  EXPECT_EQ(Engine::open({.folder = log_folder(), .slots = limits::slots_max + 1}).error().code,
            ErrorCode::invalid);
  EXPECT_EQ(Engine::open({.folder = log_folder(), .output_bytes_max = limits::output_bytes_max + 1})
                .error()
                .code,
            ErrorCode::invalid);
}

// What a live run did, everything mixed, is what folding its log gives.
TEST_F(Callers, LeaveALogThatFoldsToTheLastState) {
  open({.slots = 3});
  engine->handle("work", [](const Attempt& attempt) {
    if (attempt.id.value % 5 == 0) return Outcome::failure("no");
    if (attempt.id.value % 3 == 0 && attempt.number == 1) throw std::runtime_error("not yet");
    return Outcome::success("ok");
  });
  std::vector<TaskSpec> specs;
  for (std::size_t i = 0; i < 200; ++i) {
    specs.push_back({.kind = "work",
                     .queue = i % 2 == 0 ? "even" : "odd",
                     .attempts_max = 2,
                     .backoff = {Duration(100), Duration(100)},
                     .tags = {std::to_string(i % 7)}});
    if (i > 10 && i % 4 == 0) specs.back().dependencies = {InBatch{i - 7}};
  }
  ASSERT_TRUE(engine->submit(std::move(specs)).has_value());
  wait_until_all_ended();
  auto state = engine->state();
  EXPECT_EQ(state->ignored, 0U);
  EXPECT_EQ(check_orders(*state), "");
  EXPECT_EQ(to_hex(digest(*rebuild(engine->log(), {.through = state->position}))),
            to_hex(digest(*state)));
}

}  // namespace
}  // namespace almanac::test
