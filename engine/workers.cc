#include <almanac/engine/workers.h>

#include <almanac/engine/diagnostics.h>
#include <almanac/engine/limits.h>
#include <almanac/engine/log_context.h>
#include <almanac/log/this_thread.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <iterator>
#include <utility>

namespace almanac {
AttemptOutcome outcome_of(const Outcome& outcome) {
  if (outcome.succeeded() && outcome.text().size() > limits::output_bytes_max) {
    return {.status = AttemptStatus::error,
            .message = "its result of " + std::to_string(outcome.text().size()) +
                       " bytes is over the limit of " + std::to_string(limits::output_bytes_max)};
  }
  if (outcome.succeeded()) return {.result = outcome.text(), .memories = outcome.memories()};
  if (outcome.is_rate_limited()) {
    return {
        .snooze_until = outcome.snooze_until(), .rate_limited = true, .service = outcome.text()};
  }
  const bool fits = outcome.details().size() <= limits::output_bytes_max;
  return {.status = AttemptStatus::error,
          .message = outcome.text().substr(0, limits::message_bytes_max),
          .result = fits ? outcome.details() : std::string(),
          .permanent = outcome.is_permanent(),
          .snooze_until = outcome.snooze_until(),
          .retry_at = outcome.retry_at()};
}

ReportProgress report_of(TaskId id, const FencingToken& token, ProgressReport progress) {
  const double fraction = std::clamp(progress.fraction, 0.0, 1.0);
  const bool fits = progress.partial.size() <= limits::partial_bytes_max;
  return {.id = id,
          .token = token,
          .permille = static_cast<std::uint16_t>(fraction * 1000),
          .message = progress.message.substr(0, limits::message_bytes_max),
          .partial = fits ? std::move(progress.partial) : std::string(),
          .is_last = progress.is_last};
}

namespace {

// What a function of the program has answered; an exception is a failure with its text.
template <class Call>
Outcome call(Call function) {
  try {
    return function();
  } catch (const std::exception& error) {
    return Outcome::failure(error.what());
  } catch (...) {
    return Outcome::failure("it threw something that is not a std::exception");
  }
}

}  // namespace

Command Workers::run(const WorkerJob& job) const {
  const LogScope scope({.task = job.id, .attempt = job.number, .operation = job.kind});
  log_message(LogLevel::debug, "the attempt begins");
  Attempt attempt{
      .id = job.id,
      .token = job.token,
      .number = job.number,
      .deadline = job.deadline,
      .kind = job.kind,
      .version = job.version,
      .payload = as_bytes(job.payload),
      .models = job.models,
      .stop = job.stop,
      .progress =
          [&](ProgressReport told) { report_(report_of(job.id, job.token, std::move(told))); },
      .dependencies = [&] { return read_results(log_, job.dependencies); }};
  const Outcome outcome = call([&] { return (*job.handler)(attempt); });
  log_message(LogLevel::debug, "the attempt has ended", {{"succeeded", outcome.succeeded()}});
  return FinishAttempt{job.id, job.token, outcome_of(outcome)};
}

Command Workers::run(const ProbeJob& job) const {
  const LogScope scope("probe " + job.kind + "/" + job.implementation);
  const Outcome outcome = call([&] { return (*job.probe)(); });
  return ReportProbe{.kind = job.kind,
                     .implementation = job.implementation,
                     .is_usable = outcome.succeeded(),
                     .reason = outcome.text().substr(0, limits::message_bytes_max)};
}

Workers::~Workers() {
  {
    std::lock_guard guard(mutex_);
    closing_ = true;
  }
  work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Workers::start(std::vector<WorkerJob> jobs) {
  put({std::make_move_iterator(jobs.begin()), std::make_move_iterator(jobs.end())});
}

void Workers::start(ProbeJob job) {
  std::vector<Job> jobs;
  jobs.emplace_back(std::move(job));
  put(std::move(jobs));
}

void Workers::put(std::vector<Job> jobs) {
  std::size_t needed = 0;
  bool wakes = false;
  {
    std::lock_guard guard(mutex_);
    std::ranges::move(jobs, std::back_inserter(jobs_));
    needed = busy_ + jobs_.size();
    has_come_ = true;
    wakes = wakes_another();
  }
  if (wakes) work_.notify_one();
  while (threads_.size() < needed) threads_.emplace_back([this] { work(); });
}

void Workers::expect_job() {
  {
    std::lock_guard guard(mutex_);
    if (!jobs_.empty() || idle_ == 0 || waking_) return;
    waking_ = true;
    is_expected_ = true;
    has_come_ = false;
  }
  work_.notify_one();
}

void Workers::look_out(std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  const auto end = std::chrono::steady_clock::now() + limits::look_out_time;
  while (!has_come_ && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  lock.lock();
}

// To wake a thread costs more than a handler that does nothing. It is notified behind the lock,
// which it takes first.
bool Workers::wakes_another() {
  if (jobs_.empty() || idle_ == 0 || waking_) return false;
  waking_ = true;
  return true;
}

void Workers::work() {
  this_thread::set_name("almanac-handler");
  std::unique_lock lock(mutex_);
  while (true) {
    while (jobs_.empty() && !closing_) {
      ++idle_;
      work_.wait(lock);
      if (std::exchange(is_expected_, false)) look_out(lock);
      --idle_;
      waking_ = false;
    }
    if (jobs_.empty()) return;
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    ++busy_;
    const bool wakes = wakes_another();
    lock.unlock();
    if (wakes) work_.notify_one();
    report_(std::visit([this](const auto& one) { return run(one); }, job));
    lock.lock();
    --busy_;
  }
}

}  // namespace almanac
