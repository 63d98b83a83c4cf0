// A row of the table of tests/tools/bad_input_test.cc: something that can be asked for wrongly.
#pragma once

#include <almanac/tests/support/bad_place.h>

#include <almanac/tools/exit_code.h>

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

namespace almanac::test {

enum class After : std::uint8_t {
  same_bytes,
  same_tasks,  // the file may have been written to, in places that nothing refers to
  whole,       // the log in full/log was opened, and can be verified where the disk is full
};

struct Row {
  std::string claim;
  std::vector<std::string> arguments;
  ExitCode code;
  std::vector<std::string> says;
  Prepare prepare = nothing;
  After after = After::same_bytes;
};

inline void PrintTo(const Row& row, std::ostream* out) { *out << row.claim; }

// The rows about `almanac log`.
[[nodiscard]] const std::vector<Row>& bad_log_lines();

}  // namespace almanac::test
