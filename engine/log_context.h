// What a thread is doing, as it stands in every line that is logged there (diagnostics.h): of
// which task and attempt it is, and which operation. The engine says so around handlers, probes and
// backups; a program goes on from there, also on other threads:
//
//   almanac::LogScope scope("search", {{"index", "books"}});
//   pool.post(almanac::in_log_context([] { almanac::note("found nothing"); }));
#pragma once

#include <almanac/log/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace almanac {

// A value: it can be kept, handed to another thread and be taken up there.
struct LogContext {
  TaskId task = {};           // 0 = of none
  std::uint32_t attempt = 0;  // 1, 2, 3 …; 0 = of none
  std::string operation = {};
  std::vector<std::pair<std::string, std::string>> fields = {};

  bool operator==(const LogContext&) const = default;
};

// Of this thread, now.
[[nodiscard]] LogContext log_context();

// Until it ends this is what the thread that made it does; then it does what it did before. Scopes
// of a thread end in the reverse order. A coroutine that may be resumed by another thread keeps a
// context over co_await, and no scope.
class [[nodiscard]] LogScope {
 public:
  explicit LogScope(LogContext context);
  // Within what the thread does already: the same task and attempt, and its fields before these.
  explicit LogScope(std::string operation,
                    std::vector<std::pair<std::string, std::string>> fields = {});
  ~LogScope();
  LogScope(const LogScope&) = delete;
  LogScope& operator=(const LogScope&) = delete;

 private:
  LogContext context_;
  const LogContext* before_;
};

// `function`, to be called anywhere and at any time, as if it were called now.
template <class Function>
[[nodiscard]] auto in_log_context(Function function) {
  return [context = log_context(), function = std::move(function)](auto&&... arguments) mutable {
    LogScope scope(context);
    return function(std::forward<decltype(arguments)>(arguments)...);
  };
}

}  // namespace almanac
