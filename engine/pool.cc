#include <almanac/engine/pool.h>

#include <almanac/engine/limits.h>

#include <algorithm>
#include <regex>
#include <span>

namespace almanac {
namespace {

SteadyTime after(SteadyTime moment, Duration wait) {
  return moment + std::clamp(wait, Duration(0), limits::pool_duration_max);
}

std::string in_milliseconds(Duration duration) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return std::to_string(milliseconds) + " ms";
}

// What a call of the pool's owner answers, an exception included.
template <class Answer, class Call>
Answer guarded(const Call& call) {
  try {
    return call();
  } catch (const std::exception& error) {
    return fail(ErrorCode::io, error.what());
  } catch (...) {
    return fail(ErrorCode::io, "an exception without a text");
  }
}

}  // namespace

struct InstancePool::Rules {
  std::vector<std::string> texts;
  std::vector<std::regex> expressions;
};

// A check-out that waits: of a thread, on whose stack it lies, or of a callback.
struct InstancePool::Waiting : PoolWaiter {
  std::function<void(Result<InstanceLoan>)> done;  // empty = a thread
  std::optional<Error> refusal;                    // why it gets no instance
  std::mutex mutex;
  std::condition_variable change;
  bool is_over = false;  // guarded by mutex; nobody else touches it any more

  void wake() {
    std::lock_guard guard(mutex);
    is_over = true;
    change.notify_one();
  }
  bool is_over_by(SteadyTime moment) {
    std::unique_lock lock(mutex);
    return change.wait_until(lock, moment, [&] { return is_over; });
  }
  void end() {
    std::unique_lock lock(mutex);
    change.wait(lock, [&] { return is_over; });
  }
};

Result<std::unique_ptr<InstancePool>> InstancePool::open(PoolOptions options, Calls calls) {
  const auto invalid = [&](const std::string& what) {
    return fail(ErrorCode::invalid, "pool " + options.name + " " + what);
  };
  const auto is_duration = [](Duration duration) {
    return duration >= Duration(0) && duration <= limits::pool_duration_max;
  };
  if (!calls.create) return invalid("has nothing to make instances with");
  if (options.size == 0) return invalid("has a size of 0");
  if (options.size > limits::pool_instances_max ||
      options.temporary_max > limits::pool_instances_max - options.size) {
    return invalid("may have " + std::to_string(limits::pool_instances_max) + " instances at most");
  }
  for (const Duration duration :
       {options.temporary_after, options.timeout, options.age_max, options.slow_after,
        options.probe_interval, options.backoff, options.backoff_max}) {
    if (!is_duration(duration)) return invalid("has a time that is negative or above 366 days");
  }
  if (options.backoff == Duration(0)) return invalid("has no backoff");
  auto rules = std::make_unique<Rules>();
  for (const PoolErrorRule& rule : options.error_rules) {
    if (!rule.is_expression) {
      rules->texts.push_back(rule.pattern);
      continue;
    }
    try {
      rules->expressions.emplace_back(rule.pattern, std::regex::optimize);
    } catch (const std::regex_error& error) {
      return invalid("has the error rule '" + rule.pattern + "': " + error.what());
    }
  }
  if (!calls.probe) options.probe_interval = Duration(0);
  return std::unique_ptr<InstancePool>(
      new InstancePool(std::move(options), std::move(calls), std::move(rules)));
}

InstancePool::InstancePool(PoolOptions options, Calls calls, std::unique_ptr<Rules> rules)
    : options_(std::move(options)),
      calls_(std::move(calls)),
      rules_(std::move(rules)),
      ledger_(options_) {
  for (std::size_t i = 0; i < std::min(options_.size, limits::pool_makers_max); ++i) {
    makers_.emplace_back([this] { make(); });
  }
  teller_ = std::thread([this] { tell(); });
}

InstancePool::~InstancePool() {
  close();
  end(jobs_, are_makers_over_);
  for (std::thread& maker : makers_) maker.join();
  end(news_, is_teller_over_);
  teller_.join();
  ALMANAC_CHECK(!ledger_.is_used());
  for (const PoolEvent& event : ledger_.take_events()) options_.on_event(event);
}

void InstancePool::end(std::condition_variable& waits, bool& is_over) {
  std::lock_guard guard(mutex_);
  is_over = true;
  waits.notify_all();
}

void InstancePool::close() {
  std::vector<Waiting*> threads;
  {
    std::lock_guard guard(mutex_);
    for (PoolWaiter* waiter : ledger_.close()) {
      static_cast<Waiting*>(waiter)->refusal = closed();
      if (Waiting* thread = hand_over(waiter)) threads.push_back(thread);
    }
    jobs_.notify_all();
    news_.notify_one();
    warmth_.notify_all();
  }
  for (Waiting* thread : threads) thread->wake();
}

Result<InstanceLoan> InstancePool::check_out(Duration timeout) {
  const SteadyTime began = steady_time();
  Lock lock(mutex_);
  if (ledger_.is_closed()) return std::unexpected(closed());
  if (PoolSlot* slot = ledger_.take(began)) return InstanceLoan(*this, *slot);
  return wait_in_line(lock, began, timeout);
}

Result<InstanceLoan> InstancePool::wait_in_line(Lock& lock, SteadyTime began, Duration timeout) {
  Waiting waiting;
  waiting.since = began;
  waiting.until = after(began, timeout);
  ledger_.wait(waiting);
  notify(began);
  lock.unlock();
  const SteadyTime urgent = after(began, options_.temporary_after);
  if (urgent < waiting.until && !waiting.is_over_by(urgent)) {
    lock.lock();
    ledger_.urge(steady_time());
    notify(steady_time());
    lock.unlock();
  }
  if (!waiting.is_over_by(waiting.until)) {
    lock.lock();
    if (!waiting.refusal && ledger_.leave(waiting)) return std::unexpected(shortage(timeout));
    lock.unlock();
    waiting.end();  // over at the last moment, as whoever did it is about to say
  }
  return outcome_of(waiting);
}

void InstancePool::check_out(Duration timeout, std::function<void(Result<InstanceLoan>)> done) {
  const SteadyTime began = steady_time();
  auto waiting = std::make_unique<Waiting>();
  waiting->since = began;
  waiting->until = after(began, timeout);
  waiting->is_thread = false;
  waiting->done = std::move(done);
  std::lock_guard guard(mutex_);
  if (ledger_.is_closed()) {
    waiting->refusal = closed();
  } else {
    waiting->slot = ledger_.take(began);
  }
  if (waiting->refusal || waiting->slot != nullptr) {
    to_call_.push_back(std::move(waiting));
  } else {
    ledger_.wait(*waiting.release());  // until it is handed over
    notify(began);
  }
  news_.notify_one();
}

std::optional<InstanceLoan> InstancePool::try_check_out() {
  const SteadyTime began = steady_time();
  std::lock_guard guard(mutex_);
  PoolSlot* slot = ledger_.is_closed() ? nullptr : ledger_.take(began);
  if (slot == nullptr) return std::nullopt;
  return InstanceLoan(*this, *slot);
}

Result<InstanceLoan> InstancePool::outcome_of(const Waiting& waiting) {
  if (waiting.refusal) return std::unexpected(*waiting.refusal);
  return InstanceLoan(*this, *waiting.slot);
}

Error InstancePool::closed() const {
  return {ErrorCode::stopped, "pool " + options_.name + " is closed", {}};
}

Error InstancePool::shortage(Duration waited) const {
  const PoolFigures figures = ledger_.figures();
  std::string message = "no instance of pool " + options_.name + " was free within " +
                        in_milliseconds(waited) + ": " + std::to_string(figures.in_use) +
                        " are in use";
  if (ledger_.cannot_create()) {
    return {ErrorCode::io, message + ", and no other can be made: " + figures.last_error, {}};
  }
  return {ErrorCode::busy, std::move(message), "try again, or make the pool larger"};
}

// A thread that waits is to be woken once the lock is gone; callbacks are called by the teller.
InstancePool::Waiting* InstancePool::hand_over(PoolWaiter* waiter) {
  auto* waiting = static_cast<Waiting*>(waiter);
  if (waiting == nullptr || waiting->is_thread) return waiting;
  to_call_.emplace_back(waiting);
  return nullptr;
}

// Whoever has to do something about what has just changed.
void InstancePool::notify(SteadyTime at) {
  if (ledger_.has_job(at)) jobs_.notify_one();
  if (ledger_.has_events() || !to_call_.empty()) news_.notify_one();
}

void InstancePool::give_back(PoolSlot& slot, const PoolVerdict& verdict) {
  const SteadyTime ended = steady_time();
  Waiting* thread = nullptr;
  {
    std::lock_guard guard(mutex_);
    thread = hand_over(ledger_.give_back(slot, verdict, ended));
    notify(ended);
  }
  if (thread != nullptr) thread->wake();
}

Result<std::shared_ptr<void>> InstancePool::create() const {
  auto made = guarded<Result<std::shared_ptr<void>>>(calls_.create);
  if (!made) return made;
  if (*made == nullptr) return fail(ErrorCode::io, "nothing was made");
  if (auto works = probe(made->get()); !works) return std::unexpected(works.error());
  return made;
}

Result<void> InstancePool::probe(void* instance) const {
  if (!calls_.probe) return {};
  return guarded<Result<void>>([&] { return calls_.probe(instance); });
}

void InstancePool::make() {
  Lock lock(mutex_);
  while (true) {
    const SteadyTime looked = steady_time();
    const PoolJob job = ledger_.next_job(looked);
    notify(looked);
    if (job.kind != PoolJob::Kind::none) {
      run(job, lock);
    } else if (are_makers_over_) {
      return;
    } else {
      jobs_.wait_until(lock, ledger_.job_due(looked));
    }
  }
}

// Without the lock what the job says, with it what came of that.
void InstancePool::run(PoolJob job, Lock& lock) {
  PoolWaiter* served = nullptr;
  lock.unlock();
  if (job.kind == PoolJob::Kind::create) {
    auto made = create();
    lock.lock();
    if (made) {
      served = ledger_.created(std::move(*made), steady_time());
    } else {
      ledger_.creation_failed(describe(made.error()), steady_time());
    }
    warmth_.notify_all();
  } else if (job.kind == PoolJob::Kind::probe) {
    const auto works = probe(job.slot->instance.get());
    lock.lock();
    served = ledger_.probed(*job.slot, works, steady_time());
  } else {
    job.slot->instance.reset();
    lock.lock();
    ledger_.destroyed(*job.slot);
  }
  if (Waiting* thread = hand_over(served)) {
    lock.unlock();
    thread->wake();
    lock.lock();
  }
}

void InstancePool::tell() {
  Lock lock(mutex_);
  while (true) {
    const SteadyTime looked = steady_time();
    ledger_.urge(looked);
    turn_away_late(looked);
    if (ledger_.has_job(looked)) jobs_.notify_one();
    const auto events = ledger_.take_events();
    const auto over = std::exchange(to_call_, {});
    if (!events.empty() || !over.empty()) {
      lock.unlock();
      for (const PoolEvent& event : events) options_.on_event(event);
      for (const auto& waiting : over) waiting->done(outcome_of(*waiting));
      lock.lock();
    } else if (is_teller_over_) {
      return;
    } else if (const auto due = ledger_.wait_due()) {
      news_.wait_until(lock, *due);
    } else {
      news_.wait(lock);
    }
  }
}

void InstancePool::turn_away_late(SteadyTime at) {
  while (PoolWaiter* late = ledger_.take_late(at)) {
    static_cast<Waiting*>(late)->refusal = shortage(at - late->since);
    (void)hand_over(late);
  }
}

Result<void> InstancePool::warm_up(Duration timeout) {
  const SteadyTime began = steady_time();
  Lock lock(mutex_);
  ledger_.warm_up();
  notify(began);
  const bool is_warm = warmth_.wait_until(lock, after(began, timeout),
                                          [&] { return ledger_.is_warm() || ledger_.is_closed(); });
  if (ledger_.is_closed()) return std::unexpected(closed());
  if (!is_warm) return std::unexpected(shortage(timeout));
  return {};
}

PoolFigures InstancePool::figures() const {
  std::lock_guard guard(mutex_);
  return ledger_.figures();
}

void InstancePool::resume(std::coroutine_handle<> handle) const {
  options_.resume ? options_.resume(std::span(&handle, 1)) : handle.resume();
}

bool InstancePool::says_to_retire(std::string_view message) const {
  message = message.substr(0, limits::message_bytes_max);
  return std::ranges::any_of(rules_->texts,
                             [&](const std::string& text) { return message.contains(text); }) ||
         std::ranges::any_of(rules_->expressions, [&](const std::regex& expression) {
           return std::regex_search(message.begin(), message.end(), expression);
         });
}

void InstanceLoan::failed(std::string_view message) {
  verdict_.has_failed = true;
  if (verdict_.retirement || !pool_->says_to_retire(message)) return;
  verdict_.retirement = PoolRetirement::error;
  verdict_.message = message.substr(0, limits::message_bytes_max);
}

void InstanceLoan::discard(std::string_view why) {
  verdict_.has_failed = true;
  verdict_.retirement = PoolRetirement::discarded;
  verdict_.message = why.substr(0, limits::message_bytes_max);
}

void InstanceLoan::give_back() {
  if (pool_ != nullptr) std::exchange(pool_, nullptr)->give_back(*slot_, verdict_);
}

}  // namespace almanac
