#include <almanac/tools/exit_code.h>

#include <almanac/tools/text.h>

#include <cstdio>

namespace almanac {

ExitCode exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid: return ExitCode::usage;
    case ErrorCode::not_found: return ExitCode::not_found;
    case ErrorCode::conflict: return ExitCode::conflict;
    case ErrorCode::busy:
    case ErrorCode::refused:
    case ErrorCode::stopped:
    case ErrorCode::newer_format: return ExitCode::refused;
    case ErrorCode::corrupt: return ExitCode::corrupt;
    case ErrorCode::io: return ExitCode::work_failed;
    case ErrorCode::storage_full: return ExitCode::storage_full;
    case ErrorCode::unknown_outcome: return ExitCode::unknown_outcome;
  }
  return ExitCode::work_failed;
}

ExitCode report(const Error& error) {
  std::fprintf(stderr, "almanac: %s\n", printable(error.message).c_str());
  if (!error.next_step.empty()) {
    std::fprintf(stderr, "  %s\n", printable(error.next_step).c_str());
  }
  return exit_code(error.code);
}

}  // namespace almanac
