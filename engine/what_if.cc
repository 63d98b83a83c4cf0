#include <almanac/engine/what_if.h>

#include <almanac/engine/decide.h>
#include <almanac/engine/dispatch.h>
#include <almanac/engine/limits.h>
#include <almanac/engine/tasks.h>
#include <almanac/engine/virtual_gpu.h>
#include <almanac/projections/gpu_memory.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <variant>

namespace almanac {
namespace {

bool runs_every_kind(std::string_view) { return true; }

WhatIfWaits summary(std::vector<Duration> waits) {
  if (waits.empty()) return {};
  std::ranges::sort(waits);
  // The nearest rank.
  auto at = [&](std::size_t percent) { return waits[(waits.size() * percent + 99) / 100 - 1]; };
  Duration sum{0};
  for (Duration wait : waits) sum += wait;
  return {.mean = sum / static_cast<std::int64_t>(waits.size()),
          .p50 = at(50),
          .p95 = at(95),
          .p99 = at(99),
          .max = waits.back()};
}

Duration longest_attempt(const RecordedWork& work) {
  Duration longest{0};
  for (const RecordedTask& task : work.tasks) {
    for (const RecordedAttempt& one : task.attempts) longest = std::max(longest, one.took);
  }
  return longest;
}

class Rehearsal {
 public:
  Rehearsal(const RecordedWork& work, const WhatIfSettings& settings)
      : work_(work),
        settings_(settings),
        gpu_(settings.models, state_, longest_attempt(work),
             [this](const Command& command) { return apply(command); }) {}

  Result<WhatIfReport> run() {
    report_.slots = settings_.slots > 0 ? settings_.slots : work_.slots;
    if (auto begun = begin(); !begun) return std::unexpected(begun.error());
    while (auto next = next_moment()) {
      if (goes_round()) break;
      now_ = std::max(now_, *next);
      if (auto turned = turn(); !turned) return std::unexpected(turned.error());
    }
    finish();
    return std::move(report_);
  }

 private:
  struct Arrival {
    std::size_t index;
  };
  struct Cancellation {
    TaskId id;
  };
  struct End {
    TaskId id;
    Lease lease;
  };
  using Step = std::variant<ConfigureQueue, ConfigureLimit, Arrival, Cancellation, ChangeTasks,
                            PauseWork, TakeTokens, OpenGroup, CloseGroup, End>;

  // Models are loaded in turn, and nothing begins by that: its task names more than fits together.
  [[nodiscard]] bool goes_round() const {
    const std::uint64_t loads = gpu_.report().loads - loads_at_start_;
    return steps_.empty() && state_.tasks.running.empty() &&
           loads > 2 * settings_.models.models.size() + 2;
  }

  // What was set before the first task arrived is set when it does; tokens that were taken then may
  // be missing still.
  Result<void> begin() {
    if (work_.tasks.empty()) return fail(ErrorCode::invalid, "there is no task to run");
    report_.began = now_ = work_.tasks.front().arrived;
    for (const RecordedChange& one : work_.changes) {
      if (std::holds_alternative<TakeTokens>(one.command)) now_ = std::min(now_, one.at);
    }
    // A GPU that was looked at then would be one at which nobody has looked.
    if (settings_.models.is_set()) now_ = std::max(now_, Time(Duration(1)));
    auto started = apply(StartEngine{.version = "what if",
                                     .slots = report_.slots,
                                     .seed = work_.seed,
                                     .repository = {},
                                     .backups = {}});
    if (!started) return started;
    if (auto begun = gpu_.begin(now_); !begun) return begun;
    plan_settings();
    plan_groups();
    for (std::size_t i = 0; i < work_.tasks.size(); ++i) {
      const RecordedTask& task = work_.tasks[i];
      plan(task.arrived, Arrival{i});
      if (task.cancelled) plan(*task.cancelled, Cancellation{TaskId(i + 1)});
    }
    for (const RecordedChange& one : work_.changes) {
      if (std::holds_alternative<OpenGroup>(one.command)) continue;
      std::visit([&](const auto& command) { plan(std::max(one.at, now_), command); }, one.command);
    }
    return {};
  }

  // In front of what arrives at the same time.
  void plan_groups() {
    for (const RecordedChange& one : work_.changes) {
      if (const auto* open = std::get_if<OpenGroup>(&one.command)) {
        plan(std::max(one.at, now_), *open);
      }
    }
  }

  void plan_settings() {
    for (const RecordedSettings& one : work_.settings) {
      const bool replaced = std::ranges::any_of(
          settings_.queues, [&](const auto& queue) { return queue.queue == one.queue.queue; });
      if (!replaced) plan(std::max(one.at, now_), one.queue);
    }
    for (const RecordedLimit& one : work_.limits) {
      const bool replaced = std::ranges::any_of(
          settings_.limits, [&](const auto& limit) { return limit.name == one.limit.name; });
      if (!replaced) plan(std::max(one.at, now_), one.limit);
    }
    for (const ConfigureQueue& queue : settings_.queues) plan(now_, queue);
    for (const ConfigureLimit& limit : settings_.limits) plan(now_, limit);
  }

  void plan(Time at, Step step) { steps_.emplace(at, std::move(step)); }

  std::optional<Time> next_moment() const {
    std::optional<Time> next;
    const auto consider = [&](std::optional<Time> time) {
      if (time && (!next || *time < *next)) next = time;
    };
    if (!steps_.empty()) consider(steps_.begin()->first);
    consider(state_.tasks.next_due());
    consider(state_.tasks.next_expiry());
    consider(starts_due_);
    consider(gpu_.next());
    if (const auto change = state_.tasks.ranking.next_change()) {
      consider(std::max(*change, state_.tasks.ranking.done.at + limits::rerank_interval));
    }
    if (!state_.tasks.doomed.empty()) consider(now_);
    return next;
  }

  // As the core's turn: what was asked for, what time has brought, what may start.
  Result<void> turn() {
    while (!steps_.empty() && steps_.begin()->first <= now_) {
      auto step = steps_.extract(steps_.begin());
      auto done = std::visit([this](auto& one) { return take(one); }, step.mapped());
      if (!done) return done;
    }
    Arena memory;
    fold_all(decide_due(state_, {now_, memory}));
    if (auto begun = begin_all(); !begun) return begun;
    const auto ready = state_.tasks.count(TaskState::ready);
    const bool is_new = report_.backlog.empty() || report_.backlog.back().ready != ready;
    if (is_new && now_ >= report_.began) {
      report_.backlog.push_back({now_, ready});
    }
    return {};
  }

  // What begins changes what is to be loaded, and the other way round.
  Result<void> begin_all() {
    const bool has_gpu = settings_.models.is_set();
    while (true) {
      if (auto moved = gpu_.advance(now_); !moved) return moved;
      Arena memory;
      Starts starts =
          decide_starts(state_, {now_, memory}, runs_every_kind, {.models = &gpu_.turns()});
      starts_due_ = starts.next;
      if (const auto only = gpu_.only()) {
        std::erase_if(starts.events, [&](const Event& event) {
          return std::get<TaskStarted>(event.body).id != *only;
        });
      }
      fold_all(starts.events);
      if (starts.events.empty() || !has_gpu) return {};
      loads_at_start_ = gpu_.report().loads;
    }
  }

  Result<void> take(ConfigureQueue& settings) { return apply(std::move(settings)); }
  Result<void> take(ConfigureLimit& settings) { return apply(std::move(settings)); }
  Result<void> take(ChangeTasks& change) { return apply(std::move(change)); }
  Result<void> take(PauseWork& pause) { return apply(std::move(pause)); }
  Result<void> take(OpenGroup& open) { return apply(std::move(open)); }
  Result<void> take(CloseGroup& close) {
    return state_.tasks.groups.find(close.name) ? apply(std::move(close)) : Result<void>();
  }
  // Who asks for more than there ever is goes without.
  Result<void> take(TakeTokens& tokens) {
    const auto done = apply(std::move(tokens));
    return is_refusal(done) ? Result<void>() : done;
  }
  Result<void> take(const Arrival& arrival) {
    TaskSpec spec = work_.tasks[arrival.index].spec;
    spec.deadline = deadline_of(arrival.index);
    drop_unknown_groups(spec);
    drop_unknown_demands(spec);
    move_gpu_memory(spec);
    const auto done = apply(EnqueueTasks{{spec}});
    return is_refusal(done) ? refuse(std::move(spec)) : done;
  }
  // It may have ended by now, or run for less long.
  Result<void> take(const Cancellation& cancellation) {
    const Task* task = state_.tasks.all.find(cancellation.id);
    if (task == nullptr || has_ended(task->state)) return {};
    const Lease lease = task->lease;
    if (lease) {
      const Duration stopping = work_.tasks[cancellation.id.value - 1].stopping;
      plan(now_ + stopping, End{cancellation.id, lease});
    }
    return apply(CancelTask{cancellation.id, {}});
  }
  Result<void> take(const End& end) {
    const Task& task = *state_.tasks.all.find(end.id);
    if (task.lease != end.lease) return {};
    report_.busy += now_ - task.started_at;
    const RecordedAttempt& ended = attempt(end.id);
    AttemptOutcome outcome{.status = ended.status, .permanent = ended.permanent};
    // One more than there were is an end, or what was left waiting would wait for ever.
    const bool is_known = task.attempts <= work_.tasks[end.id.value - 1].attempts.size();
    if (ended.snoozed && is_known) outcome.snooze_until = now_ + *ended.snoozed;
    return apply(FinishAttempt{end.id, {{}, end.lease}, std::move(outcome)});
  }

  static bool is_refusal(const Result<void>& done) {
    return !done && (done.error().code == ErrorCode::refused ||
                     done.error().code == ErrorCode::conflict);  // with how a group went
  }

  // Those whose tasks came before this work are over and gone, or stand in a part of the log that
  // has been removed.
  void drop_unknown_groups(TaskSpec& spec) const {
    const Groups& groups = state_.tasks.groups;
    if (!groups.find(spec.group)) spec.group.clear();
    if (spec.after_group && !groups.find(spec.after_group->group)) spec.after_group.reset();
  }

  // A trace names models, also where it is run without any.
  void drop_unknown_demands(TaskSpec& spec) const {
    if (!settings_.models.is_set()) spec.gpu_memory.reset();
    std::erase_if(spec.demands, [&](const TaskDemand& demand) {
      if (is_gpu_memory(demand.limit)) return !settings_.models.is_set();
      const auto known = state_.names.find(demand.limit);
      const bool is_other = known && (state_.models.all.contains(*known) ||
                                      guards(state_.circuits, state_.names, *known));
      return !is_other && !setting_of(state_.limits, state_.names, demand.limit).is_set();
    });
  }

  // There is one GPU, whatever the one was that it was asked of.
  static void move_gpu_memory(TaskSpec& spec) {
    for (TaskDemand& demand : spec.demands) {
      if (is_gpu_memory(demand.limit)) demand.limit = gpu_memory_name;
    }
    if (spec.gpu_memory) spec.gpu_memory->gpu.clear();
  }

  // It keeps its number, which others may depend on.
  Result<void> refuse(TaskSpec spec) {
    ++report_.refused;
    spec.deadline = Time();
    spec.demands.clear();
    spec.after_group.reset();
    if (auto done = apply(EnqueueTasks{{std::move(spec)}}); !done) return done;
    return apply(CancelTask{state_.tasks.last, {}});
  }

  Time deadline_of(std::size_t index) const {
    const RecordedTask& task = work_.tasks[index];
    if (task.spec.deadline != Time() || settings_.deadline <= Duration(0)) {
      return task.spec.deadline;
    }
    return task.arrived + settings_.deadline;
  }

  // Of the last one that began.
  const RecordedAttempt& attempt(TaskId id) const {
    const auto& attempts = work_.tasks[id.value - 1].attempts;
    const std::size_t begun = state_.tasks.all.find(id)->attempts;
    return attempts[std::min(begun, attempts.size()) - 1];
  }

  Result<void> apply(const Command& command) {
    Arena memory;
    auto decision = decide(state_, command, {now_, memory});
    if (!decision) return std::unexpected(decision.error());
    fold_all(decision->events);
    return {};
  }

  void fold_all(const std::vector<Event>& events) {
    for (const Event& event : events) {
      const auto* started = std::get_if<TaskStarted>(&event.body);
      if (started != nullptr) note_start(started->id);
      fold_into(state_, {state_.position.next(), event});
      if (started == nullptr) continue;
      plan(now_ + attempt(started->id).took,
           End{started->id, state_.tasks.all.find(started->id)->lease});
    }
  }

  void note_start(TaskId id) {
    const Task& task = *state_.tasks.all.find(id);
    Time could = std::max(task.enqueued_at, task.run_at);
    for (const Dependency& dependency : work_.tasks[id.value - 1].spec.dependencies) {
      could = std::max(could, state_.tasks.all.find(std::get<TaskId>(dependency))->ended_at);
    }
    waits_.push_back(now_ - could);
    report_.starts.push_back({id, now_});
  }

  void finish() {
    Time last = report_.began;
    for (const auto& [id, task] : state_.tasks.all) {
      if (!has_ended(task.state)) continue;
      last = std::max(last, task.ended_at);
      const Time deadline = deadline_of(id.value - 1);
      if (deadline == Time()) continue;
      const bool is_missed = task.ended_at > deadline && task.state != TaskState::cancelled;
      report_.missed = report_.missed.value_or(0) + (is_missed ? 1 : 0);
    }
    report_.succeeded = state_.tasks.count(TaskState::succeeded);
    report_.failed = state_.tasks.count(TaskState::failed);
    report_.cancelled = state_.tasks.count(TaskState::cancelled) - report_.refused;
    report_.unfinished = state_.tasks.live();
    if (settings_.models.is_set()) report_.models = gpu_.report();
    report_.waits = summary(std::move(waits_));
    report_.make_span = last - report_.began;
    const auto room =
        static_cast<double>(report_.slots) * static_cast<double>(report_.make_span.count());
    if (room > 0) report_.utilisation = static_cast<double>(report_.busy.count()) / room;
  }

  const RecordedWork& work_;
  const WhatIfSettings& settings_;
  State state_;
  VirtualGpu gpu_;
  Time now_;
  std::optional<Time> starts_due_;  // of tasks that wait for tokens
  std::uint64_t loads_at_start_ = 0;
  std::multimap<Time, Step> steps_;  // of one time, in the order in which they were planned
  std::vector<Duration> waits_;
  WhatIfReport report_;
};

}  // namespace

Result<WhatIfReport> what_if(const RecordedWork& work, const WhatIfSettings& settings) {
  return Rehearsal(work, settings).run();
}

}  // namespace almanac
