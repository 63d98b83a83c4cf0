// Handlers written in C++: functions that run tasks of one kind on threads of the engine.
#pragma once

#include <almanac/engine/memory_spec.h>
#include <almanac/log/error.h>
#include <almanac/log/fencing_token.h>
#include <almanac/projections/lifecycle.h>

#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace almanac {

// What a task that another depends on has come to.
struct DependencyResult {
  TaskId id;
  TaskState state = TaskState::succeeded;
  std::string result;  // of its last attempt, which need not have succeeded
  std::string output;  // of a command
};

// How far an attempt is. Kept in the log, so tell it when something is worth keeping.
struct ProgressReport {
  double fraction = 0;  // of the work: 0 to 1
  std::string message;  // at most 4 KiB; the rest is cut off
  std::string partial;  // of the result: at most 64 KiB; more is left out
  bool is_last = false;  // is kept however soon it comes behind the one before
};

// A model that a task names, and the GPU it is loaded to, by its identity. Or memory that it asks
// for, and the GPU it has it of: without a name, then.
struct AttemptModel {
  std::string name;
  std::string gpu;
  std::uint64_t bytes = 0;  // that it asks for
  bool operator==(const AttemptModel&) const = default;
};

// What a handler is told about the attempt it runs. Lives until the handler returns.
struct Attempt {
  TaskId id;
  FencingToken token;        // its lease is larger than that of every earlier attempt
  std::uint32_t number = 0;  // 1, 2, 3 …
  Time deadline;             // not set = none
  std::string_view kind;
  std::uint32_t version = 0;  // TaskSpec::version
  Bytes payload;
  std::span<const AttemptModel> models;  // that its task names; loaded for as long as it runs
  std::stop_token stop;  // asked for on timeout, on cancel and when the engine stops
  // Tells how far it is. Returns at once; what is told within a second of the last is dropped.
  std::function<void(ProgressReport)> progress;
  // Those it depends on, in the order of its submission, without those that retention has removed.
  // Reads the log. Errors: those of Log::read_one.
  std::function<Result<std::vector<DependencyResult>>()> dependencies;
};

// What a handler answers.
class Outcome {
 public:
  // `result` is kept in the log. At most 4 MiB; more is a failure.
  [[nodiscard]] static Outcome success(std::string result = {}) {
    return {Kind::success, std::move(result)};
  }
  // `message` says why, in one sentence, for the person who reads `almanac show`.
  [[nodiscard]] static Outcome failure(std::string message) {
    return {Kind::failure, std::move(message)};
  }
  // The same, where another attempt would fail as well: the task has failed, whatever is left.
  [[nodiscard]] static Outcome permanent_failure(std::string message) {
    return {Kind::permanent_failure, std::move(message)};
  }
  // Of a failure: when the next attempt begins, if one is left, in place of the task's backoff.
  [[nodiscard]] Outcome retrying_at(Time time) && {
    until_ = time;
    return std::move(*this);
  }
  // Of a failure: what a program may want to read of it, kept beside the message as the result of
  // the attempt. Over 4 MiB it is left out.
  [[nodiscard]] Outcome with_details(std::string details) && {
    details_ = std::move(details);
    return std::move(*this);
  }
  // No end: the task is to be run again then. The attempt does not count.
  [[nodiscard]] static Outcome snooze(Time until) { return {Kind::snooze, {}, until}; }

  // The same, because a service said that it is asked too often (429, Retry-After): there are no
  // tokens before `until` of the limits with a rate that the task asks for, or of this one. Nor is
  // it a failure of the service.
  [[nodiscard]] static Outcome rate_limited(Time until, std::string service = {}) {
    return {Kind::rate_limited, std::move(service), until};
  }

  // Of a success: entries that are stored with the end of the task in one append, or, where one of
  // them is not as it must be, none of them and the attempt has failed. At most 1,000, of 8 MiB.
  [[nodiscard]] Outcome remembering(std::vector<MemorySpec> memories) && {
    memories_ = std::move(memories);
    return std::move(*this);
  }

  [[nodiscard]] bool succeeded() const { return kind_ == Kind::success; }
  [[nodiscard]] bool is_permanent() const { return kind_ == Kind::permanent_failure; }
  [[nodiscard]] bool is_rate_limited() const { return kind_ == Kind::rate_limited; }
  // Not set = it has ended.
  [[nodiscard]] Time snooze_until() const { return has_failed() ? Time() : until_; }
  // Not set = by the backoff of the task.
  [[nodiscard]] Time retry_at() const { return has_failed() ? until_ : Time(); }
  [[nodiscard]] const std::string& details() const { return details_; }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::vector<MemorySpec>& memories() const { return memories_; }

 private:
  enum class Kind : std::uint8_t { success, failure, permanent_failure, snooze, rate_limited };
  Outcome(Kind kind, std::string text, Time until = {})
      : kind_(kind), text_(std::move(text)), until_(until) {}
  [[nodiscard]] bool has_failed() const {
    return kind_ == Kind::failure || kind_ == Kind::permanent_failure;
  }
  Kind kind_;
  std::string text_;
  Time until_;
  std::string details_;
  std::vector<MemorySpec> memories_;
};

// Runs on a thread of the engine, for several tasks at once. An exception is a failure with its
// text. A handler that ignores `stop` keeps its thread, but its late answer is refused.
using Handler = std::function<Outcome(const Attempt&)>;

// Whether an implementation can be used: a success, or a failure that says why not. Runs on a
// thread of the engine, one at a time for each implementation; one that takes longer than 10
// seconds says no until it returns, and keeps the end of the engine waiting. An exception is a
// failure with its text.
using Probe = std::function<Outcome()>;

// One of several ways to run the tasks of a kind (Engine::handle).
struct Implementation {
  std::string name = {};
  Handler handler = {};
  // Asked at the beginning, in every interval, and at once when an attempt has failed; while it
  // says no at intervals that double, up to a minute. Empty = it can always be used.
  Probe probe = {};
  Duration probe_interval = std::chrono::seconds(5);
  // Failed attempts of a task after which the next one is used. Up to then a failure is an attempt
  // that counts, and the wait before the next grows as it does for all tasks.
  std::uint32_t attempts = 1;
};

}  // namespace almanac
