#include <almanac/tests/support/desk.h>

#include <almanac/engine/backups.h>
#include <almanac/engine/circuits.h>
#include <almanac/engine/components.h>
#include <almanac/engine/model_turns.h>
#include <almanac/engine/reasons.h>
#include <almanac/engine/schedules.h>
#include <almanac/engine/tasks.h>
#include <almanac/log/error.h>

#include <cstdio>
#include <utility>

namespace almanac::test {

Desk::Desk(const DeskOptions& options) { begin(options); }

Desk::Desk(State state, const DeskOptions& options)
    : now(state.time + std::chrono::hours(1)), state_(std::move(state)) {
  begin(options);
}

void Desk::begin(const DeskOptions& options) {
  auto started = ask(StartEngine{
      .version = "test", .process_id = 1, .slots = options.slots, .seed = options.seed});
  ALMANAC_CHECK(started.has_value());
}

Result<Answer> Desk::ask(Command command) {
  if (auto* change = std::get_if<ChangeMemories>(&command); change && change->keys.empty()) {
    change->keys = keys;
  }
  const Command& kept = commands_.emplace_back(std::move(command));
  auto decision = decide(state_, kept, {now, memory_, timeline});
  if (!decision) {
    last_.clear();
    return std::unexpected(decision.error());
  }
  fold_all(std::move(decision->events));
  return std::move(decision->answer);
}

const std::vector<Event>& Desk::come_due() {
  fold_all(decide_due(state_, {now, memory_}));
  return last_;
}

const std::vector<Event>& Desk::move_circuits() {
  fold_all(decide_circuits(state_, {now, memory_}));
  return last_;
}

const std::vector<Event>& Desk::keep_components() {
  std::vector<Event> events = decide_repair(state_, {now, memory_});
  fold_all(events);
  fold_all(decide_switches(state_, {now, memory_}));
  last_.insert(last_.begin(), events.begin(), events.end());
  return last_;
}

std::vector<TaskId> Desk::start(const CanRun& can_run, const LeaseWaits* workers) {
  const ModelTurns turns = model_turns(state_, now, model_patience);
  auto starts = decide_starts(state_, {now, memory_}, can_run,
                              {.workers = workers, .advice = advice, .models = &turns});
  next_start_ = starts.next;
  if (turns.next && (!next_start_ || *turns.next < *next_start_)) next_start_ = turns.next;
  granted_ = std::move(starts.grants);
  fold_all(std::move(starts.events));
  std::vector<TaskId> started;
  for (const Event& event : last_) started.push_back(std::get<TaskStarted>(event.body).id);
  return started;
}

const std::vector<Event>& Desk::begin_backup() {
  fold_all(decide_backups(state_, {now, memory_}));
  return last_;
}

const std::vector<Event>& Desk::fire() {
  fold_all(decide_firings(state_, {now, memory_}));
  return last_;
}

const std::vector<Event>& Desk::record_reasons(const CanRun& can_run, const LeaseWaits* workers) {
  const ModelTurns turns = model_turns(state_, now, model_patience);
  const StartOptions options{.workers = workers, .models = &turns};
  fold_all(decide_reasons(state_, {now, memory_}, can_run, options).events);
  return last_;
}

TaskId Desk::submit(TaskSpec spec) {
  std::vector<TaskSpec> specs;
  specs.push_back(std::move(spec));
  return submit_all(std::move(specs)).front().id;
}

std::vector<Submitted> Desk::submit_all(std::vector<TaskSpec> specs) {
  auto answer = ask(EnqueueTasks{std::move(specs)});
  if (!answer) std::fprintf(stderr, "%s\n", describe(answer.error()).c_str());
  ALMANAC_CHECK(answer.has_value());
  return std::get<std::vector<Submitted>>(*answer);
}

void Desk::finish(TaskId id, AttemptStatus status) {
  ALMANAC_CHECK(ask(FinishAttempt{id, token(task(id).lease), {.status = status}}).has_value());
}

void Desk::cancel(TaskId id) { ALMANAC_CHECK(ask(CancelTask{id, "no"}).has_value()); }

const Task& Desk::task(TaskId id) const {
  const Task* found = state_.tasks.all.find(id);
  ALMANAC_CHECK(found != nullptr);
  return *found;
}

void Desk::fold_all(std::vector<Event> events) {
  last_ = std::move(events);
  for (const Event& event : last_) {
    auto ignored = state_.ignored;
    state_ = fold(std::move(state_), {state_.position.next(), event});
    ALMANAC_CHECK(state_.ignored == ignored);  // what is decided always applies
  }
}

Error error_of(const Result<Answer>& answer) { return answer ? Error{} : answer.error(); }

}  // namespace almanac::test
