#include <almanac/engine/attempts.h>

#include <almanac/engine/limits.h>

#include <algorithm>
#include <csignal>
#include <utility>
#include <vector>

namespace almanac {

AttemptOutcome timed_out(AttemptOutcome outcome) {
  outcome.status = AttemptStatus::timed_out;
  outcome.message = "did not end before its deadline";
  return outcome;
}

Attempts::Attempts(const Surroundings& surroundings, AttemptOptions options)
    : report_(surroundings.report),
      options_(std::move(options)),
      processes_(surroundings.loop, surroundings.guard, options_.processes,
                 [this](Lease lease, AttemptOutcome outcome) {
                   command_ended(lease, std::move(outcome));
                 }),
      workers_(surroundings.log, surroundings.report),
      probes_({.run = [this](ProbeJob job) { workers_.start(std::move(job)); },
               .report = surroundings.report}) {
  if (options_.run_handlers) return;
  options_.run_handlers = [this](std::vector<WorkerJob> jobs) { workers_.start(std::move(jobs)); };
}

Attempts::~Attempts() {
  for (auto& [lease, running] : running_) running.stop_source.request_stop();
}

void Attempts::set_handlers(const std::string& kind,
                            const std::vector<Implementation>& implementations,
                            VersionRange versions, Time now) {
  std::vector<Known> handlers;
  for (const Implementation& one : implementations) {
    handlers.push_back({one.name, versions, std::make_shared<const Handler>(one.handler)});
  }
  // What was chosen before still runs by them.
  for (Known& before : handlers_[kind]) {
    const bool is_replaced = before.versions == versions &&
                             std::ranges::find(implementations, before.name,
                                               &Implementation::name) != implementations.end();
    if (!is_replaced) handlers.push_back(std::move(before));
  }
  handlers_[kind] = std::move(handlers);
  probes_.set(kind, implementations, now);
}

bool Attempts::can_run(std::string_view kind) const {
  return kind == command_kind ? options_.runs_commands : handlers_.contains(kind);
}

void Attempts::begin(const BeginAttempt& effect, const TaskEnqueued& enqueued, Inputs inputs,
                     Time now) {
  if (enqueued.kind == command_kind) {
    begin_command(effect, enqueued, std::move(inputs.json));
  } else {
    const std::vector<Known>& handlers = handlers_.find(enqueued.kind)->second;
    const auto handler = std::ranges::find_if(handlers, [&](const Known& one) {
      return one.name == effect.implementation && one.versions.takes(enqueued.version);
    });
    ALMANAC_CHECK(handler != handlers.end());
    Running& running = add(effect, false);
    if (!effect.implementation.empty()) {
      running.kind = enqueued.kind;
      running.implementation = effect.implementation;
    }
    begun_.push_back({.handler = handler->handler,
                      .id = effect.id,
                      .token = token(effect.lease),
                      .number = effect.attempt,
                      .deadline = effect.deadline,
                      .kind = std::string(enqueued.kind),
                      .version = enqueued.version,
                      .payload = std::string(as_text(enqueued.payload)),
                      .dependencies = std::move(inputs.dependencies),
                      .models = effect.models,
                      .stop = running.stop_source.get_token()});
  }
  if (effect.deadline != Time()) advance(now);  // it may have passed
}

void Attempts::run_begun() {
  if (!begun_.empty()) options_.run_handlers(std::exchange(begun_, {}));
}

void Attempts::begin_command(const BeginAttempt& effect, const TaskEnqueued& enqueued,
                             std::string inputs) {
  auto spec = decode_command(enqueued.payload);
  auto started = spec ? processes_.start({.token = token(effect.lease),
                                          .id = effect.id,
                                          .attempt = effect.attempt,
                                          .spec = std::move(*spec),
                                          .models = effect.models,
                                          .dependencies = std::move(inputs)})
                      : std::unexpected(spec.error());
  if (started) {
    add(effect, true);
    return;
  }
  AttemptOutcome outcome{.status = AttemptStatus::not_started,
                         .message = describe(started.error())};
  finish(effect.id, effect.lease, std::move(outcome));
}

Attempts::Running& Attempts::add(const BeginAttempt& effect, bool is_command) {
  Running& running =
      running_.emplace(effect.lease, Running{.id = effect.id, .is_command = is_command})
          .first->second;
  set_due(effect.lease, running, effect.deadline);
  return running;
}

Attempts::Running Attempts::remove(std::map<Lease, Running>::iterator entry) {
  set_due(entry->first, entry->second, Time());
  return std::move(running_.extract(entry).mapped());
}

void Attempts::set_due(Lease lease, Running& running, Time due) {
  if (running.due != Time()) due_.erase({running.due, lease});
  running.due = due;
  if (due != Time()) due_.emplace(due, lease);
}

void Attempts::stop(Lease lease, StopReason reason, Time now) {
  auto entry = running_.find(lease);
  if (entry == running_.end() || entry->second.stop != StopReason::none) return;
  Running& running = entry->second;
  running.stop = reason;
  running.stop_source.request_stop();
  set_due(lease, running, now + options_.kill_grace);
  if (running.is_command) processes_.signal(lease, SIGTERM);
}

void Attempts::hand_back_all(Time now, bool at_once) {
  std::vector<Lease> leases;
  for (auto& [lease, running] : running_) leases.push_back(lease);
  for (Lease lease : leases) {
    Running& running = running_.at(lease);
    if (at_once && !running.is_command && running.stop == StopReason::none) {
      running.stop = StopReason::stopping;  // told by give_up()
    } else {
      stop(lease, StopReason::stopping, now);
    }
    if (at_once) set_due(lease, running, now);
  }
  advance(now);
}

void Attempts::advance(Time now) {
  sweep(now);
  probes_.advance(now);
  std::vector<Lease> overdue;
  for (const auto& [due, lease] : due_) {
    if (due > now) break;
    overdue.push_back(lease);
  }
  for (Lease lease : overdue) {
    Running& running = running_.at(lease);
    if (!running.is_command) {
      give_up(lease, now);
    } else if (running.stop == StopReason::none) {
      stop(lease, StopReason::timeout, now);
    } else {
      processes_.signal(lease, SIGKILL);
      set_due(lease, running, Time());
    }
  }
}

// Commands that end within an interval are swept behind together.
void Attempts::sweep(Time now) {
  if (!processes_.needs_sweep()) return;
  if (sweep_at_ == Time()) sweep_at_ = now + limits::sweep_interval;
  if (sweep_at_ > now) return;
  processes_.sweep();
  sweep_at_ = Time();
}

// Ends an attempt of a C++ handler that has not returned. A function cannot be made to end: its
// lease goes, its thread follows when it returns. It is told only then, so that what it answers to
// that comes too late.
void Attempts::give_up(Lease lease, Time now) {
  Running running = remove(running_.find(lease));
  if (running.stop == StopReason::stopping) {
    hand_back(running.id, lease);
  } else {
    finish(running.id, lease, timed_out({}));
    probes_.suspect(running.kind, running.implementation, now);
  }
  running.stop_source.request_stop();
}

std::optional<Time> Attempts::next_due() const {
  std::optional<Time> next = probes_.next_due();
  if (!due_.empty() && (!next || due_.begin()->first < *next)) next = due_.begin()->first;
  if (sweep_at_ != Time() && (!next || sweep_at_ < *next)) next = sweep_at_;
  return next;
}

Command Attempts::settle(Command report, Time now) {
  if (const auto* probe = std::get_if<ReportProbe>(&report)) probes_.answered(*probe, now);
  const auto* finish = std::get_if<FinishAttempt>(&report);
  if (finish == nullptr) return report;
  auto entry = running_.find(finish->token.lease);
  if (entry == running_.end()) return report;
  const Running running = remove(entry);
  const bool succeeded = finish->outcome.status == AttemptStatus::succeeded;
  const bool hand_back = running.stop == StopReason::stopping && !succeeded;
  const bool snoozes = finish->outcome.snooze_until != Time();
  if (running.stop == StopReason::none && !succeeded && !snoozes) {
    probes_.suspect(running.kind, running.implementation, now);
  }
  if (hand_back) return HandBackAttempt{finish->id, finish->token};
  return report;
}

void Attempts::command_ended(Lease lease, AttemptOutcome outcome) {
  auto entry = running_.find(lease);
  ALMANAC_CHECK(entry != running_.end());
  const Running running = remove(entry);
  bool succeeded = outcome.status == AttemptStatus::succeeded;
  if (running.stop == StopReason::stopping && !succeeded) {
    return hand_back(running.id, lease);
  }
  if (running.stop == StopReason::timeout) outcome = timed_out(std::move(outcome));
  outcome.crashed = running.stop == StopReason::none && outcome.status == AttemptStatus::signaled;
  finish(running.id, lease, std::move(outcome));
}

}  // namespace almanac
