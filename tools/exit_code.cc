#include <almanac/tools/exit_code.h>

#include <almanac/tools/text.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>

namespace almanac {

ExitCode exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid: return ExitCode::usage;
    case ErrorCode::not_found: return ExitCode::not_found;
    case ErrorCode::conflict: return ExitCode::conflict;
    case ErrorCode::busy:
    case ErrorCode::refused:
    case ErrorCode::stopped:
    case ErrorCode::timed_out:
    case ErrorCode::rate_limited:
    case ErrorCode::newer_format: return ExitCode::refused;
    case ErrorCode::corrupt: return ExitCode::corrupt;
    case ErrorCode::io:
    case ErrorCode::out_of_memory:
    case ErrorCode::gpu_memory:
    case ErrorCode::model_loading:
    case ErrorCode::reasoning:
    case ErrorCode::routing: return ExitCode::work_failed;
    case ErrorCode::storage_full: return ExitCode::storage_full;
    case ErrorCode::unknown_outcome: return ExitCode::unknown_outcome;
  }
  return ExitCode::work_failed;
}

namespace {

// Where the error itself knows no better.
std::string_view next_step(ErrorCode code) {
  switch (code) {
    case ErrorCode::refused: return "do it as a user who may, or change who may with chmod";
    case ErrorCode::corrupt: return "run `almanac log verify` to see how far the log is whole";
    case ErrorCode::storage_full: return "free some space and try again";
    case ErrorCode::newer_format: return "use the version of Almanac that wrote it, or a later one";
    default: return {};
  }
}

void print(const char* kind, const Error& error) {
  auto help = error.next_step.empty() ? std::string(next_step(error.code)) : error.next_step;
  std::fprintf(stderr, "almanac: %s%s\n", kind, printable(error.message).c_str());
  for (const Error* cause = error.cause(); cause != nullptr; cause = cause->cause()) {
    std::fprintf(stderr, "  because %s\n", printable(cause->message).c_str());
  }
  // A mark below a place in a text is a line of its own.
  for (std::size_t begin = 0; begin < help.size();) {
    const auto end = std::min(help.find('\n', begin), help.size());
    std::fprintf(stderr, "  %s\n", printable(help.substr(begin, end - begin)).c_str());
    begin = end + 1;
  }
}

}  // namespace

ExitCode report(const Error& error) {
  print("", error);
  return exit_code(error.code);
}

void report_warning(const Error& error) { print("warning: ", error); }

}  // namespace almanac
