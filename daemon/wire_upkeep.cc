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

// What comes sooner than the engine keeps it is told in one piece when that time is over.
void WireJobs::report(const WireProgress& progress, Done done) {
  const auto held = held_.find(progress.jid);
  if (held == held_.end()) return done(wire_simple("OK"));
  WireHeld& first = held->second.front();
  if (progress.reserve_until && first.until != Time()) {
    const Time last = ports_.now() + wire_reserve_max;
    reserve(progress.jid, first, std::max(first.until, std::min(*progress.reserve_until, last)));
  }
  if (!progress.fraction && !progress.description) return done(wire_simple("OK"));
  const HeldLease lease = first.lease;
  const auto state = engine_.state();
  const Time now = system_time();
  auto entry = told_.find(lease.id);
  if (entry == told_.end()) {
    entry = told_.emplace(lease.id, read_told(engine_.log(), *state, lease.id)).first;
  }
  WireTold& told = entry->second;
  const Duration rest = told.at == Time() ? Duration(0) : told.at + limits::progress_interval - now;
  if (progress.fraction) told.fraction = *progress.fraction;
  if (progress.description) told.description = *progress.description;
  if (told.waits) return done(wire_simple("OK"));
  if (rest > Duration(0)) {
    told.waits = true;
    ports_.after(rest, [self = weak_from_this(), lease] {
      if (const auto jobs = self.lock()) jobs->tell_engine(lease);
    });
    return done(wire_simple("OK"));
  }
  told.at = now;
  engine_.report_progress(
      lease, {.fraction = told.fraction, .message = told.description, .partial = {}},
      [post = ports_.post, done = std::move(done)](const Result<void>& taken) {
        const bool is_kept = taken || taken.error().code == ErrorCode::refused;
        post([done, reply = is_kept ? wire_simple("OK") : wire_refusal(taken.error())] {
          done(reply);
        });
      });
}

void WireJobs::tell_engine(const HeldLease& lease, bool is_last) {
  const auto entry = told_.find(lease.id);
  if (entry == told_.end()) return;  // it is held no more
  WireTold& told = entry->second;
  told.waits = false;
  told.at = system_time();
  engine_.report_progress(
      lease,
      {.fraction = told.fraction, .message = told.description, .partial = {}, .is_last = is_last},
      [](const Result<void>&) {});
}

// ---- Reservations that may be prolonged ----

void WireJobs::reserve(const std::string& jid, WireHeld& held, Time until) {
  ends_.erase({held.until, held.lease.id});
  held.until = until;
  ends_.emplace(std::pair(until, held.lease.id), jid);
  wake_for_ends();
}

void WireJobs::wake_for_ends() {
  if (ends_.empty()) return;
  const Time first = ends_.begin()->first.first;
  if (woken_at_ != Time() && woken_at_ <= first) return;
  woken_at_ = first;
  ports_.after(std::max(Duration(0), first - ports_.now()), [self = weak_from_this()] {
    if (const auto jobs = self.lock()) jobs->end_those_over();
  });
}

void WireJobs::end_those_over() {
  woken_at_ = Time();
  while (!ends_.empty() && ends_.begin()->first.first <= ports_.now()) {
    const TaskId id = ends_.begin()->first.second;
    const std::string jid = std::move(ends_.begin()->second);
    ends_.erase(ends_.begin());
    end_if_over(jid, id);
  }
  wake_for_ends();
}

void WireJobs::end_if_over(const std::string& jid, TaskId id) {
  const auto entry = held_.find(jid);
  if (entry == held_.end()) return;
  auto& all = entry->second;
  const auto held =
      std::ranges::find_if(all, [&](const WireHeld& one) { return one.lease.id == id; });
  if (held == all.end() || held->until > ports_.now()) return;
  std::rotate(all.begin(), held, held + 1);
  const auto over = take_held(jid);
  ++counters_.reaped;
  finish_failed(jid, *over,
                {.jid = jid,
                 .errtype = "ReservationExpired",
                 .message = "Faktory job reservation expired",
                 .backtrace = {}},
                [](const std::string&) {});
}

std::optional<WireTold> WireJobs::told(TaskId id) const {
  const auto entry = told_.find(id);
  return entry == told_.end() ? std::nullopt : std::optional(entry->second);
}

// What forgetting costs grows with the state, and little with how many are forgotten at once.
void WireJobs::forget(TaskId id, Done done) {
  to_forget_.push_back({id, std::move(done)});
  if (!is_forgetting_) forget_some();
}

void WireJobs::forget_some() {
  const std::size_t count = std::min(to_forget_.size(), limits::changes_max);
  is_forgetting_ = count > 0;
  if (count == 0) return;
  const auto end = to_forget_.begin() + std::ptrdiff_t(count);
  auto some = std::make_shared<std::vector<Forgetting>>(std::make_move_iterator(to_forget_.begin()),
                                                        std::make_move_iterator(end));
  to_forget_.erase(to_forget_.begin(), end);
  ports_.aside([self = shared_from_this(), some] {
    std::vector<TaskId> ids;
    for (const Forgetting& one : *some) ids.push_back(one.id);
    (void)self->engine_.change(TaskChange::forget, ids, {}, Engine::Conflicts::skip);
    self->ports_.post([self, some] {
      for (Forgetting& one : *some) one.done(wire_simple("OK"));
      self->forget_some();
    });
  });
}

// Reads the log where its only attempt has failed, to see whether that is all that it may have.
bool WireJobs::is_forgotten_when_failed(TaskId id, const Task& task) const {
  if (task.state != TaskState::failed || task.attempts_max != 1) return false;
  bool is_asked = false;
  (void)engine_.log().read_one(task.enqueued, [&](const Event& event) {
    const TaskEnqueued& request = request_in(event.body);
    bool is_wire = false;
    for (std::uint32_t i = 0; i < request.tags.size(); ++i) {
      is_wire = is_wire || request.tags[i] == wire_tag;
    }
    if (!is_wire) return;
    const auto job = parse_wire_job(as_text(request.payload), wire_jid_of(id));
    is_asked = job && job->retry == 0;
  });
  return is_asked;
}

void WireJobs::look_at_expired() {
  const auto state = engine_.state();
  std::vector<HeldLease> gone;
  for (const auto& [jid, all] : held_) {
    for (const WireHeld& held : all) {
      if (held.retry != 0 || !held.is_job) continue;
      const Task* task = state->tasks.all.find(held.lease.id);
      if (task == nullptr || task->state == TaskState::failed) gone.push_back(held.lease);
    }
  }
  let_go(gone);
  for (const HeldLease& lease : gone) forget(lease.id, [](const std::string&) {});
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
  for (const HeldLease& lease : gone) told_.erase(lease.id);
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
