// What `co_await log.append_async(…)` waits on. Part of log.h.
#pragma once

#include <almanac/log/append.h>
#include <almanac/log/error.h>

#include <coroutine>
#include <utility>

namespace almanac {

class Writer;

// Made by Log::append_async, awaited at once.
class [[nodiscard]] AppendAwaiter {
 public:
  AppendAwaiter(Writer* writer, Result<AppendTicket> ticket)
      : writer_(writer), ticket_(std::move(ticket)) {}

  [[nodiscard]] bool await_ready() const;
  [[nodiscard]] bool await_suspend(std::coroutine_handle<> handle) const;
  [[nodiscard]] Result<Appended> await_resume();

 private:
  Writer* writer_;  // none where the ticket is an error
  Result<AppendTicket> ticket_;
};

}  // namespace almanac
