// The threads on which C++ handlers run: as many as attempts run at once, kept for the next ones.
#pragma once

#include <almanac/engine/command.h>
#include <almanac/engine/handler.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace almanac {

// An attempt for a worker; owns what the handler is shown.
struct WorkerJob {
  std::shared_ptr<const Handler> handler;
  TaskId id;
  FencingToken token;
  std::uint32_t number = 0;
  Time deadline;
  std::string kind;
  std::string payload;
  std::stop_token stop;
};

// Owned by the engine's attempts; one thread starts jobs.
class Workers {
 public:
  // `finished` is called on a worker's thread, once per job.
  explicit Workers(std::function<void(FinishAttempt)> finished) : finished_(std::move(finished)) {}
  // Waits for the handlers that still run.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // Never waits, and no job waits for another: there is a thread for each. They wake each other,
  // one at a time, as long as there are jobs: where handlers return at once few have to.
  void start(WorkerJob job);

 private:
  void work();
  void wake_another();

  std::function<void(FinishAttempt)> finished_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<WorkerJob> jobs_;  // guarded by mutex_
  std::size_t busy_ = 0;        // guarded by mutex_, as are: threads with a job
  std::size_t idle_ = 0;        // threads that wait
  bool waking_ = false;         // one of those was notified and is on its way
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace almanac
