#include <almanac/tests/simulation/client.h>

#include <almanac/log/hash.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace almanac::test {

using namespace std::chrono_literals;

namespace {

const std::vector<std::string> queues = {"default", "narrow", "wide"};
const std::vector<std::string> owners = {"ann", "bob", "carl"};
const std::vector<std::int32_t> shares = {1, 10, 100, 1'000};
// That are not to be done twice.
const std::vector<std::string> works = {"sync", "index", "report"};
// Of circuits, by an operator.
const std::vector forces = {CircuitState::closed, CircuitState::forced_open,
                            CircuitState::forced_closed};
const std::vector<std::string> group_names = {"import", "export"};
const std::vector group_conditions = {DependencyCondition::success,
                                      DependencyCondition::success_in_the_end,
                                      DependencyCondition::end};
// With units, with a rate, and of a kind.
const std::vector<std::string> limit_names = {"gpu", "mail", "kind:print"};

std::vector<TaskId> failed_tasks(const State& state) {
  std::vector<TaskId> ids;
  for (const auto& [id, task] : state.tasks.all) {
    if (task.state == TaskState::failed) ids.push_back(id);
  }
  return ids;
}

}  // namespace

void Client::act(SimulatedEngine& engine) {
  if (gpus_.act(engine)) return;
  const auto drawn = machine_.draw.below(100);
  if (drawn < 29) return submit(engine);
  if (drawn < 51) return machine_.faults.healed() ? submit(engine) : use_circuit(engine);
  if (drawn < 56) return submit_again(engine);
  if (drawn < 60) return submit_badly(engine);
  if (drawn < 70) return cancel(engine);
  if (drawn < 74) return machine_.faults.healed() ? configure_queue(engine) : use_group(engine);
  if (drawn < 76) return configure_queue(engine);
  if (drawn < 81) return configure_limit(engine);
  if (drawn < 84) return take_tokens(engine);
  if (drawn < 89) return retry(engine, failed_tasks(machine_.oracle.durable()));
  if (drawn < 93) return pause(engine);
  if (drawn < 96) return resume_all(engine);
  review_all(engine);
}

Dependency Client::draw_dependency(std::size_t index) {
  const auto known = machine_.oracle.durable().tasks.last.value;
  if (index > 0 && (known == 0 || machine_.draw.chance(60))) {
    return InBatch{machine_.draw.below(index)};
  }
  return TaskId(1 + machine_.draw.below(known));
}

TaskSpec Client::draw_spec(std::size_t index) {
  Draw& draw = machine_.draw;
  TaskSpec spec{.kind = draw.one_of(simulated_kinds), .queue = draw.one_of(queues)};
  spec.label = "submission " + std::to_string(++labels_);
  spec.priority = static_cast<std::int32_t>(draw.below(3)) - 1;
  spec.attempts_max = static_cast<std::uint16_t>(1 + draw.below(4));
  spec.backoff.initial = draw.between(0s, 10s);
  spec.backoff.max = draw.between(1s, 10min);
  if (draw.chance(20)) spec.run_at = machine_.clock() + draw.between(-1min, 2h);
  if (draw.chance(50)) spec.timeout = draw.between(1s, 1min);
  const auto known = machine_.oracle.durable().tasks.last.value;
  while (index + known > 0 && draw.chance(30)) spec.dependencies.push_back(draw_dependency(index));
  const bool any_end = draw.chance(50);
  for (std::size_t i = 0; any_end && i < spec.dependencies.size(); ++i) {
    spec.conditions.push_back(
        static_cast<DependencyCondition>(draw.below(dependency_condition_count)));
  }
  if (draw.chance(30)) spec.retry_policy = static_cast<RetryPolicy>(draw.below(retry_policy_count));
  if (draw.chance(30)) spec.crashes_max = static_cast<std::uint16_t>(1 + draw.below(3));
  if (draw.chance(15)) spec.expires_at = machine_.clock() + draw.between(10s, 3h);
  draw_groups(spec);
  draw_terms(spec);
  return spec;
}

// Of one that is closed, or would have it wait for itself, the submission is refused.
void Client::draw_groups(TaskSpec& spec) {
  const Groups& groups = machine_.oracle.durable().tasks.groups;
  if (groups.all.empty()) return;
  Draw& draw = machine_.draw;
  std::vector<std::string> open;
  std::vector<std::string> names;
  for (const auto& [id, group] : groups.all) {
    names.emplace_back(group.name.view());
    if (group.is_open()) open.push_back(names.back());
  }
  if (!open.empty() && draw.chance(40)) spec.group = draw.one_of(open);
  if (!draw.chance(20)) return;
  spec.after_group = AfterGroup{draw.one_of(names), draw.one_of(group_conditions)};
}

// By which policies and limits tell tasks apart.
void Client::draw_terms(TaskSpec& spec) {
  Draw& draw = machine_.draw;
  if (draw.chance(40)) spec.owner = draw.one_of(owners);
  if (draw.chance(40)) spec.deadline = machine_.clock() + draw.between(-1min, 1h);
  if (draw.chance(20)) spec.version = static_cast<std::uint32_t>(1 + draw.below(3));
  if (draw.chance(30)) spec.estimate = draw.between(1s, 10min);
  if (draw.chance(25)) {
    // Nor does it wait for anything: one that waits for the retry of another of its work, which may
    // not be retried beside it, would do so for ever.
    spec.dependencies.clear();
    spec.conditions.clear();
    spec.after_group.reset();
    UniqueSpec& unique = spec.unique.emplace();
    unique.key = draw.one_of(works);
    unique.until = static_cast<UniqueUntil>(draw.below(unique_until_count));
    if (unique.until == UniqueUntil::enqueued || draw.chance(20)) {
      unique.within = draw.between(1s, 10min);
    }
    unique.on_conflict = static_cast<OnConflict>(draw.below(on_conflict_count));
  }
  // Of what is not set, or has less by then, it is refused.
  const State& state = machine_.oracle.durable();
  for (const char* limit : {"gpu", "mail"}) {
    const auto units = static_cast<std::uint32_t>(1 + draw.below(2));
    const bool is_set = setting_of(state.limits, state.names, limit).is_set();
    if (draw.chance(is_set ? 40 : 2)) spec.demands.push_back({limit, units});
  }
  const auto service = state.names.find("search");
  const bool is_guarded = service && guards(state.circuits, state.names, *service);
  if (draw.chance(is_guarded ? 50 : 2)) spec.demands.push_back({"search"});
  gpus_.draw_demand(spec);
}

void Client::submit(SimulatedEngine& engine) {
  machine_.coverage.reach(Verb::submit);
  EnqueueTasks submission;
  const auto tasks = 1 + machine_.draw.below(4);
  const bool keyed = machine_.draw.chance(30);
  for (std::size_t i = 0; i < tasks; ++i) {
    submission.tasks.push_back(draw_spec(i));
    if (keyed) submission.tasks.back().idempotency_key = submission.tasks.back().label;
  }
  if (keyed) keyed_.push_back(submission);
  send(engine, std::move(submission));
}

// What was not answered, or was, or refused: with the same keys there is one task for each.
void Client::submit_again(SimulatedEngine& engine) {
  if (keyed_.empty()) return;
  machine_.coverage.reach(Verb::submit_again);
  EnqueueTasks submission = machine_.draw.one_of(keyed_);
  for (TaskSpec& spec : submission.tasks) spec.label = "submission " + std::to_string(++labels_);
  send(engine, std::move(submission));
}

void Client::submit_badly(SimulatedEngine& engine) {
  machine_.coverage.reach(Verb::submit_badly);
  EnqueueTasks submission;
  for (std::size_t i = 0; i < 2; ++i) submission.tasks.push_back(draw_spec(i));
  switch (machine_.draw.below(3)) {
    case 0: submission.tasks[0].dependencies = {InBatch{1}, InBatch{0}}; break;
    case 1: submission.tasks[1].dependencies = {TaskId(1'000'000)}; break;
    default: submission.tasks[1].kind.clear();
  }
  const auto label = submission.tasks[0].label;
  machine_.oracle.submission_is_refused({label, submission.tasks[1].label});
  engine.tell(std::move(submission), [this](const Result<Answer>& answer) { note(answer); });
}

void Client::send(SimulatedEngine& engine, EnqueueTasks submission) {
  std::vector<std::string> labels;
  for (const TaskSpec& spec : submission.tasks) {
    labels.push_back(spec.label);
    const bool replaces = spec.unique && spec.unique->on_conflict == OnConflict::replace;
    if (replaces) machine_.oracle.replacing_is_asked(spec.label);
  }
  engine.tell(std::move(submission), [this, labels](const Result<Answer>& answer) {
    note(answer);
    if (answer) {
      machine_.oracle.submission_is_accepted(labels, std::get<std::vector<Submitted>>(*answer));
    } else if (answer.error().code != ErrorCode::unknown_outcome) {
      machine_.oracle.submission_is_refused(labels);
    }
  });
}

void Client::cancel(SimulatedEngine& engine) {
  const auto known = machine_.oracle.durable().tasks.last.value;
  const TaskId id(1 + machine_.draw.below(known + 1));
  machine_.coverage.reach(Verb::cancel);
  machine_.oracle.cancel_is_asked(id);
  engine.tell(CancelTask{id, "no longer wanted"}, [this, id](const Result<Answer>& answer) {
    note(answer);
    if (answer) machine_.oracle.cancel_is_accepted(id);
  });
}

void Client::configure_queue(SimulatedEngine& engine) {
  machine_.coverage.reach(Verb::configure_queue);
  ConfigureQueue settings{.queue = machine_.draw.one_of(queues),
                          .slots = static_cast<std::uint32_t>(machine_.draw.below(4))};
  if (machine_.draw.chance(60)) {
    settings.policy = static_cast<QueuePolicy>(machine_.draw.below(queue_policy_count));
  }
  if (settings.policy == QueuePolicy::urgency) settings.window = machine_.draw.between(1min, 1h);
  if (settings.policy == QueuePolicy::fair) {
    for (const std::string& owner : owners) {
      if (machine_.draw.chance(70)) settings.weights[owner] = machine_.draw.one_of(shares);
    }
  }
  const auto drawn = [&]() -> std::optional<Duration> {
    if (machine_.draw.chance(60)) return std::nullopt;
    if (machine_.draw.chance(20)) return retained_for_ever;
    return machine_.draw.between(0s, 10min);
  };
  settings.retain_succeeded = drawn();
  settings.retain_failed = drawn();
  settings.retain_cancelled = drawn();
  const bool is_shared = settings.policy == QueuePolicy::fair;
  const std::string queue = settings.queue;
  engine.tell(std::move(settings), [this](const Result<Answer>& answer) { note(answer); });
  if (is_shared) crowd(engine, queue);
}

// Who is in front of whom shows where several owners have something to do of the same kind.
void Client::crowd(SimulatedEngine& engine, const std::string& queue) {
  EnqueueTasks submission;
  const std::string kind = machine_.draw.one_of(simulated_kinds);
  for (auto tasks = 4 + machine_.draw.below(8); tasks > 0; --tasks) {
    TaskSpec spec{.kind = kind, .queue = queue};
    spec.label = "submission " + std::to_string(++labels_);
    spec.owner = machine_.draw.one_of(owners);
    if (machine_.draw.chance(50)) spec.estimate = machine_.draw.between(1s, 10min);
    submission.tasks.push_back(std::move(spec));
  }
  send(engine, std::move(submission));
}

// Where nothing fails there are none.
void Client::use_group(SimulatedEngine& engine) {
  const auto noted = [this](const Result<Answer>& answer) { note(answer); };
  const std::string name = machine_.draw.one_of(group_names);
  if (machine_.draw.chance(60)) {
    machine_.coverage.reach(Verb::open_group);
    return engine.tell(OpenGroup{name}, noted);
  }
  machine_.coverage.reach(Verb::close_group);
  engine.tell(CloseGroup{name}, noted);
}

void Client::configure_limit(SimulatedEngine& engine) {
  machine_.coverage.reach(Verb::configure_limit);
  Draw& draw = machine_.draw;
  ConfigureLimit configure{.name = draw.one_of(limit_names), .setting = {}};
  const bool is_rate = configure.name == "mail";
  if (draw.chance(80)) {
    if (is_rate) configure.setting.per_minute = static_cast<std::uint32_t>(1 + draw.below(60));
    if (is_rate) configure.setting.burst = static_cast<std::uint32_t>(1 + draw.below(3));
    if (!is_rate || draw.chance(30)) configure.setting.units = 1 + draw.below(3);
  }
  engine.tell(std::move(configure), [this](const Result<Answer>& answer) { note(answer); });
}

void Client::take_tokens(SimulatedEngine& engine) {
  machine_.coverage.reach(Verb::take_tokens);
  Draw& draw = machine_.draw;
  TakeTokens take{.limit = draw.chance(80) ? "mail" : "search"};
  take.tokens = static_cast<std::uint32_t>(1 + draw.below(2));
  take.until = machine_.clock() + draw.between(0s, 1min);
  engine.tell(take, [this, limit = take.limit](const Result<Answer>& answer) {
    note(answer);
    if (answer && std::get<bool>(*answer)) machine_.oracle.take_is_answered(limit);
  });
}

// Where nothing fails there are no circuits.
void Client::use_circuit(SimulatedEngine& engine) {
  Draw& draw = machine_.draw;
  const auto noted = [this](const Result<Answer>& answer) { note(answer); };
  const State& state = machine_.oracle.durable();
  const auto service = state.names.find("search");
  const bool is_set = service && setting_of(state.circuits, state.names, *service);
  if (draw.chance(is_set ? 10 : 80)) {
    machine_.coverage.reach(Verb::configure_circuit);
    CircuitSetting setting{.requests_min = static_cast<std::uint32_t>(2 + draw.below(4)),
                           .failure_permille = static_cast<std::uint16_t>(300 + draw.below(500)),
                           .consecutive_failures = static_cast<std::uint32_t>(draw.below(3)),
                           .window = draw.between(10s, 5min),
                           .cooldown = draw.between(1s, 20s),
                           .cooldown_max = draw.between(20s, 2min),
                           .probes = static_cast<std::uint16_t>(1 + draw.below(3))};
    if (draw.chance(10)) setting.probes = 0;
    return engine.tell(ConfigureCircuit{"search", setting}, noted);
  }
  const auto now = service ? circuit_of(state.circuits, *service).state : CircuitState::closed;
  const bool is_forced = now == CircuitState::forced_open || now == CircuitState::forced_closed;
  if (draw.chance(is_forced ? 45 : now == CircuitState::closed ? 8 : 35)) {
    machine_.coverage.reach(Verb::force_circuit);
    const CircuitState to = draw.one_of(forces);
    return engine.tell(ForceCircuit{"search", to, "drawn"}, noted);
  }
  make_request(engine);
}

// What it came to is told some time later, or never.
void Client::make_request(SimulatedEngine& engine) {
  machine_.coverage.reach(Verb::make_request);
  engine.tell(ProbeCircuit{"search"}, [this, &engine](const Result<Answer>& answer) {
    note(answer);
    if (!answer || !std::get<CircuitAdmission>(*answer).is_admitted) return;
    if (machine_.draw.chance(45)) return;
    const bool succeeds = machine_.draw.chance(30);
    engine.tell(ObserveCircuit{.service = "search",
                               .successes = succeeds ? 1U : 0U,
                               .failures = succeeds ? 0U : 1U,
                               .trailing_failures = succeeds ? 0U : 1U,
                               .took = 1ms,
                               .probe = std::get<CircuitAdmission>(*answer).probe},
                [this](const Result<Answer>& told) { note(told); });
  });
}

void Client::retry(SimulatedEngine& engine, std::vector<TaskId> ids) {
  if (ids.empty()) return;
  machine_.coverage.reach(Verb::retry);
  for (TaskId id : ids) machine_.oracle.retry_is_asked(id);
  engine.tell(ChangeTasks{std::move(ids), TaskChange::retry, "it may work now", true},
              [this](const Result<Answer>& answer) { note(answer); });
}

void Client::pause(SimulatedEngine& engine) {
  machine_.coverage.reach(Verb::pause);
  const auto noted = [this](const Result<Answer>& answer) { note(answer); };
  if (machine_.draw.chance(30)) {
    return engine.tell(PauseWork{PauseScope::queue, machine_.draw.one_of(queues), true}, noted);
  }
  if (machine_.draw.chance(40)) {
    return engine.tell(PauseWork{PauseScope::kind, machine_.draw.one_of(simulated_kinds), true},
                       noted);
  }
  const auto known = machine_.oracle.durable().tasks.last.value;
  std::vector<TaskId> ids;
  for (int i = 0; i < 4; ++i) ids.emplace_back(1 + machine_.draw.below(known + 1));
  for (TaskId id : ids) machine_.oracle.pause_is_asked(id);
  engine.tell(ChangeTasks{std::move(ids), TaskChange::pause, "", true}, noted);
}

void Client::resume_all(SimulatedEngine& engine) {
  const State& state = machine_.oracle.durable();
  const auto noted = [this](const Result<Answer>& answer) { note(answer); };
  for (const PausedWork& work : state.pauses.all) {
    engine.tell(PauseWork{work.scope, std::string(state.names.text(work.name)), false}, noted);
  }
  ChangeTasks resume{.ids = {}, .change = TaskChange::resume, .reason = {}, .skips = true};
  for (const auto& [id, hold] : state.tasks.held) {
    if (hold.reason == HoldReason::paused) resume.ids.push_back(id);
  }
  if (resume.ids.empty() && state.pauses.all.empty()) return;
  machine_.coverage.reach(Verb::resume);
  engine.tell(std::move(resume), noted);
}

void Client::let_all_go_on(SimulatedEngine& engine) {
  resume_all(engine);
  gpus_.let_all_go_on(engine);
  const std::vector<LimitSetting> settings = {
      {.units = 2}, {.per_minute = 60, .burst = 2}, {.units = 1}};
  for (std::size_t i = 0; i < settings.size(); ++i) {
    engine.tell(ConfigureLimit{limit_names[i], settings[i]},
                [this](const Result<Answer>& answer) { note(answer); });
  }
  for (const auto& [service, circuit] : machine_.oracle.durable().circuits.all) {
    const std::string name(machine_.oracle.durable().names.text(service));
    engine.tell(ForceCircuit{name, CircuitState::closed},
                [this](const Result<Answer>& answer) { note(answer); });
  }
  const Tasks& tasks = machine_.oracle.durable().tasks;
  std::vector<TaskId> waited_for;
  for (const auto& [key, condition] : tasks.conditions) {
    if (tasks.all.find(key.dependency)->state == TaskState::failed) {
      waited_for.push_back(key.dependency);
    }
  }
  for (const auto& [id, group] : tasks.groups.all) {
    if (group.is_open()) {
      engine.tell(CloseGroup{std::string(group.name.view())},
                  [this](const Result<Answer>& answer) { note(answer); });
    }
    if (!tasks.groups.is_awaited(id)) continue;
    std::ranges::copy_if(
        tasks.groups.members_of(id), std::back_inserter(waited_for),
        [&](TaskId member) { return tasks.all.find(member)->state == TaskState::failed; });
  }
  retry(engine, std::move(waited_for));
}

void Client::review_all(SimulatedEngine& engine) {
  ReviewTasks review;
  for (const auto& [id, hold] : machine_.oracle.durable().tasks.held) {
    if (hold.reason == HoldReason::restored) review.ids.push_back(id);
  }
  if (review.ids.empty()) return;
  machine_.coverage.reach(Verb::review);
  review.decision = static_cast<ReviewDecision>(machine_.draw.below(review_decision_count));
  engine.tell(std::move(review), [this](const Result<Answer>& answer) { note(answer); });
}

void Client::note(const Result<Answer>& answer) {
  const auto text = answer ? std::string("accepted") : std::string(name(answer.error().code));
  digest_ = xxh3(as_bytes(std::to_string(digest_) + text));
}

}  // namespace almanac::test
