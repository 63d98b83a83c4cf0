// How a command of the command line ends: one number for each kind of end, and the error in words.
#pragma once

#include <almanac/log/error.h>

namespace almanac {

enum class ExitCode : int {
  ok = 0,
  work_failed = 1,  // a task failed or was cancelled; nothing was found; or the system said no
  usage = 2,
  not_found = 3,
  conflict = 4,
  no_daemon = 5,
  corrupt = 6,
  refused = 7,
  unknown_outcome = 8,
  storage_full = 9,
};

[[nodiscard]] ExitCode exit_code(ErrorCode code);

// Prints "almanac: MESSAGE" and the next step below it on standard error.
ExitCode report(const Error& error);
// Of what is no reason to end: "almanac: warning: MESSAGE".
void report_warning(const Error& error);

}  // namespace almanac
