#include <almanac/daemon/work_threads.h>

#include <almanac/log/this_thread.h>

#include <utility>

namespace almanac {

WorkThreads::WorkThreads(const char* name, std::size_t threads, std::size_t waiting_max)
    : waiting_max_(waiting_max) {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this, name] {
      this_thread::set_name(name);
      run();
    });
  }
}

WorkThreads::~WorkThreads() {
  {
    std::lock_guard guard(mutex_);
    ends_ = true;
    waiting_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool WorkThreads::post(std::function<void()> work) {
  {
    std::lock_guard guard(mutex_);
    if (ends_ || waiting_.size() >= waiting_max_) return false;
    waiting_.push_back(std::move(work));
  }
  changed_.notify_one();
  return true;
}

void WorkThreads::run() {
  while (true) {
    std::function<void()> work;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ends_ || !waiting_.empty(); });
      if (ends_) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work();
  }
}

}  // namespace almanac
