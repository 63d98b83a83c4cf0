#include <almanac/daemon/wire_jobs.h>

#include <almanac/daemon/limits.h>
#include <almanac/daemon/wire_json.h>
#include <almanac/engine/pool_memory.h>

#include <algorithm>
#include <utility>

namespace almanac {
namespace {

// The name under which a worker's leases are on record.
constexpr std::string_view worker_prefix = "faktory";
constexpr Duration promptness = std::chrono::milliseconds(200);
// A few KiB each as a rule, 64 KiB at most.
constexpr std::size_t known_failures_max = 1'000;

bool is_wire_worker(std::string_view name) {
  if (!name.starts_with(worker_prefix)) return false;
  name.remove_prefix(worker_prefix.size());
  return name.empty() || name.starts_with(':');
}

std::string worker_name(const std::string& wid) {
  std::string name;
  name.reserve(worker_prefix.size() + 1 + wid.size());
  name.append(worker_prefix).append(wid.empty() ? "" : ":").append(wid);
  if (name.size() > limits::name_bytes_max) name.resize(limits::name_bytes_max);
  return name;
}

bool has_ready(const State& state, std::string_view queue) {
  const auto name = state.names.find(queue);
  if (!name) return false;
  const auto lane = state.tasks.ready.lanes().lower_bound(Lane{.queue = *name, .kind = {}});
  return lane != state.tasks.ready.lanes().end() && (*lane).key.queue == *name;
}

std::vector<std::string> queues_in(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    // No other name can be one of a queue: of such there never is a job.
    if (end > 0 && end <= limits::name_bytes_max) words.emplace_back(text.substr(0, end));
    if (words.size() > limits::lease_names_max) break;  // they are too many already
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

// The jid of an ACK; empty where it is none.
std::string acknowledged(std::string_view argument) {
  const auto members = parse_wire_object(argument);
  if (!members) return {};
  const bool all_texts = std::ranges::all_of(
      *members, [](const WireMember& one) { return one.value.kind == WireKind::string; });
  const WireValue* jid = find_member(*members, "jid");
  return all_texts && jid != nullptr ? jid->string : std::string();
}

}  // namespace

std::string wire_refusal(const Error& error) {
  return wire_error(error.next_step.empty() ? error.message
                                            : error.message + ": " + error.next_step);
}

// One FETCH: first each queue that has something, in the order of the request, then all of them.
struct WireJobs::Fetching {
  std::vector<std::string> queues;
  std::vector<std::string> ready;  // those to look into one by one; the next one comes last
  std::string wid;
  bool waits = false;  // for all of them
  SteadyTime begun = steady_time();
  bool is_prompt = false;    // there is something, or will be at once
  bool is_answered = false;  // before anything came
  std::weak_ptr<WireSession> session;
  Done done;
  Result<std::vector<LeasedTask>> leased;  // on their way from the engine
};

// So soon nobody has gone who has only ended what it sends.
bool WireJobs::is_young(const Fetching& fetching) {
  return steady_time() - fetching.begun < promptness;
}

WireJobs::WireJobs(Engine& engine, WirePorts ports, Duration fetch_wait)
    : engine_(engine),
      ports_(std::move(ports)),
      post_(std::make_shared<const std::function<bool(std::function<void()>)>>(ports_.post)),
      fetch_wait_(fetch_wait),
      random_(std::random_device()()) {
  const auto state = engine_.state();
  counters_.failures = state->tasks.count(TaskState::failed);
  counters_.processed = counters_.failures + state->tasks.count(TaskState::succeeded);
}

void WireJobs::fetch(const WireRequest& request, WireSession& session, bool is_quiet, Done done) {
  if (!request.has_argument) {
    return done(wire_error("must call fetch with at least one queue"));
  }
  const auto fetching = std::allocate_shared<Fetching>(PoolAllocator<Fetching>());
  fetching->queues = queues_in(request.argument);
  fetching->wid = session.hello().wid;
  fetching->session = session.weak_from_this();
  if (is_quiet || fetching->queues.empty()) {
    return ports_.after(fetch_wait_, [done = std::move(done)] { done(wire_null()); });
  }
  if (fetching->queues.size() > limits::lease_names_max) {
    return done(
        wire_error("fetch names at most " + std::to_string(limits::lease_names_max) + " queues"));
  }
  fetching->done = std::move(done);
  const auto state = engine_.state();
  for (const std::string& queue : fetching->queues) {
    if (has_ready(*state, queue)) fetching->ready.push_back(queue);
  }
  // One queue needs no order: one lease takes what is there, or waits.
  const bool is_one = fetching->queues.size() == 1;
  fetching->is_prompt = is_one && (request.is_behind || !fetching->ready.empty());
  if (is_one) fetching->ready.clear();
  std::ranges::reverse(fetching->ready);
  lease_next(fetching);
}

void WireJobs::lease_next(std::shared_ptr<Fetching> fetching) {
  LeaseSpec spec{.worker = worker_name(fetching->wid), .lease_time = limits::lease_time_max};
  spec.timeout = std::chrono::milliseconds(0);
  if (fetching->ready.empty()) {
    const auto session = fetching->session.lock();
    const bool is_alone = !session || (session->has_ended_input() && !fetching->is_prompt);
    if (is_alone) return fetching->done(wire_null());
    fetching->waits = true;
    waiting_.insert(fetching);
    spec.queues = fetching->queues;
    spec.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(fetch_wait_);
  } else {
    spec.queues = {fetching->ready.back()};
    fetching->ready.pop_back();
  }
  engine_.lease(std::move(spec), pooled([self = weak_from_this(), &engine = engine_, post = post_,
                                         fetching](Result<std::vector<LeasedTask>> leased) mutable {
                  fetching->leased = std::move(leased);
                  const bool is_posted = (*post)(pooled([self = std::move(self), fetching] {
                    if (const auto jobs = self.lock())
                      jobs->take(fetching, std::move(fetching->leased));
                  }));
                  if (is_posted || !fetching->leased) return;
                  for (const auto& task : *fetching->leased)
                    engine.give_back(task.lease, [](const auto&) {});
                }));
}

void WireJobs::take(std::shared_ptr<Fetching> fetching, Result<std::vector<LeasedTask>> leased) {
  waiting_.erase(fetching);
  const auto session = fetching->session.lock();
  // What nobody may be there to do any more goes to the next one.
  const bool has_waited = fetching->waits && !(fetching->is_prompt && is_young(*fetching));
  const bool is_lost = fetching->is_answered || !session || session->is_gone() ||
                       (has_waited && session->has_ended_input());
  if (leased && is_lost) {
    for (const LeasedTask& task : *leased) engine_.give_back(task.lease, [](const auto&) {});
  }
  if (fetching->is_answered) return;
  if (!leased) return fetching->done(wire_refusal(leased.error()));
  if (is_lost || (leased->empty() && fetching->waits)) return fetching->done(wire_null());
  if (leased->empty()) return lease_next(std::move(fetching));
  LeasedTask task = std::move(leased->front());
  const auto state = engine_.state();
  const Task* known = state->tasks.all.find(task.lease.id);
  if (known == nullptr) return fetching->done(wire_null());  // removed meanwhile
  const auto cached = failures_.find(task.lease.id);
  const bool is_known = cached != failures_.end() && cached->second.failures == known->failures;
  if (known->failures == 0 || is_known) {
    return give_now(*fetching, std::move(task), *known,
                    is_known ? std::optional(cached->second) : std::nullopt);
  }
  ports_.aside(
      [self = shared_from_this(), fetching, task = std::move(task), known = *known, state] {
        auto last = read_last_failure(self->engine_.log(), *state, task.lease.id);
        self->ports_.post([self, fetching, task, known, last = std::move(last)] {
          std::optional<KnownFailure> failure;
          if (last) failure = KnownFailure{known.failures, last->failed_at, last->json};
          self->give_now(*fetching, task, known, std::move(failure));
        });
      });
}

void WireJobs::give_now(const Fetching& fetching, LeasedTask task, const Task& known,
                        std::optional<KnownFailure> failure) {
  const auto session = fetching.session.lock();
  if (!session || session->is_gone()) {
    engine_.give_back(task.lease, [](const auto&) {});
    return fetching.done(wire_null());
  }
  const auto job = parse_wire_job(task.payload, wire_jid_of(task.lease.id));
  if (!job || job->jobtype != task.kind) return give_foreign(fetching, task);
  hold(job->jid, {.lease = task.lease,
                  .retry = job->retry,
                  .failures = known.failures,
                  .failed_at = failure ? failure->failed_at : Time(),
                  .until = job->is_tracked ? ports_.now() + job->reserved_for() : Time()});
  fetching.done(wire_bulk(wire_job_json(
      *job,
      {.created_at = known.enqueued_at, .enqueued_at = std::max(known.enqueued_at, known.run_at)},
      failure ? std::string_view(failure->json) : std::string_view())));
}

// A task that did not come over the wire: its payload is the arguments, or the one argument.
void WireJobs::give_foreign(const Fetching& fetching, const LeasedTask& task) {
  const bool is_list = parse_wire_list(task.payload).has_value();
  const std::string args = is_list ? task.payload : "[" + wire_quoted(task.payload) + "]";
  WireJob job{
      .jid = wire_jid_of(task.lease.id), .jobtype = task.kind, .queue = task.queue, .args = args};
  const auto state = engine_.state();
  const Task* known = state->tasks.all.find(task.lease.id);
  const Time now = system_time();
  const std::int64_t attempts = known == nullptr ? 1 : known->attempts_max;
  job.retry = attempts - 1;
  hold(job.jid, {.lease = task.lease, .retry = job.retry, .is_job = false});
  if (task.deadline == Time()) end_later(task.lease);
  fetching.done(wire_bulk(wire_job_json(job, {.created_at = now, .enqueued_at = now})));
}

// The reservation of a task that has no time of its own.
void WireJobs::end_later(const HeldLease& lease) {
  ports_.after(wire_reserve_default, [self = weak_from_this(), lease] {
    const auto jobs = self.lock();
    if (!jobs) return;
    jobs->engine_.finish(lease, Outcome::failure("Faktory job reservation expired"),
                         [](const Result<void>&) {});
  });
}

void WireJobs::ack(std::string_view argument, Done done) {
  std::string jid = acknowledged(argument);
  if (jid.empty()) return done(wire_error("invalid ACK " + std::string(argument)));
  const auto held = take_held(jid);
  if (!held) return done(wire_simple("OK"));
  engine_.finish(held->lease, Outcome::success(),
                 pooled([self = weak_from_this(), post = post_, held = *held, jid = std::move(jid),
                         done = std::move(done)](Result<void> finished) mutable {
                   (*post)(pooled([self = std::move(self), held, jid = std::move(jid),
                                   done = std::move(done), finished = std::move(finished)] {
                     const auto jobs = self.lock();
                     if (!jobs) return;
                     if (finished) {
                       ++jobs->counters_.processed;
                       jobs->failures_.erase(held.lease.id);
                     } else if (finished.error().code != ErrorCode::refused) {
                       jobs->hold(jid, held);
                       return done(wire_refusal(finished.error()));
                     }
                     done(wire_simple("OK"));
                   }));
                 }));
}

void WireJobs::fail(std::string_view argument, Done done) {
  auto fault = parse_wire_fault(argument);
  if (!fault) return done(wire_error("invalid FAIL " + std::string(argument)));
  if (fault->jid.empty()) return done(wire_error("missing JID"));
  const auto held = take_held(fault->jid);
  if (!held) return done(wire_error("Job not found " + fault->jid));
  std::string jid = fault->jid;
  finish_failed(std::move(jid), *held, std::move(*fault), std::move(done));
}

void WireJobs::finish_failed(std::string jid, WireHeld held, WireFault fault, Done done) {
  const Time now = system_time();
  WireFailure failure{.retry_count = held.failures,
                      .remaining = held.retry < 0
                                       ? held.retry
                                       : std::max<std::int64_t>(held.retry - held.failures, 0),
                      .failed_at = held.failed_at == Time() ? now : held.failed_at};
  const bool is_tried_again = held.failures < held.retry;
  if (is_tried_again) failure.next_at = now + retry_delay(held.failures);
  failure.fault = std::move(fault);
  const KnownFailure known{held.failures + 1, failure.failed_at, wire_failure_json(failure)};
  const std::string text = failure.fault.errtype + ": " + failure.fault.message;
  Outcome outcome = Outcome::failure(text).with_details(known.json);
  if (is_tried_again && held.is_job) {
    outcome = std::move(outcome).retrying_at(failure.next_at);
  } else if (held.is_job) {
    outcome = Outcome::permanent_failure(text).with_details(known.json);
  }
  engine_.finish(held.lease, std::move(outcome),
                 [self = weak_from_this(), post = ports_.post, held, known, jid, is_tried_again,
                  done = std::move(done)](const Result<void>& finished) {
                   post([self, held, known, jid, is_tried_again, done, finished] {
                     const auto jobs = self.lock();
                     if (!jobs) return;
                     if (!finished) {
                       if (finished.error().code == ErrorCode::refused) {
                         return done(wire_error("Job not found " + jid));
                       }
                       jobs->hold(jid, held);
                       return done(wire_refusal(finished.error()));
                     }
                     ++jobs->counters_.processed;
                     ++jobs->counters_.failures;
                     if (is_tried_again) {
                       jobs->remember(held.lease.id, known);
                     } else {
                       jobs->failures_.erase(held.lease.id);
                     }
                     if (!held.is_job || held.retry != 0) return done(wire_simple("OK"));
                     jobs->forget(held.lease.id, done);  // nothing is kept of it
                   });
                 });
}

std::chrono::seconds WireJobs::retry_delay(std::int64_t count) {
  const std::int64_t n = std::min<std::int64_t>(count, 1'000);
  const auto jitter = static_cast<std::int64_t>(random_() % 30);
  return std::chrono::seconds(n * n * n * n + 15 + jitter * (n + 1));
}

std::optional<WireHeld> WireJobs::take_held(std::string_view jid) {
  const auto entry = held_.find(std::string(jid));
  if (entry == held_.end()) return std::nullopt;
  // Of one jid the one that was fetched first.
  WireHeld held = entry->second.front();
  entry->second.erase(entry->second.begin());
  if (entry->second.empty()) held_.erase(entry);
  // What was said last is told in front of the end.
  const auto told = told_.find(held.lease.id);
  if (told != told_.end() && told->second.waits) tell_engine(held.lease, true);
  told_.erase(held.lease.id);
  ends_.erase({held.until, held.lease.id});
  return held;
}

// Of the leases of one task the newest alone is valid.
void WireJobs::hold(const std::string& jid, WireHeld held) {
  told_.erase(held.lease.id);  // by an attempt that is over
  if (held.until != Time()) reserve(jid, held, held.until);
  OfJid& all = held_[jid];
  const auto is_same_task = [&](const WireHeld& one) { return one.lease.id == held.lease.id; };
  const auto known = std::ranges::find_if(all, is_same_task);
  if (known == all.end()) return all.push_back(held);
  if (known->lease.token.lease >= held.lease.token.lease) return;
  all.erase(known);
  all.push_back(held);
}

void WireJobs::remember_queue(std::string_view queue) {
  if (queues.size() < limits::wire_queues_max && !queues.contains(queue)) queues.emplace(queue);
}

void WireJobs::remember(TaskId id, KnownFailure failure) {
  if (failures_.size() >= known_failures_max) failures_.erase(failures_.begin());
  failures_.insert_or_assign(id, std::move(failure));
}

std::size_t WireJobs::held() const {
  std::size_t count = 0;
  for (const auto& [jid, all] : held_) count += all.size();
  return count;
}

void WireJobs::stop_waiting() {
  for (const auto& fetching : std::exchange(waiting_, {})) {
    fetching->is_answered = true;
    fetching->done(wire_null());
  }
}

void WireJobs::forget_all() {
  const auto state = engine_.state();
  const auto is_over = [&](const WireHeld& held) {
    const Task* task = state->tasks.all.find(held.lease.id);
    return task == nullptr || task->lease != held.lease.token.lease;
  };
  for (auto entry = held_.begin(); entry != held_.end();) {
    std::erase_if(entry->second, is_over);
    entry = entry->second.empty() ? held_.erase(entry) : std::next(entry);
  }
  failures_.clear();
  told_.clear();
  counters_ = {};
  queues.clear();
}

void WireJobs::adopt() {
  const auto state = engine_.state();
  for (const auto& [id, lease] : state->tasks.remote) {
    if (!is_wire_worker(lease.worker.view())) continue;
    adopt_one(*state, id, *state->tasks.all.find(id));
  }
  for (const auto& [id, task] : state->tasks.all) {
    if (!has_ended(task.state)) remember_queue(state->names.text(task.queue));
    if (is_forgotten_when_failed(id, task)) forget(id, [](const std::string&) {});
  }
}

void WireJobs::adopt_one(const State& state, TaskId id, const Task& task) {
  WireHeld held{.lease = {id, {engine_.log().timeline(), task.lease}}};
  std::string jid = wire_jid_of(id);
  held.is_job = false;
  held.retry = std::int64_t{task.attempts_max} - 1;
  (void)engine_.log().read_one(task.enqueued, [&](const Event& event) {
    const TaskEnqueued& request = request_in(event.body);
    const auto job = parse_wire_job(as_text(request.payload), jid);
    if (!job || job->jobtype != request.kind) return;
    held.is_job = true;
    held.retry = job->retry;
    // When it began is not known: its whole time from now on.
    if (job->is_tracked) held.until = ports_.now() + job->reserved_for();
    jid = job->jid;
  });
  held.failures = task.failures;
  if (task.failures > 0) {
    if (const auto last = read_last_failure(engine_.log(), state, id)) {
      held.failed_at = last->failed_at;
    }
  }
  if (task.timeout == Duration(0)) end_later(held.lease);
  hold(jid, held);
}

}  // namespace almanac
