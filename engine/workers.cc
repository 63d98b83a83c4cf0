#include <almanac/engine/workers.h>

#include <almanac/engine/limits.h>

#include <exception>
#include <utility>

namespace almanac {
namespace {

AttemptOutcome outcome_of(const Outcome& outcome) {
  if (outcome.succeeded() && outcome.text().size() > limits::output_bytes_max) {
    return {.status = AttemptStatus::error,
            .message = "its result of " + std::to_string(outcome.text().size()) +
                       " bytes is over the limit of " + std::to_string(limits::output_bytes_max)};
  }
  if (outcome.succeeded()) return {.result = outcome.text()};
  return {.status = AttemptStatus::error,
          .message = outcome.text().substr(0, limits::message_bytes_max)};
}

AttemptOutcome run(const WorkerJob& job) {
  Attempt attempt{.id = job.id,
                  .token = job.token,
                  .number = job.number,
                  .deadline = job.deadline,
                  .kind = job.kind,
                  .payload = as_bytes(job.payload),
                  .stop = job.stop};
  try {
    return outcome_of((*job.handler)(attempt));
  } catch (const std::exception& error) {
    return outcome_of(Outcome::failure(error.what()));
  } catch (...) {
    return outcome_of(Outcome::failure("the handler threw something that is not a std::exception"));
  }
}

}  // namespace

Workers::~Workers() {
  {
    std::lock_guard guard(mutex_);
    closing_ = true;
  }
  work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Workers::start(WorkerJob job) {
  bool needs_thread = false;
  {
    std::lock_guard guard(mutex_);
    jobs_.push_back(std::move(job));
    needs_thread = busy_ + jobs_.size() > threads_.size();
    wake_another();
  }
  if (needs_thread) threads_.emplace_back([this] { work(); });
}

// To wake a thread costs more than a handler that does nothing.
void Workers::wake_another() {
  if (jobs_.empty() || idle_ == 0 || waking_) return;
  waking_ = true;
  work_.notify_one();
}

void Workers::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    while (jobs_.empty() && !closing_) {
      ++idle_;
      work_.wait(lock);
      --idle_;
      waking_ = false;
    }
    if (jobs_.empty()) return;
    WorkerJob job = std::move(jobs_.front());
    jobs_.pop_front();
    ++busy_;
    wake_another();
    lock.unlock();
    finished_({job.id, job.token, run(job)});
    lock.lock();
    --busy_;
  }
}

}  // namespace almanac
