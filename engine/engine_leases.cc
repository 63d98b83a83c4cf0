// What workers elsewhere ask of an engine.
#include <almanac/engine/engine.h>
#include <almanac/engine/engine_parts.h>
#include <almanac/engine/pool_memory.h>
#include <almanac/engine/steady_time.h>
#include <almanac/engine/workers.h>

#include <algorithm>
#include <future>
#include <utility>

namespace almanac {
namespace {

// Calls with what makes a promise of its argument, and waits for that where this thread may.
template <class Value, class Call>
Result<Value> wait_for(const Result<void>& may_wait, Call call) {
  if (!may_wait) return std::unexpected(may_wait.error());
  auto answer = std::make_shared<std::promise<Result<Value>>>();
  auto future = answer->get_future();
  call([answer](Result<Value> result) { answer->set_value(std::move(result)); });
  return future.get();
}

SteadyTime end_of_wait(const LeaseSpec& spec) {
  constexpr auto most =
      std::chrono::duration_cast<std::chrono::milliseconds>(limits::lease_time_max);
  return steady_time() + std::min(spec.timeout, most);
}

}  // namespace

Result<std::vector<LeasedTask>> Engine::lease(LeaseSpec spec) {
  return wait_for<std::vector<LeasedTask>>(
      parts_->check_may_wait(), [&](auto done) { lease(std::move(spec), std::move(done)); });
}

void Engine::lease(LeaseSpec spec, std::function<void(Result<std::vector<LeasedTask>>)> done) {
  const SteadyTime until = end_of_wait(spec);
  tell(LeaseTasks{std::move(spec), until}, pooled([done = std::move(done)](Result<Answer> answer) {
         if (!answer) return done(std::unexpected(answer.error()));
         done(std::get<std::vector<LeasedTask>>(std::move(*answer)));
       }));
}

Result<std::vector<LeaseStatus>> Engine::heartbeat(std::vector<HeldLease> leases) {
  return wait_for<std::vector<LeaseStatus>>(
      parts_->check_may_wait(), [&](auto done) { heartbeat(std::move(leases), std::move(done)); });
}

Result<void> Engine::report_progress(HeldLease lease, ProgressReport progress) {
  return ask_without_answer(report_of(lease.id, lease.token, std::move(progress)));
}

void Engine::report_progress(HeldLease lease, ProgressReport progress,
                             std::function<void(Result<void>)> done) {
  tell_without_answer(report_of(lease.id, lease.token, std::move(progress)), std::move(done));
}

Result<void> Engine::finish(HeldLease lease, Outcome outcome) {
  return ask_without_answer(FinishAttempt{lease.id, lease.token, outcome_of(outcome)});
}

void Engine::finish(HeldLease lease, Outcome outcome, std::function<void(Result<void>)> done) {
  tell_without_answer(FinishAttempt{lease.id, lease.token, outcome_of(outcome)}, std::move(done));
}

Result<void> Engine::give_back(HeldLease lease) {
  return ask_without_answer(HandBackAttempt{lease.id, lease.token});
}

void Engine::give_back(HeldLease lease, std::function<void(Result<void>)> done) {
  tell_without_answer(HandBackAttempt{lease.id, lease.token}, std::move(done));
}

void Engine::tell_without_answer(Command command, std::function<void(Result<void>)> done) {
  tell(std::move(command), pooled([done = std::move(done)](Result<Answer> answer) {
         if (!answer) return done(std::unexpected(answer.error()));
         done({});
       }));
}

}  // namespace almanac
