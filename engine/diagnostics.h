// What the engine, and a program around it, say of themselves to the person who runs them: lines on
// standard error and, where one is set, in a file that rotates, for people or for programs. Never
// any task's payload, result or arguments, and no secret.
//
// Any thread. A line costs its text and a place in a queue: threads of their own write, and what
// finds the queue full is dropped and counted, so that nobody who logs waits for a disk or a
// terminal. What waits at the end of the process is written. Control characters in texts are
// escaped: a line is one line, whatever stands in it.
#pragma once

#include <almanac/engine/limits.h>
#include <almanac/log/error.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string_view>
#include <variant>

namespace almanac {

enum class LogLevel : std::uint8_t { debug, info, warning, error, off };
inline constexpr int log_level_count = 4;  // without off
enum class LogFormat : std::uint8_t { human, json };
inline constexpr int log_format_count = 2;
[[nodiscard]] std::string_view name(LogLevel level);
[[nodiscard]] std::string_view name(LogFormat format);

// What standard error is shown. Of the whole process; the default is warnings.
enum class Verbosity : std::uint8_t { quiet, warnings, everything };
void set_verbosity(Verbosity verbosity);

// Lines for people are
//   2026-11-22T09:40:11.123456Z almanac warning: TEXT (task 7, attempt 1, OPERATION) NAME=VALUE …
// those for programs one JSON object each: time, level, message and, where they are known, task,
// attempt, operation and fields. Times are UTC.
struct LogFile {
  std::filesystem::path path;  // empty = none; only its owner may read it
  LogFormat format = LogFormat::human;
  LogLevel level = LogLevel::info;  // and what is worse
  // Past so many bytes a file moves on: "build.log" becomes "build.1.log", and so on. The oldest
  // goes when there would be more. The same holds of the errors.
  std::size_t bytes_max = limits::log_file_bytes_max;
  std::size_t files_max = limits::log_files_max;
};
// "build.errors.log" beside "build.log": errors alone.
[[nodiscard]] std::filesystem::path errors_file(const std::filesystem::path& path);
// From now on, instead of the one before, which is whole when this returns. Errors: those of
// opening a file.
[[nodiscard]] Result<void> set_log_file(const LogFile& file);

// Waits until what was logged before is written.
void flush_log();
// Lines that never were, in this process.
[[nodiscard]] std::uint64_t log_lines_dropped();

// Something to be said beside the text, by a name.
struct LogField {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, double, bool> value;
};
using LogFields = std::initializer_list<LogField>;

void log_message(LogLevel level, std::string_view text, LogFields fields = {});
inline void note(std::string_view text, LogFields fields = {}) {
  log_message(LogLevel::info, text, fields);
}
inline void warn(std::string_view text, LogFields fields = {}) {
  log_message(LogLevel::warning, text, fields);
}

}  // namespace almanac
