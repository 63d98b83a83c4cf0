// Errors as values: what went wrong, in a sentence, and what the reader can do next.
// Functions that can fail for reasons outside the program return Result<T>; a broken promise of
// our own stops the program through ALMANAC_CHECK, in release builds too.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace almanac {

// Grouped by when they can happen; the command line maps each to one exit code.
enum class ErrorCode : std::uint8_t {
  // Before anything was changed.
  invalid,       // the request itself makes no sense
  not_found,     // it names something that is not there
  conflict,      // it contradicts what is there, or someone else holds it
  busy,          // too much waits already; try again
  refused,       // a rule or a limit says no
  stopped,       // the engine is stopping or has stopped
  newer_format,  // written by a newer version of Almanac
  // While reading.
  corrupt,  // the bytes are not the ones that were written
  io,       // the operating system said no
  // While writing.
  storage_full,     // the disk, the map or the quota is full; nothing was changed
  unknown_outcome,  // it may or may not be on disk; the next open decides
};

[[nodiscard]] std::string_view name(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::invalid;
  std::string message;    // one sentence, without a final full stop
  std::string next_step;  // what to do about it; may be empty when the message says it
};

template <class T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string message,
                                                 std::string next_step = {}) {
  return std::unexpected(Error{code, std::move(message), std::move(next_step)});
}

// "message; next step" for logs and terminals.
[[nodiscard]] std::string describe(const Error& error);

// An error for a failed system call: "cannot WHAT: text of errno". ENOSPC and EDQUOT become
// storage_full, EACCES, EPERM and EROFS become refused, all others io.
[[nodiscard]] std::unexpected<Error> fail_errno(int error_number, std::string_view what,
                                                std::string next_step = {});

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace almanac

// Stops the program when one of our own promises is broken.
#define ALMANAC_CHECK(condition) \
  ((condition) ? void(0) : ::almanac::check_failed(#condition, __FILE__, __LINE__))
