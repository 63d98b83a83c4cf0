#include <almanac/log/error.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace almanac {

std::string_view name(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid: return "invalid";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::conflict: return "conflict";
    case ErrorCode::busy: return "busy";
    case ErrorCode::refused: return "refused";
    case ErrorCode::stopped: return "stopped";
    case ErrorCode::newer_format: return "newer_format";
    case ErrorCode::corrupt: return "corrupt";
    case ErrorCode::io: return "io";
    case ErrorCode::storage_full: return "storage_full";
    case ErrorCode::unknown_outcome: return "unknown_outcome";
  }
  return "unknown";
}

std::string describe(const Error& error) {
  return error.next_step.empty() ? error.message : error.message + "; " + error.next_step;
}

std::unexpected<Error> fail_errno(int error_number, std::string_view what, std::string next_step) {
  ErrorCode code = ErrorCode::io;
  if (error_number == ENOSPC || error_number == EDQUOT) code = ErrorCode::storage_full;
  if (error_number == EACCES || error_number == EPERM || error_number == EROFS) {
    code = ErrorCode::refused;
  }
  std::string message = "cannot " + std::string(what) + ": " + std::strerror(error_number);
  return fail(code, std::move(message), std::move(next_step));
}

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "almanac: broken promise at %s:%d: %s\n", file, line, condition);
  std::abort();
}

}  // namespace almanac
