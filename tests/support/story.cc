#include <almanac/tests/support/story.h>

#include <almanac/log/error.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace almanac::test {
namespace {

constexpr Time beginning{std::chrono::seconds(1'000'000)};

// The orders as plain sets, made anew from the tasks.
struct Derived {
  std::set<ReadyKey> ready;
  std::set<DueKey> due;
  std::set<RunningKey> running;
  std::set<DueKey> expiring;
  std::array<std::uint64_t, task_state_count> counts{};
  std::uint64_t live = 0;

  explicit Derived(const Tasks& tasks) {
    for (const auto& [id, task] : tasks.all) {
      if (task.state == TaskState::ready) {
        // Of other queues, a test of their own looks at the ranks.
        const bool by_priority = !tasks.ranking.policies.contains(task.queue);
        ready.insert(by_priority
                         ? ReadyKey{lane_of(tasks, id, task), {-std::int64_t{task.priority}, id}}
                         : ready_key(tasks, id, task));
      }
      if (task.state == TaskState::delayed) due.insert({task.run_at, id});
      if (holds_lease(task.state)) running.insert({task.queue, id});
      const TaskTerms* terms = tasks.terms.find(id);
      const bool may_begin = task.state == TaskState::waiting || task.state == TaskState::delayed ||
                             task.state == TaskState::ready;
      if (terms != nullptr && terms->expires_at != Time() && may_begin) {
        expiring.insert({terms->expires_at, id});
      }
      ++counts[static_cast<std::size_t>(task.state)];
      live += has_ended(task.state) ? 0 : 1;
    }
  }
};

template <class Order, class Expected>
bool same(const Order& order, const Expected& expected) {
  return order.size() == expected.size() &&
         std::equal(order.begin(), order.end(), expected.begin());
}

std::string check_task(const Tasks& tasks, TaskId id, const Task& task) {
  auto wrong = [&](const char* what) { return "task " + std::to_string(id.value) + ": " + what; };
  if (holds_lease(task.state) != (task.lease != Lease())) return wrong("lease without running");
  if (task.state == TaskState::waiting && task.waiting_for == 0) return wrong("waits for nothing");
  if (has_ended(task.state) != (task.ended_at != Time())) return wrong("ended without a time");
  if (id > tasks.last) return wrong("is behind the last one");
  return {};
}

}  // namespace

std::string hex(const State& state) { return to_hex(digest(state)); }

bool Story::tell(const EventBody& body, std::string_view key) {
  Event event{.at = now(), .body = body};
  if (!key.empty()) event.idempotency_key = keys_.emplace_back(key);
  auto ignored = state_.ignored;
  events_.push_back({state_.position.next(), event});
  state_ = fold(std::move(state_), events_.back());
  return state_.ignored == ignored;
}

bool Story::enqueue(const NewTask& task) {
  Memory& memory = memory_.emplace_back();
  memory.task = task;
  for (std::uint64_t id : task.dependencies) memory.dependencies.emplace_back(id);
  for (const std::string& tag : memory.task.tags) memory.tags.emplace_back(tag);
  return tell(TaskEnqueued{.id = TaskId(task.id),
                           .kind = memory.task.kind,
                           .queue = memory.task.queue,
                           .priority = task.priority,
                           .run_at = task.run_at,
                           .timeout = task.timeout,
                           .attempts_max = task.attempts_max,
                           .content_hash = task.content_hash,
                           .tags = NameListView(memory.tags),
                           .dependencies = memory.dependencies,
                           .conditions = memory.task.conditions,
                           .owner = memory.task.owner,
                           .deadline = task.deadline,
                           .estimate = task.estimate,
                           .expires_at = task.expires_at,
                           .keeps_dependencies = task.keeps_dependencies,
                           .unique = task.unique,
                           .version = task.version,
                           .group = GroupId(task.group),
                           .after_group = GroupId(task.after_group),
                           .after_group_condition = task.after_group_condition},
              memory.task.key);
}

bool Story::start(std::uint64_t id) {
  const Task* task = state_.tasks.all.find(TaskId(id));
  return tell(TaskStarted{TaskId(id), task == nullptr ? 1 : task->attempts + 1, Time()});
}

bool Story::succeed(std::uint64_t id) { return tell(TaskSucceeded{TaskId(id), lease(id), {}}); }

bool Story::fail_attempt(std::uint64_t id, Time retry_at) {
  return tell(TaskAttemptFailed{
      TaskId(id), lease(id), retry_at, {.status = AttemptStatus::exited, .code = 3}});
}

bool Story::fail(std::uint64_t id) {
  return tell(TaskFailed{TaskId(id), lease(id), {.status = AttemptStatus::signaled, .code = 9}});
}

bool Story::cancel(std::uint64_t id) {
  return tell(TaskCancelled{.id = TaskId(id), .lease = lease(id), .reason = "no"});
}

bool Story::hand_back(std::uint64_t id) {
  return tell(TaskHandedBack{TaskId(id), lease(id), HandBackReason::stopping});
}

bool Story::crash(std::uint64_t id, std::uint32_t crashes) {
  return tell(TaskHandedBack{TaskId(id),
                             lease(id),
                             HandBackReason::crashed,
                             false,
                             crashes,
                             {.status = AttemptStatus::signaled, .code = 11}});
}

bool Story::forget(const std::vector<std::uint64_t>& ids) {
  auto& forgotten = ids_.emplace_back();
  for (std::uint64_t id : ids) forgotten.emplace_back(id);
  return tell(TasksForgotten{forgotten});
}

bool Story::hold(std::uint64_t id, TaskOutcome outcome) {
  return tell(TaskHeld{.id = TaskId(id), .lease = lease(id), .outcome = outcome});
}

const Task& Story::task(std::uint64_t id) const {
  const Task* found = state_.tasks.all.find(TaskId(id));
  ALMANAC_CHECK(found != nullptr);
  return *found;
}

Lease Story::lease(std::uint64_t id) const {
  const Task* found = state_.tasks.all.find(TaskId(id));
  return found == nullptr ? Lease() : found->lease;
}

Time Story::now() const {
  return state_.position ? state_.time + std::chrono::seconds(1) : beginning;
}

std::string check_orders(const State& state) {
  const Tasks& tasks = state.tasks;
  for (const auto& [id, task] : tasks.all) {
    if (auto wrong = check_task(tasks, id, task); !wrong.empty()) return wrong;
  }
  Derived derived(tasks);
  if (!same(tasks.ready, derived.ready)) return "the ready order is not that of the tasks";
  if (!same(tasks.due, derived.due)) return "the due order is not that of the tasks";
  if (!same(tasks.running, derived.running)) return "the running order is not that of the tasks";
  if (!same(tasks.expiring, derived.expiring)) return "what expires is not that of the tasks";
  if (tasks.counts != derived.counts) return "the counts are not those of the tasks";
  if (tasks.live() != derived.live) return "live() is not the number of tasks that have not ended";
  for (const DependencyKey& key : tasks.dependents) {
    const Task* dependency = tasks.all.find(key.dependency);
    const DependencyCondition* condition = tasks.conditions.find(key);
    const bool may_be_redriven = condition != nullptr &&
                                 *condition == DependencyCondition::success_in_the_end &&
                                 dependency != nullptr && dependency->state == TaskState::failed;
    if (dependency == nullptr || (has_ended(dependency->state) && !may_be_redriven)) {
      return "waits for an ended task";
    }
  }
  for (const auto& [id, culprit] : tasks.doomed) {
    const Task* task = tasks.all.find(id);
    const bool depends =
        task != nullptr && (task->state == TaskState::waiting || task->state == TaskState::held);
    if (!depends) return "doomed but not waiting";
  }
  if (tasks.held.size() != tasks.count(TaskState::held)) return "held is not the held tasks";
  for (const auto& [id, hold] : tasks.held) {
    const Task* task = tasks.all.find(id);
    if (task == nullptr || task->state != TaskState::held) return "under review but not held";
  }
  return {};
}

}  // namespace almanac::test
