// The threads on which C++ handlers run: as many as attempts run at once, kept for the next ones.
#pragma once

#include <almanac/engine/command.h>
#include <almanac/engine/dependency_results.h>
#include <almanac/engine/handler.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace almanac {

// What a program says of an attempt, as it is decided about: cut to what is kept of it.
[[nodiscard]] AttemptOutcome outcome_of(const Outcome& outcome);
[[nodiscard]] ReportProgress report_of(TaskId id, const FencingToken& token,
                                       ProgressReport progress);

// An attempt for a worker; owns what the handler is shown.
struct WorkerJob {
  std::shared_ptr<const Handler> handler;
  TaskId id;
  FencingToken token;
  std::uint32_t number = 0;
  Time deadline;
  std::string kind;
  std::uint32_t version = 0;
  std::string payload;
  std::vector<EndedDependency> dependencies;
  std::vector<AttemptModel> models = {};
  std::stop_token stop;
};

// A probe for a worker.
struct ProbeJob {
  std::shared_ptr<const Probe> probe;
  std::string kind;
  std::string implementation;
};

// Owned by the engine's attempts; one thread starts jobs.
class Workers {
 public:
  // `report` is called on a worker's thread: once per job with FinishAttempt or ReportProbe, before
  // that with ReportProgress as often as a handler tells some. The log is that of the dependencies.
  Workers(const LogPort& log, std::function<void(Command)> report)
      : log_(log), report_(std::move(report)) {}
  // Waits for the handlers that still run.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // Never waits, and no job waits for another: there is a thread for each. They wake each other,
  // one at a time, as long as there are jobs: where handlers return at once few have to.
  void start(std::vector<WorkerJob> jobs);
  void start(ProbeJob job);
  // A job may come in a moment: a thread that would have to be woken for it is woken now and looks
  // out for it.
  void expect_job();

 private:
  using Job = std::variant<WorkerJob, ProbeJob>;
  void put(std::vector<Job> jobs);
  void work();
  void look_out(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] bool wakes_another();
  [[nodiscard]] Command run(const WorkerJob& job) const;
  [[nodiscard]] Command run(const ProbeJob& job) const;

  const LogPort& log_;
  std::function<void(Command)> report_;
  std::atomic<bool> has_come_ = false;  // what is looked out for
  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Job> jobs_;      // guarded by mutex_
  std::size_t busy_ = 0;      // guarded by mutex_, as are: threads with a job
  std::size_t idle_ = 0;      // threads that wait
  bool waking_ = false;       // one of those was notified and is on its way, or looks out
  bool is_expected_ = false;  // a job, by the thread that was woken
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace almanac
