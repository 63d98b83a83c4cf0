// Batches that will be one frame: between append() and the disk. Internal to the writer.
#pragma once

#include <almanac/log/event.h>
#include <almanac/log/journal.h>
#include <almanac/log/types.h>

#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace almanac {

struct PendingFrame {
  Position first;
  Position last;
  Space space = Space::ordinary;
  BatchCost cost;
  std::vector<std::shared_ptr<const EventBatch>> batches;
  std::size_t posted = 0;                          // callers that do not wait
  bool urgent = false;                             // somebody waits for the disk
  std::chrono::steady_clock::time_point write_by;  // when nobody does

  // All that follows is settled once `done` is not 0, and not touched again. It is 2 once those who
  // wait for it have been woken.
  std::atomic<std::uint32_t> done = 0;
  std::optional<Error> error;                    // none when it is on disk
  std::vector<std::coroutine_handle<>> resumes;  // guarded by the writer's mutex until then
};

}  // namespace almanac
