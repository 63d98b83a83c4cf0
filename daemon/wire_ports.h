// What those who perform requests need of the server that runs them.
#pragma once

#include <almanac/engine/engine.h>
#include <almanac/log/types.h>

#include <functional>

namespace almanac {

struct WirePorts {
  // Has it called on the server's thread; false where that has ended, and it is not called. Any
  // thread.
  std::function<bool(std::function<void()>)> post;
  // Has it called there after some time. On the server's thread.
  std::function<void(Duration, std::function<void()>)> after;
  // Has it called on a thread beside it that may wait for a disk, one after the other. On the
  // server's thread.
  std::function<void(std::function<void()>)> aside;
  // What time it is.
  std::function<Time()> now = system_time;
};

}  // namespace almanac
