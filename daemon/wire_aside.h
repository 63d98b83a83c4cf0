// A thread beside a server's, for calls that wait for a disk: one after the other, in their order.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace almanac {

class WireAside {
 public:
  WireAside();
  // Finishes what it was given.
  ~WireAside();
  WireAside(const WireAside&) = delete;
  WireAside& operator=(const WireAside&) = delete;

  // Any thread.
  void call(std::function<void()> function);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> calls_;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace almanac
