// Handlers written in C++: functions that run tasks of one kind on threads of the engine.
#pragma once

#include <almanac/log/fencing_token.h>

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

namespace almanac {

// What a handler is told about the attempt it runs. Lives until the handler returns.
struct Attempt {
  TaskId id;
  FencingToken token;        // its lease is larger than that of every earlier attempt
  std::uint32_t number = 0;  // 1, 2, 3 …
  Time deadline;             // not set = none
  std::string_view kind;
  Bytes payload;
  std::stop_token stop;  // asked for on timeout, on cancel and when the engine stops
};

// What a handler answers.
class Outcome {
 public:
  // `result` is kept in the log. At most 4 MiB; more is a failure.
  [[nodiscard]] static Outcome success(std::string result = {}) {
    return Outcome(true, std::move(result));
  }
  // `message` says why, in one sentence, for the person who reads `almanac show`.
  [[nodiscard]] static Outcome failure(std::string message) {
    return Outcome(false, std::move(message));
  }
  [[nodiscard]] bool succeeded() const { return succeeded_; }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  Outcome(bool succeeded, std::string text) : succeeded_(succeeded), text_(std::move(text)) {}
  bool succeeded_;
  std::string text_;
};

// Runs on a thread of the engine, for several tasks at once. An exception is a failure with its
// text. A handler that ignores `stop` keeps its thread, but its late answer is refused.
using Handler = std::function<Outcome(const Attempt&)>;

}  // namespace almanac
