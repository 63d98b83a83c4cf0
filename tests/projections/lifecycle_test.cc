// The table of a task's life: whole in itself, shown in the README, and followed by the fold.
#include <almanac/projections/lifecycle.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <tuple>

namespace almanac::test {
namespace {

constexpr std::uint64_t first_task = 1;
constexpr std::uint64_t subject = 2;
const Time distant{std::chrono::hours(1'000'000)};

std::vector<TaskState> all_states() {
  std::vector<TaskState> states;
  for (std::size_t i = 0; i < task_state_count; ++i) states.push_back(static_cast<TaskState>(i));
  return states;
}

std::vector<TaskStep> all_steps() {
  std::vector<TaskStep> steps;
  for (std::size_t i = 0; i < task_step_count; ++i) steps.push_back(static_cast<TaskStep>(i));
  return steps;
}

// --- The table ----------------------------------------------------------------------------------

// The states that can be reached over rows of the table.
std::set<TaskState> reachable_from(std::optional<TaskState> from) {
  std::set<TaskState> reached;
  std::vector<std::optional<TaskState>> open{from};
  while (!open.empty()) {
    auto state = open.back();
    open.pop_back();
    for (const Transition& row : lifecycle) {
      if (row.from == state && reached.insert(row.to).second) open.push_back(row.to);
    }
  }
  return reached;
}

TEST(LifecycleTable, ReachesEveryState) {
  EXPECT_EQ(reachable_from(std::nullopt).size(), task_state_count);
}

TEST(LifecycleTable, LetsEveryStateThatHasNotEndedEndInEveryWayOrBeCancelled) {
  for (TaskState state : all_states()) {
    if (has_ended(state)) continue;
    auto reached = reachable_from(state);
    EXPECT_TRUE(reached.contains(TaskState::cancelled)) << name(state);
    if (state == TaskState::cancelling) continue;
    EXPECT_TRUE(reached.contains(TaskState::succeeded)) << name(state);
    EXPECT_TRUE(reached.contains(TaskState::failed)) << name(state);
  }
}

TEST(LifecycleTable, LeadsOutOfNoStateThatHasEndedButARedrivenFailure) {
  for (const Transition& row : lifecycle) {
    const bool is_redrive = row.from == TaskState::failed && row.step == TaskStep::redriven;
    EXPECT_EQ(row.from && has_ended(*row.from), is_redrive) << name(row.step);
  }
}

TEST(LifecycleTable, EntersRunningByAStartAlone) {
  for (const Transition& row : lifecycle) {
    const bool enters = row.to == TaskState::running && row.from != TaskState::running;
    EXPECT_EQ(enters, row.step == TaskStep::started);
  }
}

TEST(LifecycleTable, UsesEveryStep) {
  for (TaskStep step : all_steps()) {
    EXPECT_TRUE(std::ranges::any_of(lifecycle, [&](auto& row) { return row.step == step; }))
        << name(step);
  }
}

TEST(LifecycleTable, HasNoRowTwice) {
  std::set<std::tuple<std::optional<TaskState>, TaskStep, TaskState>> rows;
  for (const Transition& row : lifecycle) {
    EXPECT_TRUE(rows.insert({row.from, row.step, row.to}).second) << name(row.step);
  }
}

TEST(LifecycleTable, TellsApartTheRowsOfOneStep) {
  std::set<std::tuple<std::optional<TaskState>, TaskStep, std::string_view>> rows;
  for (const Transition& row : lifecycle) {
    EXPECT_TRUE(rows.insert({row.from, row.step, row.when}).second) << name(row.step);
  }
}

TEST(LifecycleTable, AllowsItsRowsAndNothingElse) {
  std::size_t allowed = 0;
  for (TaskStep step : all_steps()) {
    for (TaskState to : all_states()) {
      allowed += allows({}, step, to) ? 1 : 0;
      for (TaskState from : all_states()) allowed += allows(from, step, to) ? 1 : 0;
    }
  }
  EXPECT_EQ(allowed, lifecycle.size());
}

TEST(LifecycleNames, LeadBackToTheirStates) {
  for (TaskState state : all_states()) EXPECT_EQ(task_state_from(name(state)), state);
  EXPECT_EQ(task_state_from("sleeping"), std::nullopt);
  EXPECT_EQ(task_state_from(""), std::nullopt);
}

// --- The picture --------------------------------------------------------------------------------

TEST(LifecyclePicture, HasALineForEveryRowAndEveryEnd) {
  auto picture = lifecycle_picture();
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(picture, '\n')), 1 + lifecycle.size() + 3);
  EXPECT_NE(picture.find("    ready --> running: TaskStarted\n"), std::string::npos);
  EXPECT_NE(picture.find("    failed --> [*]\n"), std::string::npos);
}

// What stands between two texts, the first time both do; empty when they do not.
std::string between(const std::string& text, std::string_view begin, std::string_view end) {
  auto from = text.find(begin);
  auto to = from == std::string::npos ? from : text.find(end, from + begin.size());
  if (to == std::string::npos) return {};
  return text.substr(from + begin.size(), to - from - begin.size());
}

TEST(LifecyclePicture, IsTheOneInTheReadme) {
  auto block =
      between(read_file(source_path("README.md")), "<!-- lifecycle -->", "<!-- /lifecycle -->");
  EXPECT_EQ(between(block, "```mermaid\n", "```"), lifecycle_picture());
}

// --- The fold -----------------------------------------------------------------------------------

// A story in which the subject is in this state; none: it does not exist.
Story story_in(std::optional<TaskState> state) {
  Story story;
  story.enqueue({.id = first_task});
  if (!state) return story;
  if (*state == TaskState::waiting) {
    story.enqueue({.id = subject, .attempts_max = 3, .dependencies = {first_task}});
    return story;
  }
  if (*state == TaskState::delayed) {
    story.enqueue({.id = subject, .run_at = distant, .attempts_max = 3});
    return story;
  }
  story.enqueue({.id = subject, .attempts_max = 3});
  if (*state == TaskState::ready) return story;
  if (*state == TaskState::held) {
    story.hold(subject);
    return story;
  }
  story.start(subject);
  if (*state == TaskState::cancelling || *state == TaskState::cancelled) {
    story.request_cancel(subject);
  }
  if (*state == TaskState::succeeded) story.succeed(subject);
  if (*state == TaskState::failed) story.fail(subject);
  if (*state == TaskState::cancelled) story.cancel(subject);
  return story;
}

// Lets the step happen to the subject in the way that leads to `to`.
bool take_step(Story& story, TaskStep step, TaskState to) {
  switch (step) {
    case TaskStep::enqueued:
      return story.enqueue({.id = subject,
                            .run_at = to == TaskState::delayed ? distant : Time(),
                            .dependencies = to == TaskState::waiting
                                                ? std::vector{first_task}
                                                : std::vector<std::uint64_t>{}});
    case TaskStep::unblocked: return story.start(first_task) && story.succeed(first_task);
    case TaskStep::readied: return story.make_ready(subject);
    case TaskStep::started: return story.start(subject);
    case TaskStep::succeeded: return story.succeed(subject);
    case TaskStep::attempt_failed: return story.fail_attempt(subject, distant);
    case TaskStep::failed: return story.fail(subject);
    case TaskStep::cancel_requested: return story.request_cancel(subject);
    case TaskStep::cancelled: return story.cancel(subject);
    case TaskStep::handed_back: return story.hand_back(subject);
    case TaskStep::held: return story.hold(subject);
    case TaskStep::released: return story.release(subject);
    case TaskStep::accepted: return story.accept(subject);
    case TaskStep::snoozed: return story.snooze(subject, distant);
    case TaskStep::redriven: return story.redrive(subject);
    case TaskStep::failed_over: return story.fail_over(subject, "local");
  }
  return false;
}

TEST(LifecycleFold, ReachesEveryStateTheStoriesNeed) {
  for (TaskState state : all_states()) EXPECT_EQ(story_in(state).task(subject).state, state);
}

TEST(LifecycleFold, TakesEveryRow) {
  for (const Transition& row : lifecycle) {
    Story story = story_in(row.from);
    if (row.from == TaskState::waiting && row.to == TaskState::delayed) {
      story = Story();
      story.enqueue({.id = first_task});
      story.enqueue({.id = subject, .run_at = distant, .dependencies = {first_task}});
    }
    if (row.step == TaskStep::released && row.to != TaskState::ready) {
      story = story_in(row.to);
      story.hold(subject);
    }
    EXPECT_TRUE(take_step(story, row.step, row.to)) << name(row.step);
    EXPECT_EQ(story.task(subject).state, row.to) << name(row.step);
    EXPECT_EQ(story.state().ignored, 0U) << name(row.step);
    EXPECT_EQ(check_orders(story.state()), "");
  }
}

bool has_row(std::optional<TaskState> from, TaskStep step) {
  return std::ranges::any_of(lifecycle,
                             [&](auto& row) { return row.from == from && row.step == step; });
}

// The events that stand for a step, with the subject's lease, without one, and with one that was
// never given.
std::vector<EventBody> attempts_at(const Story& story, TaskStep step) {
  std::vector<EventBody> bodies;
  TaskId id(subject);
  if (step == TaskStep::enqueued) bodies.emplace_back(TaskEnqueued{.id = id, .kind = "work"});
  if (step == TaskStep::readied) bodies.emplace_back(TaskReadied{id});
  if (step == TaskStep::started) bodies.emplace_back(TaskStarted{id, 1, Time()});
  if (step == TaskStep::cancel_requested) bodies.emplace_back(TaskCancelRequested{id, "no"});
  if (step == TaskStep::released) bodies.emplace_back(TaskReleased{id});
  if (step == TaskStep::accepted) bodies.emplace_back(TaskAccepted{id});
  if (step == TaskStep::redriven) bodies.emplace_back(TaskRedriven{id, "again"});
  for (Lease lease : {story.lease(subject), Lease(), Lease(77)}) {
    if (step == TaskStep::succeeded) bodies.emplace_back(TaskSucceeded{id, lease, {}});
    if (step == TaskStep::failed) bodies.emplace_back(TaskFailed{id, lease, {}});
    if (step == TaskStep::attempt_failed) {
      bodies.emplace_back(TaskAttemptFailed{id, lease, distant, {}});
    }
    if (step == TaskStep::cancelled) bodies.emplace_back(TaskCancelled{.id = id, .lease = lease});
    if (step == TaskStep::handed_back) bodies.emplace_back(TaskHandedBack{id, lease});
    if (step == TaskStep::snoozed) bodies.emplace_back(TaskSnoozed{id, lease, distant});
    if (step == TaskStep::failed_over) {
      bodies.emplace_back(TaskFailedOver{.id = id, .lease = lease, .to = "local"});
    }
    if (step == TaskStep::held) bodies.emplace_back(TaskHeld{.id = id, .lease = lease});
  }
  return bodies;
}

void expect_ignored(const Story& before, const EventBody& body) {
  Story story = before;
  EXPECT_FALSE(story.tell(body)) << type_name(body);
  State expected = before.state();
  expected.position = story.state().position;
  expected.time = story.state().time;
  ++expected.ignored;
  EXPECT_EQ(to_hex(digest(story.state())), to_hex(digest(expected))) << type_name(body);
  EXPECT_EQ(check_orders(story.state()), "");
}

TEST(LifecycleFold, IgnoresEveryStepTheTableDoesNotHave) {
  std::vector<std::optional<TaskState>> froms{std::nullopt};
  for (TaskState state : all_states()) froms.emplace_back(state);
  std::size_t pairs = 0;
  for (auto from : froms) {
    Story story = story_in(from);
    for (TaskStep step : all_steps()) {
      // The end of a dependency is not an event of the subject; see the test below.
      if (has_row(from, step) || step == TaskStep::unblocked) continue;
      ++pairs;
      for (const EventBody& body : attempts_at(story, step)) expect_ignored(story, body);
    }
  }
  EXPECT_EQ(pairs, froms.size() * (task_step_count - 1) - 23);  // rows of the table, by pair
}

TEST(LifecycleFold, LetsADependencyMoveNothingButTheWaiting) {
  Story story;
  story.enqueue({.id = first_task});
  story.enqueue({.id = subject, .dependencies = {first_task}});
  ASSERT_TRUE(story.cancel(subject));
  Task before = story.task(subject);
  ASSERT_TRUE(story.start(first_task) && story.succeed(first_task));
  EXPECT_EQ(story.task(subject), before);
  EXPECT_EQ(check_orders(story.state()), "");
}

// A result that comes with a lease that is not the task's is the late one of an earlier attempt.
TEST(LifecycleFold, IgnoresWhatComesWithAnotherLease) {
  for (TaskState state : {TaskState::running, TaskState::cancelling}) {
    Story story = story_in(state);
    TaskId id(subject);
    for (Lease lease : {Lease(), Lease(story.lease(subject).value - 1), Lease(99)}) {
      expect_ignored(story, TaskSucceeded{id, lease, {}});
      expect_ignored(story, TaskFailed{id, lease, {}});
      expect_ignored(story, TaskAttemptFailed{id, lease, distant, {}});
      expect_ignored(story, TaskHandedBack{id, lease});
      expect_ignored(story, TaskSnoozed{id, lease, distant});
      expect_ignored(story, TaskFailedOver{.id = id, .lease = lease, .to = "local"});
      expect_ignored(story, TaskProgressed{id, lease, 500, "half", {}});
      expect_ignored(story, TaskHeld{.id = id, .lease = lease});
      if (lease) expect_ignored(story, TaskCancelled{.id = id, .lease = lease});
    }
  }
}

}  // namespace
}  // namespace almanac::test
