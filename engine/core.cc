#include <almanac/engine/core.h>

#include <almanac/engine/backups.h>
#include <almanac/engine/circuit_board.h>
#include <almanac/engine/circuits.h>
#include <almanac/engine/components.h>
#include <almanac/engine/diagnostics.h>
#include <almanac/engine/dispatch.h>
#include <almanac/engine/large_array.h>
#include <almanac/engine/limits.h>
#include <almanac/engine/memories.h>
#include <almanac/engine/reasons.h>
#include <almanac/engine/reserve.h>
#include <almanac/engine/retention.h>
#include <almanac/engine/schedules.h>
#include <almanac/engine/tasks.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace almanac {
namespace {

Error stopped_error() {
  return {ErrorCode::stopped, "the engine is stopping and takes no more work",
          "submit it again when the engine runs"};
}

// What will be told again, has been overtaken by then, or may be missing.
bool is_passing(const Command& command) {
  return std::holds_alternative<ReportProgress>(command) ||
         std::holds_alternative<ReportProbe>(command) ||
         std::holds_alternative<ObserveCircuit>(command) ||
         std::holds_alternative<ReportPoolEvent>(command);
}

std::optional<Time> next_backup(const State& state) {
  const auto job = state.backups.next();
  return job ? std::optional(state.backups.jobs.find(*job)->next) : std::nullopt;
}

Error full_error() {
  return {ErrorCode::storage_full, "there is no space left for the log",
          "free some; work goes on by itself"};
}

// What the engine itself has to say, and what has become of attempts elsewhere: it is stored as
// soon as there is space, and a caller waits for that.
bool is_owed(const Submission& submission) {
  return !submission.done || std::holds_alternative<FinishAttempt>(submission.command) ||
         std::holds_alternative<HandBackAttempt>(submission.command);
}

bool begins_attempt(std::span<const Effect> effects) {
  return std::ranges::any_of(
      effects, [](const Effect& effect) { return std::holds_alternative<BeginAttempt>(effect); });
}

}  // namespace

Core::Core(const Parts& parts, CoreOptions options)
    : log_(parts.log),
      loop_(parts.loop),
      attempts_(parts.attempts),
      backups_(parts.backups),
      healer_(parts.healer),
      advisor_(parts.advisor),
      circuits_(parts.circuits),
      published_(parts.published),
      projections_(parts.projections),
      options_(std::move(options)),
      head_(*parts.published.state()),
      durable_(head_.position),
      reasons_due_(now() + limits::reasons_interval),
      health_(options_.health_hold),
      forget_at_(now() + limits::forget_interval),
      running_(running_in(head_)) {}

// Attempts, a backup and a repair, whose ends take less than one of those.
std::size_t Core::running_in(const State& state) {
  return state.tasks.running.size() + (state.backups.running() ? 1 : 0) +
         (state.components.running() ? 1 : 0);
}

std::size_t Core::running_here(const State& state) {
  return running_in(state) - state.tasks.remote.size();
}

Time Core::now() const { return std::max(options_.clock(), head_.time); }

void Core::turn(std::vector<std::unique_ptr<Submission>> submissions) {
  auto now = this->now();
  attempts_.advance(now);
  if (!full()) std::ranges::move(std::exchange(retry_, {}), std::back_inserter(submissions));
  if (now >= paused_until_) reserve_refused_ = false;
  starts_due_.reset();
  if (may_begin(now)) {
    for (ObserveCircuit& results : circuits_.take_due(now)) {
      submissions.push_back(std::make_unique<Submission>(std::move(results), nullptr));
    }
  }
  auto turn = std::make_shared<Turn>();
  for (auto& submission : submissions) take(*turn, std::move(submission), now);
  end_overdue_leases(*turn, now);
  if (may_begin(now) && !broken_ && stop_ != Stop::recorded) {
    DecideContext context{now, turn->memory};
    answer_takes(*turn, now);
    ALMANAC_CHECK(absorb(*turn, decide_due(head_, context)).has_value());
    ALMANAC_CHECK(absorb(*turn, decide_circuits(head_, context)).has_value());
    ALMANAC_CHECK(absorb(*turn, decide_expired_memories(head_, context)).has_value());
    // What was left over for the next turn is due already; the timer brings it.
    if (stop_ == Stop::no) {
      if (options_.fires_schedules) {
        ALMANAC_CHECK(absorb(*turn, decide_firings(head_, context)).has_value());
      }
      start(*turn, context);
      ALMANAC_CHECK(absorb(*turn, decide_backups(head_, context)).has_value());
      if (healer_ != nullptr) {
        ALMANAC_CHECK(absorb(*turn, decide_repair(head_, context)).has_value());
        ALMANAC_CHECK(absorb(*turn, decide_switches(head_, context)).has_value());
      }
      record_reasons(*turn, context);
      ALMANAC_CHECK(absorb(*turn, health_.decide(head_, context)).has_value());
      forget(*turn, context);
    }
  }
  answer_late_leases(*turn);
  park(std::move(turn));
  write_endings(now);
  proceed_with_stop();
  arm_timer(now);
}

// All tasks are looked at, some of them in a turn, and then all again. Not at once: who goes on
// with work of long ago submits it first, and what is known of it counts.
void Core::forget(Turn& turn, const DecideContext& context) {
  if (!forgets(head_, options_.retention) || context.now < forget_at_) return;
  const TaskId before = forget_before_ ? forget_before_ : head_.tasks.last.next();
  auto found = decide_forgetting(head_, context, options_.retention, before);
  ALMANAC_CHECK(absorb(turn, std::move(found.events)).has_value());
  forget_before_ = found.next;
  forget_at_ = context.now + (forget_before_ ? Duration(0) : limits::forget_interval);
}

// Decides one submission, or says why it cannot be decided now.
void Core::take(Turn& turn, std::unique_ptr<Submission> submission, Time now) {
  if (broken_) return refuse(std::move(submission), *published_.failure());
  if (const auto error = refusal_of(*submission)) return refuse(std::move(submission), *error);
  submission->command = attempts_.settle(std::move(submission->command), now);
  const bool must_be_stored = is_owed(*submission);
  const bool is_stopping = stop_ == Stop::recorded || (stop_ != Stop::no && !must_be_stored);
  if (is_stopping && submission->done) return refuse(std::move(submission), stopped_error());
  if ((full() || stop_ == Stop::recorded) && is_passing(submission->command)) {
    return refuse(std::move(submission), full_error());
  }
  if (full() && must_be_stored) return retry_.push_back(std::move(submission));
  if (!may_begin(now)) return refuse(std::move(submission), full_error());
  if (std::holds_alternative<TakeTokens>(submission->command)) {
    return token_waits_.add(std::move(submission));
  }
  if (std::holds_alternative<LeaseTasks>(submission->command)) {
    return lease_waits_.add(std::move(submission));
  }
  decide_one(turn, std::move(submission), now);
}

void Core::decide_one(Turn& turn, std::unique_ptr<Submission> submission, Time now) {
  auto decision = decide(head_, submission->command, {now, turn.memory, log_.timeline()});
  Result<Answer> answer =
      decision ? Result<Answer>(std::move(decision->answer)) : std::unexpected(decision.error());
  if (decision) {
    auto absorbed = absorb(turn, std::move(decision->events));
    if (!absorbed) answer = std::unexpected(absorbed.error());
  }
  if (!submission->done && !answer) note(describe(answer.error()));
  turn.answered.push_back({std::move(submission), std::move(answer), head_.position});
}

// Each that is decided changes what there is for the next.
void Core::answer_takes(Turn& turn, Time now) {
  for (;;) {
    auto [take, is_late] = token_waits_.next(head_, now);
    if (!take) return;
    if (is_late) {
      turn.answered.push_back({std::move(take), Answer(false), head_.position});
    } else {
      decide_one(turn, std::move(take), now);
    }
  }
}

void Core::refuse_waits(const Error& error) {
  for (auto& take : token_waits_.take_all()) refuse(std::move(take), error);
  for (auto& lease : lease_waits_.remove_all()) refuse(std::move(lease), error);
}

void Core::record_reasons(Turn& turn, const DecideContext& context) {
  const bool is_seen = reasons_seen_ == head_.position;
  if (is_seen || is_held_back_ || head_.tasks.ready.empty() || context.now < reasons_due_) return;
  auto reasons = decide_reasons(head_, context, can_run(),
                                {.workers = &lease_waits_, .models = &model_turns_});
  ALMANAC_CHECK(absorb(turn, std::move(reasons.events)).has_value());
  reasons_seen_ = reasons.is_complete ? head_.position : Position();
  reasons_due_ = context.now + limits::reasons_interval;
}

// What has ended is written while there is no space for anything else: one end at a time, so that
// none needs more room in one piece than its own.
void Core::write_endings(Time now) {
  while (full() && !reserve_refused_ && !broken_ && parked_.empty() && !retry_.empty()) {
    auto turn = std::make_shared<Turn>();
    turn->space = Space::reserve;
    auto submission = std::move(retry_.front());
    retry_.pop_front();
    decide_one(*turn, std::move(submission), now);
    park(std::move(turn));
  }
}

void Core::refuse(std::unique_ptr<Submission> submission, const Error& error) {
  if (submission->done) submission->done(std::unexpected(error));
}

CanRun Core::can_run() const {
  return [this](std::string_view kind) { return attempts_.can_run(kind); };
}

// What a crash left running may be more than one batch takes. Any part of it on disk is as good:
// the next engine takes back the rest.
Result<void> Core::absorb(Turn& turn, std::vector<Event> events) {
  while (events.size() > limits::batch_events_max) {
    const auto rest = events.begin() + limits::batch_events_max;
    auto absorbed = absorb(turn, {events.begin(), rest});
    if (!absorbed) return absorbed;
    events.erase(events.begin(), rest);
  }
  if (events.empty()) return {};
  EventBatch batch{std::move(events), nullptr};
  const auto cost = check_batch(batch);
  if (!cost) return std::unexpected(cost.error());
  // A large batch is given its room at once.
  const std::size_t count = turn.events.size() + batch.events.size();
  if (count > turn.events.capacity()) {
    reserve_large(turn.events, std::max(2 * turn.events.size(), count));
  }
  for (const Event& event : batch.events) {
    const RecordedEvent& recorded = turn.events.emplace_back(head_.position.next(), event);
    fold_into(head_, recorded);
    add_effects(head_, recorded, turn.effects);
  }
  turn.add(std::move(batch), *cost);
  return {};
}

// A log takes one batch of many decisions for less than many of one.
void Core::Turn::add(EventBatch batch, const BatchCost& cost) {
  Checked* last = batches.empty() ? nullptr : &batches.back();
  const bool joins = last != nullptr &&
                     last->cost.bytes + cost.bytes <= limits::frame_bytes_target &&
                     last->cost.names + cost.names < limits::frame_names_max &&
                     last->batch.events.size() + batch.events.size() <= limits::batch_events_max;
  if (!joins) {
    batches.push_back({std::move(batch), cost});
    return;
  }
  auto& joined = last->batch.events;
  joined.insert(joined.end(), std::move_iterator(batch.events.begin()),
                std::move_iterator(batch.events.end()));
  last->cost.bytes += cost.bytes;
  last->cost.names += cost.names;
}

void Core::park(std::shared_ptr<Turn> turn) {
  if (turn->batches.empty() && turn->answered.empty()) return;
  turn->after = head_;
  keep_reserve();
  bool tries = full() && turn->space == Space::ordinary && !turn->batches.empty();
  if (tries && !probe_) probe_ = head_.position;
  // The turn owns what its events point at, so it lives as long as the writer needs any of them.
  Position next = turn->events.empty() ? Position() : turn->events.front().position;
  const bool is_alone = parked_.empty() && turn->is_small();
  if (is_alone && begins_attempt(turn->effects)) attempts_.expect_handler();
  for (const auto& [batch, cost] : turn->batches) {
    auto first = log_.append(std::shared_ptr<const EventBatch>(turn, &batch),
                             {.space = turn->space, .by_caller = is_alone, .cost = cost});
    ALMANAC_CHECK(first && *first == next);
    next = Position(next.value + batch.events.size());
  }
  if (turn->batches.empty() && parked_.empty()) return release(*turn);
  parked_.push_back(std::move(turn));
}

// Before what begins is appended: a start is refused where there would be no room for its end.
void Core::keep_reserve() {
  auto attempts = std::max<std::size_t>(running_in(head_), running_);
  auto bytes = reserve_for(attempts, options_.output_bytes_max);
  if (bytes != reserve_) log_.set_reserve(reserve_ = bytes);
}

void Core::committed(const CommitReport& report) {
  if (broken_) return;
  const bool was_full = full();
  durable_ = report.through;
  while (!parked_.empty() && parked_.front()->after.position <= durable_) {
    auto turn = std::move(parked_.front());
    parked_.pop_front();
    release(*turn);
    keep_recent(std::move(turn));
  }
  if (report.error) {
    bool kept_nothing = report.error->code == ErrorCode::storage_full;
    kept_nothing ? roll_back(*report.error) : break_down(*report.error);
  } else if (probe_ && probe_ <= durable_) {
    warn("there is space for the log again");
    published_.set_room(true);
    paused_until_ = Time();
    probe_ = Position();
  }
  // What waited for this commit, or for space, goes on.
  if (!broken_ && (was_full || full())) return turn({});
  proceed_with_stop();
  arm_timer(now());
}

// The disk is full: as if nothing behind the published state had been decided. Callers get the
// error; what handlers have reported is decided again at once and may use the reserve, or, when
// that was refused too, as soon as there is space. An end that was refused lets others go first.
void Core::roll_back(const Error& error) {
  if (!full()) warn(describe(error));
  published_.set_room(false);
  reserve_refused_ = !parked_.empty() && parked_.front()->space == Space::reserve;
  if (!parked_.empty()) release_durable_part(*parked_.front());
  head_ = *published_.state();
  model_turns_ = {};
  // Before anybody is told, who may look at the clock then.
  paused_until_ = now() + limits::storage_retry_interval;
  probe_ = Position();
  for (auto& turn : std::exchange(parked_, {})) {
    for (auto& [submission, answer, through] : turn->answered) {
      const auto* results = std::get_if<ObserveCircuit>(&submission->command);
      if (!is_owed(*submission)) {
        submission->done(std::unexpected(error));
      } else if (results != nullptr && !results->probe) {
        circuits_.put_back(*results);
      } else if (!std::holds_alternative<StopEngine>(submission->command) &&
                 !is_passing(submission->command)) {
        retry_.push_back(std::move(submission));
      }
    }
  }
  if (stop_ == Stop::recorded) stop_ = Stop::handing_back;
  log_.resume();
}

void Core::break_down(const Error& error) {
  log_message(LogLevel::error, describe(error));
  refuse_waits(error);
  broken_ = true;
  published_.end(error);
  for (auto& submission : std::exchange(retry_, {})) refuse(std::move(submission), error);
  for (auto& turn : std::exchange(parked_, {})) {
    for (auto& [submission, answer, through] : turn->answered) refuse(std::move(submission), error);
  }
  loop_.stop();
}

void Core::stop(bool at_once) {
  auto now = this->now();
  if (stop_ == Stop::no) {
    stop_ = Stop::draining;
    hand_back_at_ = now + options_.stop_grace;
  }
  backups_.stop();
  if (healer_ != nullptr) healer_->stop();
  if (advisor_ != nullptr) advisor_->stop();
  refuse_waits(stopped_error());
  if (at_once) hand_back_at_ = now;
  if (at_once && reserve_refused_) return stop_unrecorded();
  if (at_once && stop_ != Stop::recorded) {
    stop_ = Stop::handing_back;
    attempts_.hand_back_all(now, true);
  }
  turn({});
}

// Ends while nothing can be written, not even an end: the log does not tell of the stop, and what
// handlers have reported since the disk was full is lost with the leases, which the next engine
// takes back.
void Core::stop_unrecorded() {
  if (!retry_.empty()) {
    const Error error{ErrorCode::storage_full, "there was no space to record how tasks ended",
                      "free some; these tasks run again with the next start"};
    published_.end(error);
    for (auto& submission : std::exchange(retry_, {})) refuse(std::move(submission), error);
  }
  loop_.stop();
}

void Core::proceed_with_stop() {
  if (stop_ == Stop::no || broken_) return;
  auto now = this->now();
  if (stop_ == Stop::draining && now >= hand_back_at_) {
    stop_ = Stop::handing_back;
    attempts_.hand_back_all(now, false);
  }
  bool idle = attempts_.empty() && parked_.empty() && retry_.empty();
  if (stop_ == Stop::recorded) {
    if (idle && head_.position == durable_) loop_.stop();
    return;
  }
  if (reserve_refused_ && attempts_.empty() && (retry_.empty() || now >= hand_back_at_)) {
    return stop_unrecorded();
  }
  if (!idle) return;
  // What runs by the log was begun by an engine that died: the next one takes it back.
  if (!begun_) return stop_unrecorded();
  if (running_here(head_) == 0) record_stop(now);
}

void Core::record_stop(Time now) {
  stop_ = Stop::recorded;
  auto turn = std::make_shared<Turn>();
  if (full()) turn->space = Space::reserve;
  for (ObserveCircuit& results : full() ? std::vector<ObserveCircuit>() : circuits_.take_all()) {
    decide_one(*turn, std::make_unique<Submission>(std::move(results), nullptr), now);
  }
  decide_one(*turn, std::make_unique<Submission>(StopEngine{}, nullptr), now);
  park(std::move(turn));
}

std::optional<Time> Core::next_start() const {
  auto next = token_waits_.due(head_);
  const auto consider = [&](std::optional<Time> time) {
    if (time && (!next || *time < *next)) next = time;
  };
  consider(starts_due_);
  if (!head_.backups.running()) consider(next_backup(head_));
  if (healer_ != nullptr) consider(next_component_move(head_));
  if (options_.fires_schedules) consider(next_firing(head_));
  const bool has_reasons = !head_.tasks.ready.empty() && !is_held_back_;
  if (has_reasons && reasons_seen_ != head_.position) consider(reasons_due_);
  consider(health_.due(head_));
  if (forgets(head_, options_.retention) && !head_.tasks.all.empty()) consider(forget_at_);
  return next;
}

void Core::arm_timer(Time now) {
  show_model_turns();
  std::optional<Time> next;
  auto consider = [&](std::optional<Time> time) {
    if (time && (!next || *time < *next)) next = time;
  };
  if (stop_ != Stop::recorded && may_begin(now)) {
    consider(head_.tasks.next_due());
    if (const auto change = head_.tasks.ranking.next_change()) {
      consider(std::max(*change, head_.tasks.ranking.done.at + limits::rerank_interval));
    }
    consider(head_.tasks.next_expiry());
    consider(head_.memories.next_expiry());
    consider(next_circuit_move(head_));
    consider(circuits_.next_due());
    if (!head_.tasks.doomed.empty()) consider(now);
    if (stop_ == Stop::no) consider(next_start());
  }
  consider(attempts_.next_due());
  consider(next_deadline());
  if (stop_ == Stop::draining) consider(hand_back_at_);
  if (now < paused_until_) consider(paused_until_);
  const auto silence = next_silence();
  timer_due_ = {};
  if (!next && !silence) return loop_.disarm();
  Duration wait = limits::timer_interval_max;
  // Where the clock was set back, time in the log stands still until the clock has caught up: what
  // is due then is waited for by the clock.
  if (next) wait = std::min(wait, *next <= now ? Duration(0) : *next - options_.clock());
  const SteadyTime steady_now = options_.steady_clock();
  if (silence) wait = std::min(wait, std::max(Duration(0), *silence - steady_now));
  timer_due_ = steady_now + wait;
  loop_.arm(wait);
}

}  // namespace almanac
