// Opens a log as after a power loss, reads and verifies all of it, and goes on with it.
#pragma once

#include <almanac/tests/disk/recording.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace almanac::test {

enum class Problem : std::uint8_t {
  none,
  unopenable,  // Log::open for writing gives an error
  damaged,     // reading or verifying gives one
  stuck,       // appending, closing and opening again does
  unstable,    // what was read once is not what is read the second time
};
[[nodiscard]] std::string_view name(Problem problem);

struct FoundLog {
  Problem problem = Problem::none;
  std::string text;           // the error
  std::uint64_t events = 0;   // as found: the last position
  std::uint64_t content = 0;  // content_behind() all of them
  std::uint64_t base = 0;     // but for those up to here, which were removed
};

// `recorder`, where there is one, is told what a user of the log would know.
[[nodiscard]] FoundLog check_log(const std::filesystem::path& folder, Recorder* recorder = nullptr);

}  // namespace almanac::test
