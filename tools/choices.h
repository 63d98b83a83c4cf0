// Words that are typed for one of a few things.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/events/task.h>

#include <string_view>

namespace almanac {

// Errors: invalid; the next step lists what there is.
[[nodiscard]] Result<DependencyCondition> condition_from(std::string_view word);
[[nodiscard]] Result<RetryPolicy> retry_policy_from(std::string_view word);

}  // namespace almanac
