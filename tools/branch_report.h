// What a command that makes a new timeline is told, and what it prints about it.
#pragma once

#include <almanac/snapshots/branch.h>

#include <nlohmann/json_fwd.hpp>

#include <string_view>

namespace almanac {

// "cancel" or "requeue", as --running takes it. Errors: invalid.
[[nodiscard]] Result<RunningTasks> parse_running(std::string_view name);

// Lines for people.
void print(const BranchReport& report);
// {"timeline": …, "origin": …, "last": …, "cancelled": …, "requeued": …}
[[nodiscard]] nlohmann::ordered_json json_of(const BranchReport& report);

}  // namespace almanac
