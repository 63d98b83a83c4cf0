#include <almanac/tests/simulation/remote_workers.h>

#include <almanac/tests/simulation/client.h>

namespace almanac::test {

using namespace std::chrono_literals;

void RemoteWorkers::ask(SimulatedEngine& engine) {
  Draw& draw = machine_.draw;
  machine_.coverage.reach(Verb::lease);
  LeaseSpec spec{.worker = "elsewhere", .kinds = {draw.one_of(simulated_kinds)}};
  if (draw.chance(50)) spec.kinds.push_back(draw.one_of(simulated_kinds));
  if (draw.chance(30)) spec.queues = {"default", "narrow"};
  if (draw.chance(30)) spec.versions.max = static_cast<std::uint32_t>(1 + draw.below(2));
  spec.tasks_max = static_cast<std::uint32_t>(1 + draw.below(3));
  spec.lease_time = draw.between(5s, 1min);
  const SteadyTime until(machine_.agenda.now() + draw.between(0s, 2min));
  engine.tell(LeaseTasks{spec, until}, [this, spec](const Result<Answer>& answer) {
    if (!answer) return;
    const auto& tasks = std::get<std::vector<LeasedTask>>(*answer);
    if (tasks.size() > spec.tasks_max) throw Violation("more tasks than were asked for");
    for (const LeasedTask& task : tasks) begin(spec, task);
  });
}

void RemoteWorkers::begin(const LeaseSpec& asked, const LeasedTask& task) {
  machine_.oracle.lease_is_answered(asked, task);
  const std::uint64_t number = ++numbers_;
  const bool is_slow = machine_.draw.chance(5);
  const Duration takes = machine_.draw.between(10ms, is_slow ? 1h : 1min);
  jobs_.emplace(number, Job{task, machine_.agenda.now() + takes});
  if (!machine_.faults.strike(Fault::silent_worker, 25)) return go_on(number);
  if (machine_.draw.chance(50)) return;  // for ever
  machine_.agenda.in(task.lease_time + machine_.draw.between(0s, 5min), [this, number] {
    jobs_.at(number).ends = {};
    go_on(number);
  });
}

// Until it has been told of the end, by whatever engine there is.
void RemoteWorkers::go_on(std::uint64_t number) {
  const auto job = jobs_.find(number);
  if (job == jobs_.end()) return;
  if (SimulatedEngine* engine = engine_()) {
    if (machine_.agenda.now() < job->second.ends) {
      beat(number, *engine);
    } else {
      end(number, *engine);
    }
  }
  machine_.agenda.in(job->second.task.lease_time / 3, [this, number] { go_on(number); });
}

void RemoteWorkers::beat(std::uint64_t number, SimulatedEngine& engine) {
  machine_.coverage.reach(Verb::heartbeat);
  const HeldLease lease = jobs_.at(number).task.lease;
  if (machine_.draw.chance(20)) {
    engine.tell(ReportProgress{.id = lease.id, .token = lease.token, .permille = 500},
                [](const Result<Answer>&) {});
  }
  engine.heartbeat(lease, [this, number, lease](LeaseStatus status) {
    const auto job = jobs_.find(number);
    if (job == jobs_.end()) return;
    if (status == LeaseStatus::gone) jobs_.erase(job);
    if (status == LeaseStatus::cancelled) job->second.ends = machine_.agenda.now();
    if (status != LeaseStatus::held) return;
    machine_.oracle.steady_clock_shows(machine_.agenda.now());
    machine_.oracle.is_heard_of(lease.id, lease.token.lease);
  });
}

void RemoteWorkers::end(std::uint64_t number, SimulatedEngine& engine) {
  const HeldLease lease = jobs_.at(number).task.lease;
  const auto answered = [this, number, lease,
                         timeline = machine_.disk.timeline()](const Result<Answer>& answer) {
    if (answer) machine_.oracle.end_is_accepted(lease.id, lease.token.lease);
    if (answer && lease.token.timeline != timeline) throw Violation("an end of another log");
    if (answer || answer.error().code == ErrorCode::refused) jobs_.erase(number);
  };
  const bool holds = machine_.oracle.holds(lease.id, lease.token.lease) &&
                     lease.token.timeline == machine_.disk.timeline();
  if (machine_.draw.chance(10)) {
    machine_.coverage.reach(Verb::give_back);
    if (holds) machine_.oracle.give_back_is_asked(lease.token.lease);
    return engine.tell(HandBackAttempt{lease.id, lease.token}, answered);
  }
  machine_.coverage.reach(Verb::report);
  if (machine_.faults.strike(Fault::foreign_report, 10)) {
    FencingToken foreign = lease.token;
    foreign.timeline.fill(std::byte{0xee});
    engine.tell(FinishAttempt{lease.id, foreign, {}}, [](const Result<Answer>& answer) {
      if (answer) throw Violation("an end with a foreign token was accepted");
    });
  }
  FinishAttempt finish{lease.id, lease.token, draw_outcome()};
  if (holds) machine_.oracle.attempt_ends(lease.token.lease, finish.outcome);
  if (machine_.faults.strike(Fault::double_report, 20)) {
    engine.tell(finish, [](const Result<Answer>&) {});
  }
  engine.tell(std::move(finish), answered);
}

AttemptOutcome RemoteWorkers::draw_outcome() {
  if (machine_.faults.strike(Fault::failing_worker, 40)) {
    return {.status = AttemptStatus::error,
            .message = "it did not work",
            .permanent = machine_.draw.chance(20)};
  }
  return {.result = "done"};
}

}  // namespace almanac::test
