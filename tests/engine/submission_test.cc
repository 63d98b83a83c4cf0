// Deciding submissions: numbers, dependencies, cycles, limits and idempotency.
#include <almanac/engine/limits.h>
#include <almanac/engine/submission.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

namespace almanac::test {
namespace {

TaskSpec spec_after(std::vector<Dependency> dependencies, std::string label = {}) {
  return {.kind = "work", .label = std::move(label), .dependencies = std::move(dependencies)};
}

Error refusal(Desk& desk, std::vector<TaskSpec> specs) {
  auto position = desk.state().position;
  auto answer = desk.ask(EnqueueTasks{std::move(specs)});
  EXPECT_FALSE(answer.has_value());
  EXPECT_EQ(desk.state().position, position);
  return error_of(answer);
}

Error refusal(TaskSpec spec) {
  Desk desk;
  return refusal(desk, {std::move(spec)});
}

std::vector<std::uint64_t> ids(const std::vector<Submitted>& submitted) {
  std::vector<std::uint64_t> numbers;
  for (const Submitted& one : submitted) numbers.push_back(one.id.value);
  return numbers;
}

using Ids = std::vector<std::uint64_t>;

// --- What becomes of a submission ---------------------------------------------------------------

TEST(Submission, NumbersTasksFromOneInOrder) {
  Desk desk;
  EXPECT_EQ(ids(desk.submit_all({{.kind = "a"}, {.kind = "b"}})), (Ids{1, 2}));
  EXPECT_EQ(ids(desk.submit_all({{.kind = "c"}})), (Ids{3}));
}

TEST(Submission, PutsEverythingIntoTheEvent) {
  Desk desk;
  desk.submit({.kind = "first"});
  desk.submit({.kind = "render",
               .queue = "slow",
               .label = "a label",
               .payload = std::string("a\0b", 3),
               .priority = -5,
               .run_at = Time(Duration(77)),
               .attempts_max = 7,
               .backoff = {std::chrono::seconds(3), std::chrono::seconds(4)},
               .timeout = std::chrono::seconds(5),
               .dependencies = {TaskId(1)},
               .tags = {"red", "big"},
               .owner = "ann",
               .deadline = Time(Duration(78)),
               .estimate = std::chrono::seconds(6),
               .idempotency_key = "key"});
  ASSERT_EQ(desk.last().size(), 1U);
  const Event& event = desk.last().front();
  EXPECT_EQ(event.at, desk.now);
  EXPECT_EQ(event.idempotency_key, "key");
  const auto& task = std::get<TaskEnqueued>(event.body);
  EXPECT_EQ(task.id, TaskId(2));
  EXPECT_EQ(task.kind, "render");
  EXPECT_EQ(task.queue, "slow");
  EXPECT_EQ(task.label, "a label");
  EXPECT_EQ(as_text(task.payload), std::string_view("a\0b", 3));
  EXPECT_EQ(task.priority, -5);
  EXPECT_EQ(task.run_at, Time(Duration(77)));
  EXPECT_EQ(task.attempts_max, 7);
  EXPECT_EQ(task.backoff, (Backoff{std::chrono::seconds(3), std::chrono::seconds(4)}));
  EXPECT_EQ(task.timeout, std::chrono::seconds(5));
  ASSERT_EQ(task.dependencies.size(), 1U);
  EXPECT_EQ(task.dependencies[0], TaskId(1));
  ASSERT_EQ(task.tags.size(), 2U);
  EXPECT_EQ(task.tags[1], "big");
  EXPECT_EQ(task.owner, "ann");
  EXPECT_EQ(task.deadline, Time(Duration(78)));
  EXPECT_EQ(task.estimate, std::chrono::seconds(6));
}

TEST(Submission, IsWrittenWithDependenciesFirstAndAnsweredInItsOwnOrder) {
  Desk desk;
  auto submitted = desk.submit_all(
      {spec_after({InBatch{2}}), spec_after({InBatch{0}}), spec_after({}), spec_after({})});
  EXPECT_EQ(ids(submitted), (Ids{2, 3, 1, 4}));
  EXPECT_EQ(desk.task(TaskId(1)).state, TaskState::ready);
  EXPECT_EQ(desk.task(TaskId(2)).state, TaskState::waiting);
  EXPECT_EQ(desk.task(TaskId(3)).state, TaskState::waiting);
  EXPECT_EQ(desk.task(TaskId(4)).state, TaskState::ready);
}

TEST(Submission, MayDependOnEarlierTasksWhateverBecameOfThem) {
  Desk desk;
  TaskId succeeded = desk.submit({.kind = "work"});
  TaskId waiting = desk.submit({.kind = "work"});
  TaskId cancelled = desk.submit({.kind = "work"});
  desk.cancel(cancelled);
  desk.start();
  desk.finish(succeeded, AttemptStatus::succeeded);
  EXPECT_EQ(desk.task(desk.submit(spec_after({succeeded}))).state, TaskState::ready);
  EXPECT_EQ(desk.task(desk.submit(spec_after({waiting}))).state, TaskState::waiting);
  TaskId doomed = desk.submit(spec_after({cancelled}));
  EXPECT_EQ(desk.task(doomed).state, TaskState::waiting);
  desk.come_due();
  EXPECT_EQ(desk.task(doomed).state, TaskState::cancelled);
}

TEST(Submission, KeepsAChainAsLongAsASubmissionMayBe) {
  Desk desk;
  std::vector<TaskSpec> chain;
  for (std::size_t i = 0; i < limits::submission_tasks_max; ++i) {
    bool last = i + 1 == limits::submission_tasks_max;
    chain.push_back(last ? spec_after({}) : spec_after({InBatch{i + 1}}));
  }
  auto submitted = desk.submit_all(std::move(chain));
  EXPECT_EQ(submitted.front().id, TaskId(limits::submission_tasks_max));
  EXPECT_EQ(submitted.back().id, TaskId(1));
  EXPECT_EQ(desk.state().tasks.count(TaskState::ready), 1U);
}

// --- What is refused ----------------------------------------------------------------------------

TEST(Submission, WithoutATaskIsRefused) {
  Desk desk;
  EXPECT_EQ(refusal(desk, {}).code, ErrorCode::invalid);
}

TEST(Submission, ThatNamesAnUnknownTaskIsRefused) {
  auto error = refusal(spec_after({TaskId(9)}, "bake"));
  EXPECT_EQ(error.code, ErrorCode::invalid);
  EXPECT_EQ(error.message, "'bake' is refused: it depends on task 9, which does not exist");
  EXPECT_EQ(refusal(spec_after({TaskId()})).code, ErrorCode::invalid);
  // The number the task itself is about to get is not there yet either.
  EXPECT_EQ(refusal(spec_after({TaskId(1)})).code, ErrorCode::invalid);
}

TEST(Submission, ThatPointsOutsideItselfIsRefused) {
  auto error = refusal(spec_after({InBatch{1}}));
  EXPECT_EQ(error.message, "the task is refused: it depends on a task outside the submission");
}

TEST(Submission, WithACycleIsRefusedAndShowsIt) {
  Desk desk;
  auto error = refusal(desk, {spec_after({}, "flour"), spec_after({InBatch{0}, InBatch{3}}, "mix"),
                              spec_after({InBatch{1}}, "bake"), spec_after({InBatch{2}})});
  EXPECT_EQ(error.code, ErrorCode::invalid);
  EXPECT_EQ(error.message,
            "the dependencies form a cycle: 'mix' -> task 4 of the submission -> 'bake' -> 'mix'");
  EXPECT_FALSE(error.next_step.empty());
}

TEST(Submission, OfATaskThatDependsOnItselfIsRefused) {
  EXPECT_EQ(refusal(spec_after({InBatch{0}}, "snake")).message,
            "the dependencies form a cycle: 'snake' -> 'snake'");
}

TEST(Submission, IsRefusedAsAWholeForOneBadTask) {
  Desk desk;
  auto error = refusal(desk, {{.kind = "work"}, {.kind = ""}, {.kind = "work"}});
  EXPECT_EQ(error.message, "task 2 of the submission is refused: the kind is empty");
  EXPECT_EQ(desk.state().tasks.all.size(), 0U);
}

TEST(Submission, OverALimitIsRefusedAndOneAtTheLimitIsNot) {
  struct Case {
    std::string_view limit;
    TaskSpec fits;
    TaskSpec does_not;
  };
  auto text = [](std::size_t size) { return std::string(size, 'x'); };
  auto of_kind = [](auto&& change) {
    TaskSpec spec{.kind = "work"};
    change(spec);
    return spec;
  };
  using namespace limits;
  std::vector<Case> cases = {
      {"128", {.kind = text(name_bytes_max)}, {.kind = text(name_bytes_max + 1)}},
      {"128", of_kind([&](auto& spec) { spec.queue = text(name_bytes_max); }),
       of_kind([&](auto& spec) { spec.queue = text(name_bytes_max + 1); })},
      {"128", of_kind([&](auto& spec) { spec.tags = {text(name_bytes_max)}; }),
       of_kind([&](auto& spec) { spec.tags = {text(name_bytes_max + 1)}; })},
      {"64", of_kind([&](auto& spec) { spec.tags.assign(tags_max, "x"); }),
       of_kind([&](auto& spec) { spec.tags.assign(tags_max + 1, "x"); })},
      {"512", of_kind([&](auto& spec) { spec.label = text(label_bytes_max); }),
       of_kind([&](auto& spec) { spec.label = text(label_bytes_max + 1); })},
      {"512", of_kind([&](auto& spec) { spec.idempotency_key = text(key_bytes_max); }),
       of_kind([&](auto& spec) { spec.idempotency_key = text(key_bytes_max + 1); })},
      {"8388608", of_kind([&](auto& spec) { spec.payload = text(payload_bytes_max); }),
       of_kind([&](auto& spec) { spec.payload = text(payload_bytes_max + 1); })},
      {"1 to 1000", of_kind([&](auto& spec) { spec.attempts_max = attempts_max; }),
       of_kind([&](auto& spec) { spec.attempts_max = attempts_max + 1; })},
      {"1 to 1000", of_kind([&](auto& spec) { spec.attempts_max = 1; }),
       of_kind([&](auto& spec) { spec.attempts_max = 0; })},
      {"10000", of_kind([&](auto& spec) { spec.dependencies.assign(dependencies_max, TaskId(1)); }),
       of_kind([&](auto& spec) { spec.dependencies.assign(dependencies_max + 1, TaskId(1)); })},
  };
  for (Case& one : cases) {
    Desk desk;
    desk.submit({.kind = "first"});
    desk.submit(std::move(one.fits));
    auto error = refusal(desk, {std::move(one.does_not)});
    EXPECT_EQ(error.code, ErrorCode::invalid);
    EXPECT_NE(error.message.find(one.limit), std::string::npos) << error.message;
  }
}

TEST(Submission, OfTooManyTasksIsRefused) {
  Desk desk;
  std::vector<TaskSpec> specs(limits::submission_tasks_max + 1, TaskSpec{.kind = "work"});
  EXPECT_EQ(refusal(desk, std::move(specs)).code, ErrorCode::invalid);
}

TEST(Submission, WithANegativeDurationIsRefused) {
  Duration negative(-1);
  EXPECT_EQ(refusal({.kind = "work", .timeout = negative}).code, ErrorCode::invalid);
  EXPECT_EQ(refusal({.kind = "work", .backoff = {.initial = negative}}).code, ErrorCode::invalid);
  EXPECT_EQ(refusal({.kind = "work", .backoff = {.max = negative}}).code, ErrorCode::invalid);
}

// Times that are computed later must not overflow.
TEST(Submission, WithADurationThatNoClockCanAddIsRefused) {
  auto endless = Duration::max();
  EXPECT_EQ(refusal({.kind = "work", .timeout = endless}).code, ErrorCode::invalid);
  EXPECT_EQ(refusal({.kind = "work", .backoff = {.initial = endless}}).code, ErrorCode::invalid);
  EXPECT_EQ(refusal({.kind = "work", .backoff = {.max = endless}}).code, ErrorCode::invalid);
}

TEST(Submission, WithANameThatIsNoPlainTextIsRefused) {
  for (std::string name : {"", "a\nb", "\x7f", "a\tb", "\xff", "\xc3", "\xed\xa0\x80"}) {
    EXPECT_EQ(refusal({.kind = name}).code, ErrorCode::invalid) << name;
    EXPECT_EQ(refusal({.kind = "work", .queue = name}).code, ErrorCode::invalid) << name;
    EXPECT_EQ(refusal({.kind = "work", .tags = {name}}).code, ErrorCode::invalid) << name;
  }
  EXPECT_EQ(refusal({.kind = std::string("a\0b", 3)}).code, ErrorCode::invalid);
  Desk desk;
  desk.submit({.kind = "Größe \xf0\x9f\x8e\x82", .queue = " ", .tags = {"a b", "'\"\\"}});
}

// --- Idempotency --------------------------------------------------------------------------------

TEST(IdempotencyKey, AnswersTheFirstTaskWhenTheSameIsSubmittedAgain) {
  Desk desk;
  TaskSpec spec{.kind = "work", .payload = "p", .tags = {"red"}, .idempotency_key = "key"};
  TaskId first = desk.submit(spec);
  auto again = desk.submit_all({spec, {.kind = "other"}});
  EXPECT_EQ(again[0].id, first);
  EXPECT_TRUE(again[0].existed());
  EXPECT_EQ(again[1].id, TaskId(2));
  EXPECT_FALSE(again[1].existed());
  EXPECT_EQ(desk.last().size(), 1U);
}

TEST(IdempotencyKey, StillStandsWhenTheTaskHasEnded) {
  Desk desk;
  TaskSpec spec{.kind = "work", .idempotency_key = "key"};
  TaskId first = desk.submit(spec);
  desk.start();
  desk.finish(first, AttemptStatus::error);
  ASSERT_EQ(desk.task(first).state, TaskState::failed);
  EXPECT_EQ(desk.submit(spec), first);
  EXPECT_TRUE(desk.last().empty());
}

TEST(IdempotencyKey, IsNotBoundToStartTimeAndLabel) {
  Desk desk;
  TaskId first = desk.submit({.kind = "work", .label = "a", .idempotency_key = "key"});
  EXPECT_EQ(
      desk.submit(
          {.kind = "work", .label = "b", .run_at = Time(Duration(5)), .idempotency_key = "key"}),
      first);
}

TEST(IdempotencyKey, RefusesOtherContent) {
  Desk desk;
  desk.submit({.kind = "first"});
  const TaskSpec spec{
      .kind = "work", .payload = "ab", .tags = {"x", "y"}, .idempotency_key = "key"};
  desk.submit(spec);
  std::vector<std::function<void(TaskSpec&)>> changes = {
      [](TaskSpec& other) { other.kind = "other"; },
      [](TaskSpec& other) { other.queue = "other"; },
      [](TaskSpec& other) { other.payload = "abc"; },
      [](TaskSpec& other) { other.priority = 1; },
      [](TaskSpec& other) { other.attempts_max = 2; },
      [](TaskSpec& other) { other.timeout = Duration(1); },
      [](TaskSpec& other) { other.backoff.initial += Duration(1); },
      [](TaskSpec& other) { other.backoff.max += Duration(1); },
      [](TaskSpec& other) { other.tags = {"xy"}; },
      [](TaskSpec& other) { other.dependencies = {TaskId(1)}; },
  };
  for (const auto& change : changes) {
    TaskSpec other = spec;
    change(other);
    auto error = refusal(desk, {other});
    EXPECT_EQ(error.code, ErrorCode::conflict);
    EXPECT_NE(error.message.find("was submitted before as task 2"), std::string::npos)
        << error.message;
  }
}

TEST(IdempotencyKey, MakesOneTaskOfTwoInOneSubmission) {
  Desk desk;
  TaskSpec spec{.kind = "work", .idempotency_key = "key"};
  auto submitted = desk.submit_all({spec, {.kind = "other"}, spec, spec_after({InBatch{2}})});
  EXPECT_EQ(ids(submitted), (Ids{1, 2, 1, 3}));
  EXPECT_EQ((std::vector{submitted[0].existed(), submitted[2].existed()}),
            (std::vector{false, true}));
  EXPECT_TRUE(desk.state().tasks.dependents.contains(DependencyKey{TaskId(1), TaskId(3)}));
}

TEST(IdempotencyKey, RefusesTwoContentsInOneSubmission) {
  Desk desk;
  auto error = refusal(
      desk, {{.kind = "a", .idempotency_key = "key"}, {.kind = "b", .idempotency_key = "key"}});
  EXPECT_EQ(error.code, ErrorCode::conflict);
}

TEST(IdempotencyKey, ThatIsEmptyIsNone) {
  Desk desk;
  EXPECT_NE(desk.submit({.kind = "work"}), desk.submit({.kind = "work"}));
}

// --- In general ---------------------------------------------------------------------------------

// Whether a graph of dependencies (edges as pairs) has a cycle, by taking away what has none.
bool has_cycle(std::size_t size, std::set<std::pair<std::size_t, std::size_t>> edges) {
  std::vector<bool> gone(size);
  for (std::size_t round = 0; round < size; ++round) {
    for (std::size_t i = 0; i < size; ++i) {
      bool free = std::ranges::none_of(edges, [&](auto& edge) { return edge.first == i; });
      if (gone[i] || !free) continue;
      gone[i] = true;
      std::erase_if(edges, [&](auto& edge) { return edge.second == i; });
    }
  }
  return !edges.empty();
}

RC_GTEST_PROP(Submission, IsAcceptedExactlyWhenItHasNoCycle, ()) {
  auto size = *rc::gen::inRange<std::size_t>(1, 9);
  auto node = rc::gen::inRange<std::size_t>(0, size);
  auto drawn = *rc::gen::container<std::vector<std::pair<std::size_t, std::size_t>>>(
      *rc::gen::inRange<std::size_t>(0, 12), rc::gen::pair(node, node));
  std::set<std::pair<std::size_t, std::size_t>> edges(drawn.begin(), drawn.end());
  std::vector<TaskSpec> specs(size, TaskSpec{.kind = "work"});
  for (auto [from, to] : edges) specs[from].dependencies.emplace_back(InBatch{to});
  Desk desk;
  auto answer = desk.ask(EnqueueTasks{specs});
  RC_ASSERT(answer.has_value() == !has_cycle(size, edges));
  if (!answer) return;
  auto submitted = std::get<std::vector<Submitted>>(*answer);
  for (auto [from, to] : edges) RC_ASSERT(submitted[from].id > submitted[to].id);
  RC_ASSERT(desk.state().tasks.all.size() == size);
  RC_ASSERT(desk.state().tasks.last == TaskId(size));
}

}  // namespace
}  // namespace almanac::test
