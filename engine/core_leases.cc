// What the core does for workers elsewhere: it gives them tasks, hears of them, and takes back what
// they have gone silent about.
#include <almanac/engine/advisors.h>
#include <almanac/engine/core.h>
#include <almanac/engine/dependency_results.h>

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>

namespace almanac {
namespace {

Error not_held(TaskId id) {
  return {ErrorCode::refused,
          "the lease of task " + std::to_string(id.value) + " is over, or never was a worker's",
          "drop what came of it"};
}

}  // namespace

// How the advisor stands is on record before anything begins by it.
void Core::start(Turn& turn, const DecideContext& context) {
  const auto standing = advisor_ == nullptr ? nullptr : advisor_->standing();
  std::optional<Advice> advice;
  if (standing != nullptr) {
    const std::string& name = advisor_->spec().name;
    ALMANAC_CHECK(absorb(turn, decide_advisor(head_, name, *standing, context)).has_value());
    advice = this->advice(*standing);
  }
  is_held_back_ = advice && advice->holds_back;
  take_model_turns(model_turns(head_, context.now, options_.model_patience));
  Starts starts = decide_starts(
      head_, context, can_run(),
      {.workers = &lease_waits_, .advice = advice ? &*advice : nullptr, .models = &model_turns_});
  starts_due_ = starts.next;
  const auto turn_of_another = model_turns_.next;
  if (turn_of_another && (!starts_due_ || *turn_of_another < *starts_due_)) {
    starts_due_ = std::max(*turn_of_another, context.now);
  }
  // There may be room for the end of one where there is none for those of all.
  if (full() && !starts.events.empty()) {
    starts.events.resize(1);
    std::erase_if(starts.grants, [](const Starts::Grant& grant) { return grant.event > 0; });
  }
  const std::size_t first = turn.events.size();
  ALMANAC_CHECK(absorb(turn, std::move(starts.events)).has_value());
  grant(turn, starts.grants, first);
}

void Core::take_model_turns(ModelTurns turns) {
  if (turns == model_turns_) return;
  model_turns_ = std::move(turns);
  model_turns_since_ = head_.position;
}

// Once who is told can see the state that they follow from.
void Core::show_model_turns() {
  if (!model_turns_since_ || durable_ < *model_turns_since_) return;
  model_turns_since_.reset();
  if (options_.on_model_turns) options_.on_model_turns();
}

std::optional<Advice> Core::advice(const AdvisorStanding& standing) const {
  const AdvisorSpec& spec = advisor_->spec();
  const bool is_valid =
      standing.mode == AdvisorMode::advising && options_.steady_clock() < standing.valid_until;
  if (!is_valid && spec.has_fallback) return std::nullopt;
  return Advice{.advisor = spec.name,
                .order = is_valid ? std::span(standing.order) : std::span<const TaskId>(),
                .overtaking_max = spec.overtaking_max,
                .holds_back = !is_valid};
}

// What a worker is given is answered with the events, once they are on disk.
void Core::grant(Turn& turn, std::span<const Starts::Grant> grants, std::size_t first) {
  LeaseWaits::ByNumber<std::vector<LeasedTask>> given;
  for (const Starts::Grant& grant : grants) {
    const RecordedEvent& recorded = turn.events[first + grant.event];
    const auto& start = std::get<TaskStarted>(recorded.event.body);
    given[grant.worker].push_back(
        {.lease = {start.id, {log_.timeline(), Lease(recorded.position.value)}},
         .attempt = start.attempt,
         .deadline = start.deadline,
         .lease_time = start.lease_time});
  }
  for (auto& [worker, tasks] : given) {
    turn.answered.push_back(
        {lease_waits_.remove(worker), Answer(std::move(tasks)), head_.position});
  }
}

void Core::answer_late_leases(Turn& turn) {
  while (auto late = lease_waits_.remove_late(options_.steady_clock())) {
    turn.answered.push_back({std::move(late), Answer(std::vector<LeasedTask>()), head_.position});
  }
}

// Like an engine that is started anew, one that was held up cannot know who lives.
void Core::forgive_silence(SteadyTime now) {
  const bool has_timer = timer_due_ != SteadyTime();
  if (has_timer && now - timer_due_ >= limits::held_up_min) remote_.renew(now);
}

// Behind the signs of life that came with this turn. What the head no longer holds has been
// reported meanwhile, and is on its way to the disk.
void Core::end_overdue_leases(Turn& turn, Time now) {
  if (broken_ || stop_ == Stop::recorded) return;
  const SteadyTime steady_now = options_.steady_clock();
  forgive_silence(steady_now);
  while (const auto over = remote_.remove_over(now, steady_now)) {
    const Task* task = head_.tasks.all.find(over->id);
    if (task == nullptr || task->lease != over->lease) continue;
    const FencingToken token{log_.timeline(), over->lease};
    Command end = LapseLease{over->id, token};
    if (over->is_late) end = FinishAttempt{over->id, token, timed_out({})};
    take(turn, std::make_unique<Submission>(std::move(end), nullptr), now);
  }
}

LeaseStatus Core::heard(const HeldLease& lease) {
  const bool is_ours = lease.token.timeline == log_.timeline();
  return is_ours ? remote_.heard(lease.id, lease.token.lease, options_.steady_clock())
                 : LeaseStatus::gone;
}

std::vector<LeaseStatus> Core::heard(std::span<const HeldLease> leases) {
  std::vector<LeaseStatus> answers;
  answers.reserve(leases.size());
  for (const HeldLease& lease : leases) answers.push_back(heard(lease));
  return answers;
}

// Nobody from elsewhere speaks of what runs here.
std::optional<Error> Core::refusal_of(const Submission& submission) {
  return std::visit(
      [&](const auto& command) -> std::optional<Error> {
        using Asked = std::remove_cvref_t<decltype(command)>;
        if constexpr (std::is_same_v<Asked, LeaseTasks>) {
          Arena memory;
          const auto decision = almanac::decide(head_, command, {now(), memory});
          if (!decision) return decision.error();
        } else if constexpr (requires { HeldLease{command.id, command.token}; }) {
          const HeldLease lease{command.id, command.token};
          const bool is_gone = submission.done && heard(lease) == LeaseStatus::gone;
          if (is_gone) return not_held(command.id);
        }
        return std::nullopt;
      },
      submission.command);
}

void Core::follow_remote(const Turn& turn) {
  if (turn.after.tasks.remote.empty() && remote_.empty()) return;
  remote_.follow(turn.after, turn.events, options_.steady_clock());
}

// What cannot be read is no task for anybody.
void Core::fill(std::vector<LeasedTask>& tasks, std::span<const RecordedEvent> released) const {
  std::erase_if(tasks, [&](LeasedTask& task) {
    const auto filled = fill(task, released);
    if (filled) return false;
    attempts_.finish(task.lease.id, task.lease.token.lease,
                     {.status = AttemptStatus::not_started, .message = describe(filled.error())});
    return true;
  });
}

Result<void> Core::fill(LeasedTask& task, std::span<const RecordedEvent> released) const {
  const auto state = published_.state();
  std::vector<TaskId> dependencies;
  auto read = read_enqueued(
      state->tasks.all.find(task.lease.id)->enqueued, released, [&](const Event& event) {
        const TaskEnqueued& enqueued = request_in(event.body);
        task.kind = enqueued.kind;
        task.queue = enqueued.queue;
        task.label = enqueued.label;
        task.version = enqueued.version;
        task.payload = as_text(enqueued.payload);
        dependencies.assign(enqueued.dependencies.begin(), enqueued.dependencies.end());
      });
  if (!read || dependencies.empty()) return read;
  auto json = results_json(log_, find_ended(*state, dependencies));
  if (!json) return std::unexpected(json.error());
  task.dependencies = std::move(*json);
  return {};
}

// Once the stop is on record leases stay as they are, for the next engine.
std::optional<Time> Core::next_deadline() const {
  return stop_ == Stop::recorded ? std::nullopt : remote_.next_deadline();
}

std::optional<SteadyTime> Core::next_silence() const {
  const auto late = lease_waits_.next_due();
  const auto silent = stop_ == Stop::recorded ? std::nullopt : remote_.next_silence();
  if (!late || !silent) return late ? late : silent;
  return std::min(*late, *silent);
}

}  // namespace almanac
