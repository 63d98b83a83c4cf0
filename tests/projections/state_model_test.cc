// The fold beside a naive model over random histories, right and wrong ones: it is total, its
// orders are always those of its tasks, and a state once taken never changes.
#include <almanac/projections/invariants.h>
#include <almanac/tests/projections/task_model.h>
#include <almanac/tests/support/any_event.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <ranges>
#include <span>
#include <tuple>

namespace almanac::test {
namespace {

constexpr std::uint64_t tasks_max = 9;
constexpr std::uint8_t types = 40;

// One event, as numbers that rapidcheck can draw and shrink.
struct Move {
  std::uint8_t type = 0;
  std::uint8_t task = 0;
  std::uint8_t detail = 0;
};

const std::array<std::string, 3> some_names = {"red", "green", "blue"};

NewTask new_task(const Story& story, const Move& move) {
  NewTask task{.id = move.task % (tasks_max + 1),  // 0 is no number
               .kind = some_names[move.detail % 3],
               .queue = some_names[move.detail / 3 % 3],
               .priority = move.detail % 5 - 2};
  if (move.detail % 4 == 0) task.run_at = Time(std::chrono::seconds(1'000'000 + move.detail));
  for (std::uint64_t other = 1; other <= tasks_max; ++other) {
    if ((move.detail * other) % 7 == 1) task.dependencies.push_back(other);
  }
  if (move.detail % 2 == 1) {
    for (std::uint64_t other : task.dependencies) {
      task.conditions.push_back(
          static_cast<DependencyCondition>((move.detail / 7 + other) % dependency_condition_count));
    }
  }
  task.keeps_dependencies = move.detail % 3 == 0;
  if (move.detail % 5 == 2) task.expires_at = Time(std::chrono::seconds(1'000'100 + move.detail));
  if (move.detail % 8 == 0) task.dependencies.push_back(task.dependencies.empty() ? 1 : task.id);
  if (move.detail % 3 == 1) task.tags = {some_names[move.task % 3], some_names[move.detail % 2]};
  if (move.detail % 2 == 0) task.owner = some_names[move.task % 3];
  if (move.detail % 5 < 2) task.deadline = story.now() + std::chrono::seconds(move.detail % 50);
  if (move.detail % 9 < 3) task.version = move.detail % 9;
  if (move.detail % 7 < 3) task.unique.identity = {1, move.detail % 7U};
  if (move.detail % 3 > 0) task.group = story.tasks().groups.last.value + move.task / 16 % 2;
  if (move.detail % 5 == 4) task.after_group = move.detail / 5 % 4;
  task.after_group_condition =
      static_cast<DependencyCondition>(move.detail / 20 % dependency_condition_count);
  if (move.detail % 6 == 5) task.key = "key " + std::to_string(move.detail % 18);
  return task;
}

// Mostly with the lease the task holds.
Lease lease_for(const Story& story, const Move& move) {
  Lease lease = story.lease(move.task % tasks_max + 1);
  if (move.detail % 16 == 3) return Lease(lease.value + 1);
  if (move.detail % 16 == 4) return Lease();
  return lease;
}

void configure(Story& story, const Move& move) {
  static const std::array weights = {QueueWeight{"high", 30}, QueueWeight{"deadline", 40},
                                     QueueWeight{"green", 300}, QueueWeight{"overdue", -50}};
  story.tell(QueueConfigured{.queue = some_names[move.detail % 3],
                             .slots = move.detail,
                             .policy = static_cast<QueuePolicy>(move.task % queue_policy_count),
                             .ageing = std::chrono::seconds(move.detail % 4),
                             .window = std::chrono::seconds(move.detail % 64),
                             .weights = QueueWeightListView(weights)});
}

// Up to three of them, in one of several orders.
void set_implementations(Story& story, const Move& move) {
  static const std::array lists = {RankedImplementation{"red", 1}, RankedImplementation{"blue", 2},
                                   RankedImplementation{"green", 1},
                                   RankedImplementation{"red", 3}};
  const auto list = std::span(lists).subspan(move.detail % 2, move.detail / 2 % 4);
  story.tell(ImplementationsSet{
      some_names[move.task % 3], ImplementationListView(list), {move.detail / 8 % 3U, 2}});
}

void change_implementation(Story& story, const Move& move) {
  const std::string_view kind = some_names[move.task % 3];
  const std::string_view name = some_names[move.detail / 2 % 3];
  if (move.detail % 2 == 0) {
    story.tell(ImplementationLeft{kind, name, "gone"});
  } else {
    story.tell(ImplementationReturned{kind, name});
  }
}

void open_group(Story& story, const Move& move) {
  const auto last = story.tasks().groups.last.value;
  story.tell(GroupOpened{GroupId(last + move.detail % 4 % 3), some_names[move.task % 3]});
}

void make(Story& story, const Move& move) {
  TaskId id(move.task % tasks_max + 1);
  Lease lease = lease_for(story, move);
  Time soon = story.now() + std::chrono::seconds(move.detail % 9);
  const auto scope = move.task % 2 == 0 ? PauseScope::queue : PauseScope::kind;
  switch (move.type % types) {
    case 0:
    case 1:
    case 2: story.enqueue(new_task(story, move)); return;
    case 3: story.tell(TaskReadied{id}); return;
    case 4:
    case 5:
    case 6:
    case 7: story.tell(TaskStarted{id, move.detail, Time()}); return;
    case 8:
    case 9: story.tell(TaskSucceeded{id, lease, {}}); return;
    case 10: story.tell(TaskAttemptFailed{id, lease, soon, {}}); return;
    case 11: story.tell(TaskFailed{id, lease, {}}); return;
    case 12: story.tell(TaskCancelRequested{id, ""}); return;
    case 13: story.tell(TaskCancelled{.id = id, .lease = lease}); return;
    case 14: story.tell(TaskHandedBack{id, lease}); return;
    case 15:
    case 16: story.tell(TaskHeld{.id = id, .lease = lease}); return;
    case 17: story.tell(TaskReleased{id}); return;
    case 18: story.tell(TaskAccepted{id}); return;
    case 19: story.tell(TaskSnoozed{id, lease, soon}); return;
    case 20:
    case 21: story.redrive(id.value); return;
    case 22:
      story.tell(TaskHandedBack{id, lease, HandBackReason::crashed, false, move.detail, {}});
      return;
    case 23: story.tell(TaskProgressed{id, lease, move.detail, "", {}}); return;
    case 24: story.forget({id.value}); return;
    case 25: story.forget({id.value + move.detail % 3, id.value}); return;
    case 26: story.tell(WorkPaused{scope, some_names[move.detail % 3]}); return;
    case 27: story.tell(WorkResumed{scope, some_names[move.detail % 3]}); return;
    case 28: story.tell(TasksReranked{soon, TaskId(move.detail % 3)}); return;
    case 29: story.tell(TaskStarted{id, move.detail, Time(), some_names[move.detail % 3]}); return;
    case 30: set_implementations(story, move); return;
    case 31:
      story.tell(TaskFailedOver{
          .id = id, .lease = lease, .from = "red", .to = some_names[move.detail % 3]});
      return;
    case 32: change_implementation(story, move); return;
    case 33: story.tell(TaskRequestCarried{{.id = id, .kind = "carried"}}); return;
    case 34: story.tell(TaskResultCarried{id, {}}); return;
    case 35: story.tell(EngineStarted{"0.1.0", 4711, 4, 42}); return;
    case 36:
      story.tell(TaskStarted{.id = id,
                             .attempt = move.detail,
                             .worker = some_names[move.detail % 3],
                             .lease_time = std::chrono::seconds(1)});
      return;
    case 37: open_group(story, move); return;
    case 38: story.tell(GroupClosed{GroupId(move.detail % 6)}); return;
    default: configure(story, move); return;
  }
}

auto as_tuple(const State& state, const Task& task) {
  return std::tuple(task.state, std::string(state.names.text(task.kind)),
                    std::string(state.names.text(task.queue)), task.priority, task.run_at,
                    task.ended_at, task.attempts, task.failures, task.lease.value,
                    task.changed.value);
}

auto as_tuple(const ModelTask& task) {
  return std::tuple(task.state, task.kind, task.queue, task.priority, task.run_at, task.ended_at,
                    task.attempts, task.failures, task.lease, task.changed);
}

std::set<std::string> tags_of(const State& state, TaskId id) {
  std::set<std::string> tags;
  for (const TagKey& key : state.tasks.tagged) {
    if (key.id == id) tags.emplace(state.names.text(key.tag));
  }
  return tags;
}

// In order, and which is the first that can be used.
void assert_same_implementations(const State& state, const TaskModel& model) {
  std::size_t count = 0;
  for (const auto& [kind, names] : model.implementations) {
    const auto id = state.names.find(kind);
    const auto is_usable = [&](const std::string& name) {
      return !model.left.contains({kind, name});
    };
    const auto first = std::ranges::find_if(names, is_usable);
    const auto usable = id ? state.implementations.usable(*id) : std::nullopt;
    RC_ASSERT(usable.has_value() == (first != names.end()));
    if (usable) {
      RC_ASSERT(state.names.text(*usable) == *first);
    }
    count += names.size();
    const VersionRange versions = id ? state.implementations.versions_of(*id) : VersionRange();
    const auto expected = model.versions.find(kind);
    RC_ASSERT(versions == (expected == model.versions.end() ? VersionRange() : expected->second));
  }
  RC_ASSERT(state.implementations.all.size() == count);
}

void assert_same(const State& state, const TaskModel& model) {
  RC_ASSERT(state.ignored == model.ignored);
  RC_ASSERT(state.tasks.all.size() == model.tasks.size());
  std::size_t doomed = 0;
  std::size_t tagged = 0;
  for (const auto& [number, expected] : model.tasks) {
    const Task* task = state.tasks.all.find(TaskId(number));
    RC_ASSERT(task != nullptr);
    RC_ASSERT(as_tuple(state, *task) == as_tuple(expected));
    const TaskId* blame = state.tasks.doomed.find(TaskId(number));
    RC_ASSERT((blame == nullptr ? 0 : blame->value) == expected.blame.value_or(0));
    // How many it waits for matters as long as the wait can end.
    const bool depends = expected.state == TaskState::waiting || expected.state == TaskState::held;
    if (depends && !expected.blame) {
      RC_ASSERT(task->waiting_for == expected.waits_for.size() + (expected.awaits ? 1 : 0));
    }
    RC_ASSERT(tags_of(state, TaskId(number)) == expected.tags);
    const std::uint32_t* crashes = state.tasks.crashes.find(TaskId(number));
    RC_ASSERT((crashes == nullptr ? 0 : *crashes) == expected.crashes);
    const TaskProgress* progress = state.tasks.progress.find(TaskId(number));
    const auto permille =
        progress == nullptr ? std::optional<std::uint16_t>() : std::optional(progress->permille);
    RC_ASSERT(permille == expected.permille);
    const NameId* run_by = state.tasks.run_by.find(TaskId(number));
    RC_ASSERT((run_by == nullptr ? "" : state.names.text(*run_by)) == expected.run_by);
    const RemoteLease* remote = state.tasks.remote.find(TaskId(number));
    RC_ASSERT((remote == nullptr ? "" : remote->worker.view()) == expected.worker);
    RC_ASSERT(lane_of(state.tasks, TaskId(number), *task).version == expected.version);
    const GroupId* group = state.tasks.groups.group_of.find(TaskId(number));
    RC_ASSERT((group == nullptr ? 0 : group->value) == expected.group);
    const GroupWait* wait = state.tasks.groups.waits.find(TaskId(number));
    RC_ASSERT((wait != nullptr) == expected.awaits.has_value());
    doomed += expected.blame ? 1 : 0;
    tagged += expected.tags.size();
  }
  RC_ASSERT(state.tasks.doomed.size() == doomed);
  RC_ASSERT(state.tasks.groups.all.size() == model.groups.size());
  for (const auto& [number, expected] : model.groups) {
    const Group* group = state.tasks.groups.all.find(GroupId(number));
    RC_ASSERT(group != nullptr && group->outcome == expected.outcome);
  }
  RC_ASSERT(state.pauses.all.size() == model.paused.size());
  RC_ASSERT(state.tasks.tagged.size() == tagged);
  assert_same_implementations(state, model);
  std::size_t known = 0;
  for (const auto& [identity, expected] : model.known) {
    const auto of = state.tasks.unique.of(identity);
    RC_ASSERT(std::ranges::equal(of | std::views::reverse, expected, {}, &TaskId::value));
    known += expected.size();
  }
  RC_ASSERT(state.tasks.unique.known.size() == known);
  RC_ASSERT(state.tasks.keys.size() == model.keys.size());
  for (const auto& [key, id] : model.keys) {
    RC_ASSERT(state.tasks.keys.find(key)->id.value == id);
  }
}

rc::Gen<std::vector<Move>> any_moves() {
  auto move =
      rc::gen::build<Move>(rc::gen::set(&Move::type, rc::gen::inRange<std::uint8_t>(0, types)),
                           rc::gen::set(&Move::task), rc::gen::set(&Move::detail));
  return rc::gen::scale(4.0, rc::gen::container<std::vector<Move>>(move));
}

RC_GTEST_PROP(Fold, FollowsTheModel, ()) {
  Story story;
  TaskModel model;
  for (const Move& move : *any_moves()) {
    make(story, move);
    model.tell(story.events().back());
    assert_same(story.state(), model);
    RC_ASSERT(check_orders(story.state()) == "");
    RC_ASSERT(broken_invariants(story.state()).empty());
  }
}

RC_GTEST_PROP(Fold, NeverChangesAStateThatWasTaken, ()) {
  Story story;
  std::vector<std::pair<State, Digest>> taken;
  for (const Move& move : *any_moves()) {
    make(story, move);
    if (move.detail % 8 == 0) taken.emplace_back(story.state(), digest(story.state()));
  }
  for (const auto& [state, digest_then] : taken) {
    RC_ASSERT(digest(state) == digest_then);
    RC_ASSERT(check_orders(state) == "");
  }
}

RC_GTEST_PROP(Fold, OfTheSameEventsGivesTheSameDigest, ()) {
  Story story;
  for (const Move& move : *any_moves()) make(story, move);
  State again;
  for (const RecordedEvent& event : story.events()) again = fold(std::move(again), event);
  RC_ASSERT(digest(again) == digest(story.state()));
}

// Events with numbers and texts from anywhere, most of which make no sense together.
RC_GTEST_PROP(Fold, IsTotal, ()) {
  auto batch = any_batch(60, Time(std::chrono::seconds(1)));
  State state;
  for (const Event& event : batch->events) {
    state = fold(std::move(state), {state.position.next(), event});
    RC_ASSERT(check_orders(state) == "");
    RC_ASSERT(broken_invariants(state).empty());
  }
  RC_ASSERT(state.position == Position(batch->events.size()));
  RC_ASSERT(state.ignored <= batch->events.size());
}

}  // namespace
}  // namespace almanac::test
