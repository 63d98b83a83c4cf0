#include <almanac/projections/invariants.h>

#include <almanac/projections/backup_invariants.h>
#include <almanac/projections/dependencies.h>
#include <almanac/projections/gpu_memory.h>
#include <almanac/projections/group_ends.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

namespace almanac {
namespace {

std::string named(TaskId id) { return "task " + std::to_string(id.value); }
std::string named(GroupId id) { return "group " + std::to_string(id.value); }
std::string named(NameId id) { return "name " + std::to_string(id.value); }

class Check {
 public:
  Check(const State& state, std::size_t most) : state_(state), tasks_(state.tasks), most_(most) {}

  std::vector<std::string> run() {
    for (const auto& [id, task] : tasks_.all) check_task(id, task);
    check_counts();
    check_orders();
    check_ranking();
    check_dependencies();
    check_doomed();
    check_held();
    check_terms();
    check_limits();
    check_circuits();
    check_components();
    check_marks();
    check_tags();
    check_keys();
    check_unique();
    check_groups();
    check_settings();
    check_schedules();
    take(broken_invariants(state_.gpu, state_.names));
    take(broken_invariants(state_.models, state_.names));
    take(broken_invariants(state_.audits, state_.names));
    take(broken_keys(state_.custom_keys, state_.position));
    take(broken_memories(state_.memories, state_.names));
    take(broken_places(state_));
    take(broken_backups(state_));
    return std::move(broken_);
  }

 private:
  void expect(bool holds, const std::string& subject, std::string_view otherwise) {
    if (!holds && broken_.size() < most_) broken_.push_back(subject + std::string(otherwise));
  }
  void take(const std::vector<std::string>& broken) {
    for (const std::string& one : broken) expect(false, one, "");
  }

  [[nodiscard]] const Task* find(TaskId id) const { return tasks_.all.find(id); }
  [[nodiscard]] bool is_in(TaskId id, TaskState state) const {
    const Task* task = find(id);
    return task != nullptr && task->state == state;
  }

  void check_task(TaskId id, const Task& task) {
    const auto fails = [&](bool holds, std::string_view otherwise) {
      if (!holds) expect(false, named(id), otherwise);
    };
    fails(id && id <= tasks_.last, " has a number that was never given");
    fails(state_.names.contains(task.kind), " is of a kind without a name");
    fails(state_.names.contains(task.queue), " is in a queue without a name");
    fails(!task.lease || holds_lease(task.state), " holds a lease and does not run");
    fails(task.lease || !holds_lease(task.state), " runs without a lease");
    fails(task.state != TaskState::waiting || task.waiting_for > 0, " waits for nothing");
    fails(has_ended(task.state) || task.ended_at == Time(), " has an end and goes on");
    fails(task.enqueued <= task.changed || task.state == TaskState::failed,
          " was changed before it was enqueued");
    fails(std::max(task.enqueued, task.changed) <= state_.position, " is yet to be changed");
    fails(task.lease.value <= task.changed.value, " holds a lease that is yet to be given");
    check_membership(id, task, fails);
  }

  template <class Fails>
  void check_membership(TaskId id, const Task& task, const Fails& fails) {
    ++counts_[static_cast<std::size_t>(task.state)];
    if (task.state == TaskState::ready) {
      fails(tasks_.ready.contains(ready_key(tasks_, id, task)),
            " is ready and not in the ready order");
    } else if (task.state == TaskState::delayed) {
      fails(tasks_.due.contains(DueKey{task.run_at, id}), " is delayed and not in the due order");
    } else if (holds_lease(task.state)) {
      fails(tasks_.running.contains(RunningKey{task.queue, id}),
            " runs and is not in the running order");
    } else if (task.state == TaskState::held) {
      fails(tasks_.held.contains(id), " is held and nothing is known of why");
    }
    const Time expires_at = expiry(tasks_, id, task);
    fails(expires_at == Time() || tasks_.expiring.contains(DueKey{expires_at, id}),
          " may expire and is not in that order");
  }

  void check_counts() {
    for (std::size_t i = 0; i < task_state_count; ++i) {
      expect(tasks_.counts[i] == counts_[i], std::string(name(static_cast<TaskState>(i))),
             " tasks are counted wrong: " + std::to_string(tasks_.counts[i]) + ", and there are " +
                 std::to_string(counts_[i]));
    }
  }

  // Every task is where it belongs (check_task): what is in an order besides is too much.
  void check_orders() {
    for (const ReadyKey& key : tasks_.ready) {
      const TaskId id = key.place.id;
      expect(is_in(id, TaskState::ready) && ready_key(tasks_, id, *find(id)) == key, named(id),
             " is in the ready order where it does not belong");
    }
    for (const DueKey& key : tasks_.due) {
      expect(is_in(key.id, TaskState::delayed) && find(key.id)->run_at == key.at, named(key.id),
             " is in the due order where it does not belong");
    }
    for (const DueKey& key : tasks_.expiring) {
      const Task* task = find(key.id);
      expect(task != nullptr && expiry(tasks_, key.id, *task) == key.at, named(key.id),
             " is in the order of what expires where it does not belong");
    }
    for (const RunningKey& key : tasks_.running) {
      const Task* task = find(key.id);
      expect(task != nullptr && holds_lease(task->state) && task->queue == key.queue, named(key.id),
             " is in the running order where it does not belong");
    }
  }

  // What follows from the ready tasks is held against them, so that what is too much shows as well.
  void check_ranking() {
    const Ranking& ranking = tasks_.ranking;
    std::size_t changes = 0;
    std::size_t tagged = 0;
    std::map<FlowKey, std::uint64_t> flows;
    for (const auto& [queue, policy] : ranking.policies) {
      expect(state_.names.contains(queue), named(queue), " has a policy as a queue and no text");
      expect(policy != Policy(), named(queue), " has the default for a policy of its own");
      for (TaskId id : ready_in(tasks_, queue)) {
        const Task* task = find(id);
        if (task == nullptr) continue;
        if (policy.kind == QueuePolicy::fair) {
          expect(ranking.tags.contains(id), named(id), " is ready in a fair queue without a tag");
          ++flows[{queue, terms_of(tasks_, id).owner}];
          ++tagged;
        } else if (const auto at = current_rank(tasks_, id, *task).changes_at) {
          expect(ranking.changes.contains(RankChange{*at, id}), named(id),
                 " has a rank that changes, and nothing knows when");
          ++changes;
        }
      }
    }
    expect(ranking.changes.size() == changes, "the ranks",
           " are to change more often than they will");
    expect(ranking.tags.size() == tagged, "the tags", " are of more than the ready tasks");
    for (const auto& [key, flow] : ranking.flows) {
      expect(flow.ready == flows[key], named(key.queue),
             " counts the ready tasks of an owner wrong");
      expect(flow.started <= flow.finish, named(key.queue), " has started more than it has tagged");
    }
    for (const auto& [key, ready] : flows) {
      expect(ranking.flows.contains(key), named(key.queue), " does not know an owner");
    }
    expect(!ranking.next_change() || ranking.done < *ranking.changes.first(), "the ranks",
           " were to change before");
  }

  void check_dependencies() {
    std::map<TaskId, std::uint32_t> waits;
    for (const DependencyKey& key : tasks_.dependents) {
      const Task* dependency = find(key.dependency);
      expect(dependency != nullptr &&
                 (!has_ended(dependency->state) ||
                  judge(condition_of(tasks_, key), dependency->state) == Verdict::pending),
             named(key.dependent),
             " depends on " + named(key.dependency) + ", which is not to come");
      expect(find(key.dependent) != nullptr, named(key.dependent),
             " is a dependent and does not exist");
      ++waits[key.dependent];
    }
    for (const auto& [id, wait] : tasks_.groups.waits) ++waits[id];
    for (const auto& [id, task] : tasks_.all) {
      const bool depends = task.state == TaskState::waiting || task.state == TaskState::held;
      if (!depends || tasks_.doomed.contains(id)) continue;
      const auto found = waits.find(id);
      const std::uint32_t known = found == waits.end() ? 0 : found->second;
      if (known == task.waiting_for) continue;
      expect(false, named(id),
             " waits for " + std::to_string(task.waiting_for) + " tasks, and is a dependent of " +
                 std::to_string(known));
    }
  }

  void check_doomed() {
    for (const auto& [id, culprit] : tasks_.doomed) {
      expect(is_in(id, TaskState::waiting) || is_in(id, TaskState::held), named(id),
             " is doomed and not waiting");
      const Task* task = find(culprit);
      expect(task != nullptr && has_ended(task->state), named(id),
             " is doomed by " + named(culprit) + ", which has not ended");
    }
  }

  void check_held() {
    for (const auto& [id, hold] : tasks_.held) {
      expect(is_in(id, TaskState::held), named(id), " is under review or paused and not held");
    }
  }

  // What is in use follows from what runs and what it asked for.
  void check_limits() {
    std::size_t uses = 0;
    for (const auto& [id, set] : tasks_.demands) {
      const Task* task = find(id);
      expect(task != nullptr, named(id), " asks for something and does not exist");
      expect(set && tasks_.demand_sets.contains(set), named(id), " asks for what has no number");
      if (task == nullptr || !tasks_.demand_sets.contains(set)) continue;
      for (const LimitDemand& demand : tasks_.demand_sets.of(set)) {
        expect(state_.names.contains(demand.limit), named(id), " asks for a limit without a name");
        if (!holds_lease(task->state)) continue;
        ++uses;
        const std::uint32_t* units = tasks_.in_use.find(LimitUse{demand.limit, id});
        expect(units != nullptr && *units == demand.units, named(id),
               " runs and holds other units than it asked for");
      }
    }
    expect(tasks_.in_use.size() == uses, "the state", " has units in use by what does not run");
    for (const auto& [lane, wait] : tasks_.blocked) {
      expect(tasks_.ready.lanes().contains(lane), named(lane.queue),
             " has a lane that is blocked and empty");
    }
    for (const auto& [limit, setting] : state_.limits.settings) {
      expect(state_.names.contains(limit) && setting.is_set(), named(limit),
             " is a limit without a name or without a setting");
    }
    for (const auto& [limit, bucket] : state_.limits.buckets) {
      expect(state_.names.contains(limit), named(limit), " is a bucket without a name");
    }
  }

  void check_terms() {
    for (const auto& [id, terms] : tasks_.terms) {
      expect(find(id) != nullptr, named(id), " has terms and does not exist");
      expect(!terms.owner || state_.names.contains(*terms.owner), named(id),
             " has an owner without a name");
    }
  }

  void check_marks() {
    for (const auto& [id, implementation] : tasks_.run_by) {
      const Task* task = find(id);
      expect(task != nullptr && holds_lease(task->state) && state_.names.contains(implementation),
             named(id), " is run by an implementation and does not run");
    }
    for (const auto& [id, lease] : tasks_.remote) {
      const Task* task = find(id);
      expect(task != nullptr && holds_lease(task->state) && !lease.worker.view().empty() &&
                 lease.time > Duration(0),
             named(id), " is a worker's and does not run");
    }
    for (const auto& [key, condition] : tasks_.conditions) {
      expect(tasks_.dependents.contains(key), named(key.dependent),
             " has a condition for " + named(key.dependency) + " and does not depend on it");
    }
    for (const DependencyKey& key : tasks_.needed_by) {
      expect(find(key.dependency) != nullptr && find(key.dependent) != nullptr,
             named(key.dependency), " is kept for " + named(key.dependent) + ", and one is gone");
    }
    for (const auto& [id, crashes] : tasks_.crashes) {
      expect(find(id) != nullptr && crashes > 0, named(id), " has crashed and does not exist");
    }
    for (const auto& [id, progress] : tasks_.progress) {
      const Task* task = find(id);
      expect(task != nullptr && !has_ended(task->state) && progress.told <= state_.position,
             named(id), " has told of its progress and is not live");
    }
  }

  void check_tags() {
    for (const TagKey& key : tasks_.tagged) {
      expect(state_.names.contains(key.tag), named(key.id), " has a tag without a name");
      expect(find(key.id) != nullptr, named(key.id), " has a tag and does not exist");
    }
  }

  void check_keys() {
    for (const auto& [key, keyed] : tasks_.keys) {
      expect(!key.empty(), named(keyed.id), " has an idempotency key without text");
      expect(find(keyed.id) != nullptr, named(keyed.id),
             " has an idempotency key and does not exist");
    }
  }

  // Of each identity those that have not ended, and the last.
  void check_unique() {
    const UniqueTasks& unique = tasks_.unique;
    for (const auto& [id, terms] : unique.all) {
      const Task* task = find(id);
      expect(task != nullptr && terms, named(id), " is unique and does not exist, or by nothing");
      const bool is_live = task != nullptr && !has_ended(task->state);
      expect(!is_live || unique.known.contains(IdentityKey{terms.identity, id}), named(id),
             " is unique and not known by its identity");
    }
    TaskIdentity before;
    for (const IdentityKey& key : unique.known) {
      const Uniqueness* terms = unique.all.find(key.id);
      const bool is_last = key.identity != before;
      before = key.identity;
      expect(terms != nullptr && terms->identity == key.identity, named(key.id),
             " is known by an identity that it has not");
      const Task* task = find(key.id);
      expect(task != nullptr && (is_last || !has_ended(task->state)), named(key.id),
             " is known by its identity, has ended and is not the last");
    }
  }

  // What stands there by group follows from what stands there by task.
  void check_groups() {
    const Groups& groups = tasks_.groups;
    std::size_t live = 0;
    for (const auto& [id, group] : groups.all) {
      expect(id && id <= groups.last && groups.find(group.name.view()) == id, named(id),
             " has a number that was never given, or is not found by its name");
      const bool is_over = !group.is_open() && !groups.has_live(id);
      expect(is_over == group.outcome.has_value(), named(id),
             " is over and has no outcome, or is not");
      expect(group.is_open() || groups.is_awaited(id) || !groups.members_of(id).empty(), named(id),
             " is closed, and nothing is left of it");
    }
    for (const auto& [id, group] : groups.group_of) {
      const Task* task = find(id);
      expect(task != nullptr && groups.all.contains(group) &&
                 groups.members.contains(GroupTask{group, id}),
             named(id), " is of a group, and one of the two is gone");
      if (task == nullptr || has_ended(task->state)) continue;
      ++live;
      expect(groups.live.contains(GroupTask{group, id}), named(id),
             " goes on, and its group does not know");
    }
    for (const auto& [id, wait] : groups.waits) {
      const Task* task = find(id);
      expect(task != nullptr && depends(*task) && groups.all.contains(wait.group) &&
                 groups.waiting.contains(GroupTask{wait.group, id}),
             named(id), " waits for a group that is gone, or does not wait");
    }
    expect(groups.by_name.size() == groups.all.size() && groups.live.size() == live &&
               groups.members.size() == groups.group_of.size() &&
               groups.waiting.size() == groups.waits.size(),
           "the groups", " are known by more names or tasks than there are");
  }

  void check_settings() {
    for (const auto& [queue, slots] : state_.queues.slots) {
      expect(state_.names.contains(queue), named(queue), " has settings as a queue and no text");
    }
    for (const auto& [queue, retention] : state_.queues.retention) {
      expect(state_.names.contains(queue) && retention != QueueRetention(), named(queue),
             " keeps its tasks for a time of its own and has no text, or no such time");
    }
    for (const PausedWork& work : state_.pauses.all) {
      expect(state_.names.contains(work.name), named(work.name), " is paused and has no text");
    }
    for (const auto& [place, status] : state_.implementations.all) {
      const bool has_one_before =
          place.place == 0 ||
          state_.implementations.all.contains(ImplementationPlace{place.kind, place.place - 1});
      expect(
          state_.names.contains(place.kind) && state_.names.contains(status.name) && has_one_before,
          named(place.kind), " has implementations without a name, or out of order");
      expect(status.left <= state_.position && bool(status.left) == (status.left_at != Time()),
             named(place.kind), " has an implementation that was left at no time");
    }
    for (const auto& [kind, range] : state_.implementations.versions) {
      expect(state_.names.contains(kind) && range != VersionRange(), named(kind),
             " is run in some versions and has no text, or in all");
    }
    expect(state_.ignored <= state_.position.value, "the state",
           " has ignored more events than there were");
    expect(state_.engine.starts <= state_.position.value, "the engine",
           " was started more often than there were events");
    expect(!state_.engine.running || state_.engine.starts > 0, "the engine",
           " runs and was never started");
  }

  void check_circuits() {
    const Circuits& circuits = state_.circuits;
    std::size_t due = 0;
    for (const auto& [id, circuit] : circuits.all) {
      const auto fails = [&, of = id](bool holds, std::string_view otherwise) {
        if (!holds) expect(false, named(of), otherwise);
      };
      const bool is_half_open = circuit.state == CircuitState::half_open;
      const std::uint32_t out = probes_out(circuits, id);
      fails(state_.names.contains(id), " is a service with a circuit and has no text");
      fails((circuit.state == CircuitState::open) == (circuit.until != Time()),
            " is a circuit that cools down and is not open, or never");
      fails(is_half_open || (circuit.probes == 0 && out == 0),
            " is a circuit with probes that is not half open");
      fails(circuit.probes_succeeded + circuit.probes_failed + out <= circuit.probes,
            " is a circuit with a probe too many");
      fails(circuit.changed <= state_.position, " is a circuit that is yet to move");
      const auto move = due_move(circuits, state_.names, id);
      fails(!move || circuits.due.contains({move->at, id}), " is a circuit that misses its move");
      due += move ? 1 : 0;
    }
    expect(due == circuits.due.size(), "the circuits", " are due more often than they are");
    for (const auto& [probe, since] : circuits.probes) {
      const Task* task = probe.task ? find(probe.task) : nullptr;
      const bool is_out = task != nullptr && holds_lease(task->state);
      expect(is_out || !probe.task, named(probe.service), " has a probe that does not run");
      expect(circuits.all.contains(probe.service), named(probe.service),
             " has a probe and no circuit");
    }
  }

  void check_components() {
    const Components& components = state_.components;
    Components anew = components;
    enter_due(anew);
    expect(anew.due == components.due, "the components", " miss a repair that is due");
    expect(anew.unsettled == components.unsettled, "the components", " miss a switch");
    std::size_t repairing = 0;
    for (const auto& [place, health] : components.implementations) {
      expect(components.all.contains(place.component) && state_.names.contains(health.name),
             named(place.component), " has an implementation and is no component");
      repairing += health.state == ImplementationState::repairing ? 1 : 0;
    }
    const std::size_t running = components.running() ? 1 : 0;
    expect(repairing == running, "the components", " are repaired by no repair, or by two");
    for (const auto& [id, component] : components.all) {
      expect(component.kept || !component.active, named(id), " is used and is not kept");
      expect(!component.active || components.find(id, *component.active), named(id),
             " is used by an implementation that it has not");
    }
  }

  void check_schedules() {
    const Schedules& schedules = state_.schedules;
    std::size_t due = 0;
    std::size_t with_queue = 0;
    for (const auto& [id, schedule] : schedules.all) {
      const auto fails = [&, of = id](bool holds, std::string_view otherwise) {
        if (!holds) expect(false, named(of), otherwise);
      };
      const auto& queued = schedule.queued;
      fails(state_.names.contains(id), " is a schedule and has no text");
      fails(schedule.definition != nullptr, " is a schedule without a definition");
      fails(schedule.next > schedule.fired, " is a schedule that fires a second time");
      fails(std::ranges::is_sorted(queued) && (queued.empty() || queued.back() < schedule.next),
            " is a schedule whose queue is out of order");
      fails(schedule.task <= tasks_.last, " is a schedule that fired a task that never was");
      fails(bool(schedule.task) == (schedule.firings > 0), " is a schedule that lost its task");
      fails(schedule.defined <= schedule.changed && schedule.changed <= state_.position,
            " is a schedule that is yet to be changed");
      const bool has_queue = !schedule.paused && !queued.empty();
      fails(schedules.due.contains({schedule.next, id}) != schedule.paused,
            " is a schedule that is due while it is paused, or not");
      fails(schedules.with_queue.contains(id) == has_queue,
            " is a schedule whose queue is forgotten, or has none");
      due += schedule.paused ? 0 : 1;
      with_queue += has_queue ? 1 : 0;
    }
    expect(due == schedules.due.size() && with_queue == schedules.with_queue.size(),
           "the schedules", " are in their orders more often than they are");
  }

  const State& state_;
  const Tasks& tasks_;
  const std::size_t most_;
  std::array<std::uint64_t, task_state_count> counts_{};
  std::vector<std::string> broken_;
};

}  // namespace

std::vector<std::string> broken_invariants(const State& state, std::size_t most) {
  return Check(state, most).run();
}

}  // namespace almanac
