// What a run says of itself in a file, as it is typed.
#pragma once

#include <almanac/log/error.h>
#include <almanac/tools/command_line.h>

#include <string>

namespace almanac {

struct RunLog {
  std::string file;    // empty = none
  std::string format;  // empty = human
  std::string level;   // empty = info
};

// --log-file, --log-format, --log-level.
void add_log_options(OptionSet& options, RunLog& log);
// From now on. Errors: invalid (no such format or level, or they have no file), and those of
// set_log_file().
[[nodiscard]] Result<void> begin_log(const RunLog& log);

}  // namespace almanac
