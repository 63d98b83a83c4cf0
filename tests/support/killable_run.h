// An `almanac run` that is watched from outside, through what it prints and through every write to
// its log, and killed at a chosen moment.
#pragma once

#include <almanac/log/file.h>

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace almanac::test {

// `delay` after the run was started, or after it has printed so many lines, or after so many writes
// or commits have reached the log's file.
struct KillMoment {
  enum class After : std::uint8_t { start, line, log_write, commit };
  After after = After::start;
  std::uint64_t count = 0;
  std::chrono::microseconds delay{0};
};
[[nodiscard]] std::string describe(const KillMoment& moment);

// Its process is a child of this one, to be waited for by the owner (see Orphans).
class KillableRun {
 public:
  using OnLine = std::function<void(const std::string&)>;
  // Starts the command, whose log is or will be in `folder`. What is written there is seen only
  // when the folder exists; without, a moment after a write is one after the start.
  KillableRun(const std::vector<std::string>& command, const std::filesystem::path& folder,
              OnLine on_line);
  KillableRun(const KillableRun&) = delete;
  KillableRun& operator=(const KillableRun&) = delete;

  [[nodiscard]] pid_t process() const { return process_; }
  enum class End : std::uint8_t {
    killed,
    by_itself,  // it closed its output before the moment came
    stalled     // nothing happened for longer than anything may take; it was killed
  };
  // Kills it at the moment; without one it goes on to its end.
  End kill_at(std::optional<KillMoment> moment);
  // Once it is gone: the lines it had printed and nobody had read.
  void read_rest();
  // From the start to the first line, or nothing when there was none.
  [[nodiscard]] std::optional<std::chrono::microseconds> first_line_after() const;

 private:
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] std::optional<Clock::time_point> deadline_of(const KillMoment& moment) const;
  bool read_lines();
  void watch_log();
  void count_log_writes();
  [[nodiscard]] std::string read_heads() const;
  bool wait_until(Clock::time_point deadline);

  OnLine on_line_;
  std::filesystem::path log_folder_;
  pid_t process_ = 0;
  FileDescriptor output_;
  FileDescriptor watch_;
  std::string unread_;
  bool closed_ = false;
  std::uint64_t lines_ = 0;
  std::uint64_t log_writes_ = 0;
  std::string heads_;  // as they were last
  std::uint64_t commits_ = 0;
  Clock::time_point started_;
  std::optional<Clock::time_point> first_line_;
};

}  // namespace almanac::test
