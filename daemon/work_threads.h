// A few threads that do what must not be done on a loop: reading that takes its time, or waiting.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace almanac {

// Any thread may post. Ends with what it has begun: what waits then is dropped.
class WorkThreads {
 public:
  WorkThreads(const char* name, std::size_t threads, std::size_t waiting_max);
  ~WorkThreads();
  WorkThreads(const WorkThreads&) = delete;
  WorkThreads& operator=(const WorkThreads&) = delete;

  // False when too much waits already.
  [[nodiscard]] bool post(std::function<void()> work);

 private:
  void run();

  const std::size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;  // guarded by mutex_
  bool ends_ = false;                          // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace almanac
