// Where the recorded traces are that some tests take their workload from, when somebody said so.
#pragma once

#include <filesystem>
#include <optional>

namespace almanac::test {

// ALMANAC_TRACE_DIR; none where it is not set, or set to nothing.
[[nodiscard]] std::optional<std::filesystem::path> recorded_traces();

}  // namespace almanac::test
