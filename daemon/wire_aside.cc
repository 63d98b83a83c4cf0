#include <almanac/daemon/wire_aside.h>

#include <utility>

namespace almanac {

WireAside::WireAside() : thread_([this] { run(); }) {}

WireAside::~WireAside() {
  {
    std::lock_guard guard(mutex_);
    ends_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void WireAside::call(std::function<void()> function) {
  {
    std::lock_guard guard(mutex_);
    calls_.push_back(std::move(function));
  }
  changed_.notify_one();
}

void WireAside::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return ends_ || !calls_.empty(); });
    if (calls_.empty()) return;
    auto function = std::move(calls_.front());
    calls_.pop_front();
    lock.unlock();
    function();
    function = nullptr;
    lock.lock();
  }
}

}  // namespace almanac
