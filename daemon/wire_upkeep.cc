// What is done for jobs while nobody asks: their leases live, and what is over is let go.
#include <almanac/daemon/wire_jobs.h>
#include <almanac/daemon/wire_json.h>
#include <almanac/tools/units.h>

#include <algorithm>
#include <map>
#include <utility>

namespace almanac {
namespace {

// Of an attempt that ended otherwise than by FAIL.
WireFailure failure_of(const TaskAttemptFailed& event, Time at, const Task& task) {
  const bool is_late = event.end.status == AttemptStatus::timed_out;
  return {.retry_count = std::int64_t{task.failures} - 1,
          .remaining = std::int64_t{task.attempts_max} - task.failures,
          .failed_at = at,
          .next_at = event.retry_at,
          .fault = {.jid = {},
                    .errtype = is_late ? "ReservationExpired" : "unknown",
                    .message = is_late ? "Faktory job reservation expired"
                                       : std::string(event.end.message),
                    .backtrace = {}}};
}

std::optional<Time> first_failed_at(std::string_view json) {
  const auto members = parse_wire_object(json);
  const WireValue* text = members ? find_member(*members, "failed_at") : nullptr;
  if (text == nullptr || text->kind != WireKind::string) return std::nullopt;
  const auto time = parse_time(text->string);
  return time ? std::optional(*time) : std::nullopt;
}

}  // namespace

std::optional<WireLastFailure> read_last_failure(const Log& log, const State& state, TaskId id) {
  const Task* task = state.tasks.all.find(id);
  if (task == nullptr) return std::nullopt;
  std::optional<WireLastFailure> found;
  std::optional<WireFailure> made;  // of one without details, until an older one has the first time
  const auto visit = [&](const RecordedEvent& recorded) -> Result<bool> {
    if (recorded.position < task->enqueued) return false;
    const auto* failed = std::get_if<TaskAttemptFailed>(&recorded.event.body);
    if (failed == nullptr || failed->id != id) return true;
    const std::string_view details = as_text(failed->end.result);
    const auto since = first_failed_at(details);
    if (!made && since) {
      found = {*since, std::string(details)};
      return false;
    }
    if (!made) made = failure_of(*failed, recorded.event.at, *task);
    made->failed_at = since.value_or(recorded.event.at);
    return !since;
  };
  if (!log.read_backward(state.position, visit)) return std::nullopt;
  if (!found && made) found = {made->failed_at, wire_failure_json(*made)};
  return found;
}

void WireJobs::report(const WireProgress& progress, Done done) {
  const auto held = held_.find(progress.jid);
  if (held == held_.end()) return done(wire_simple("OK"));
  engine_.report_progress(
      held->second.front().lease,
      {.fraction = progress.fraction.value_or(0), .message = progress.description, .partial = {}},
      [post = ports_.post, done = std::move(done)](const Result<void>& told) {
        const bool is_kept = told || told.error().code == ErrorCode::refused;
        post([done, reply = is_kept ? wire_simple("OK") : wire_refusal(told.error())] {
          done(reply);
        });
      });
}

void WireJobs::look_after() {
  std::vector<HeldLease> leases;
  for (const auto& [jid, all] : held_) {
    for (const WireHeld& held : all) leases.push_back(held.lease);
  }
  const auto done = [self = weak_from_this(), post = ports_.post](
                        std::vector<HeldLease> asked, const std::vector<LeaseStatus>& answers) {
    std::vector<HeldLease> gone;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (answers[i] == LeaseStatus::gone) gone.push_back(asked[i]);
    }
    post([self, gone = std::move(gone)] {
      if (const auto jobs = self.lock()) jobs->let_go(gone);
    });
  };
  for (std::size_t begin = 0; begin < leases.size(); begin += limits::heartbeat_leases_max) {
    const auto end = std::min(begin + limits::heartbeat_leases_max, leases.size());
    std::vector<HeldLease> some(leases.begin() + std::ptrdiff_t(begin),
                                leases.begin() + std::ptrdiff_t(end));
    engine_.heartbeat(some, [done, some](const Result<std::vector<LeaseStatus>>& answers) {
      if (answers) done(some, *answers);
    });
  }
}

void WireJobs::let_go(const std::vector<HeldLease>& gone) {
  if (gone.empty()) return;
  std::map<TaskId, FencingToken> tokens;
  for (const HeldLease& lease : gone) tokens[lease.id] = lease.token;
  for (auto entry = held_.begin(); entry != held_.end();) {
    std::erase_if(entry->second, [&](const WireHeld& held) {
      const auto found = tokens.find(held.lease.id);
      return found != tokens.end() && found->second == held.lease.token;
    });
    entry = entry->second.empty() ? held_.erase(entry) : std::next(entry);
  }
  counters_.reaped += gone.size();
}

}  // namespace almanac
