// A job of the wire and a task of Almanac, one made of the other. The task keeps the job's text as
// it came, so that what a worker is given has every byte of `args` and `custom`.
#pragma once

#include <almanac/engine/task_spec.h>
#include <almanac/log/error.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace almanac {

// Every task that came over the wire has this tag: FLUSH and MUTATE are about these alone.
inline constexpr std::string_view wire_tag = "faktory";
inline constexpr std::int64_t wire_retry_default = 25;
inline constexpr std::chrono::seconds wire_reserve_default{1'800};
inline constexpr std::chrono::seconds wire_reserve_min{60};
inline constexpr std::chrono::seconds wire_reserve_max{86'400};
// Of a job that is tracked: it may ask for more time again and again, and no longer than this.
inline constexpr std::chrono::hours wire_tracked_max{7 * 24};

// The views are slices of the text it was read from, and die with that.
struct WireJob {
  std::string jid;
  std::string jobtype;
  std::string queue = "default";
  std::string_view args;
  std::string_view custom;  // empty = there is none
  std::int64_t retry = wire_retry_default;
  std::int64_t reserve_for = 0;  // seconds; 0 = not said
  std::int64_t backtrace = 0;
  std::string created_at;  // as they were written; empty = not said
  std::string at;
  Time due = {};  // what `at` says; not set = at once

  // What `custom` says to the server.
  Duration unique_for{0};  // 0 = there may be any number of it
  bool unique_until_start = false;
  Time expires_at = {};  // not set = never
  bool is_tracked = false;
  std::string batch;  // the one it belongs to; empty = none

  [[nodiscard]] Duration reserved_for() const;
  // How often it is tried in all.
  [[nodiscard]] std::uint16_t attempts() const;
};

// A job that names no jid has `jid`. Errors: invalid, with the sentence that clients know.
[[nodiscard]] Result<WireJob> parse_wire_job(std::string_view json, std::string_view jid = {});
// Of a task whose text names none.
[[nodiscard]] std::string wire_jid_of(TaskId id);
// The tag of a job that is tracked, by which it is found.
[[nodiscard]] std::string wire_track_tag(std::string_view jid);
[[nodiscard]] TaskSpec task_of(const WireJob& job, std::string text);

// What a job has gone through, told with it.
struct WireJobTimes {
  Time created_at;   // unless the job says so itself
  Time enqueued_at;  // not set = it is not queued
};
// The job as a worker or a filter sees it. `failure` is an object of JSON, or empty.
[[nodiscard]] std::string wire_job_json(const WireJob& job, const WireJobTimes& times,
                                        std::string_view failure = {});

// What FAIL says of an attempt.
struct WireFault {
  std::string jid;
  std::string errtype = "unknown";
  std::string message = "unknown";
  std::string backtrace;  // a list as JSON; empty = none
};
// Cut to what is kept. Errors: invalid.
[[nodiscard]] Result<WireFault> parse_wire_fault(std::string_view json);

// `failure` of a job after one more attempt that failed.
struct WireFailure {
  std::int64_t retry_count = 0;
  std::int64_t remaining = 0;
  Time failed_at;  // for the first time
  Time next_at;    // not set = it is not tried again
  WireFault fault;
};
[[nodiscard]] std::string wire_failure_json(const WireFailure& failure);

}  // namespace almanac
