// Decisions about limits.
#pragma once

#include <almanac/engine/decision.h>

#include <string_view>

namespace almanac {

// No event when the limit is set so already. Errors: invalid.
[[nodiscard]] Result<Decision> decide_one(const State& state, const ConfigureLimit& command,
                                          const DecideContext& context);

// Takes the tokens when they are there; answers whether. Errors: invalid, refused (more than the
// limit ever has).
[[nodiscard]] Result<Decision> decide_one(const State& state, const TakeTokens& command,
                                          const DecideContext& context);

// From now on the bucket of the service is empty until then.
[[nodiscard]] Result<Decision> decide_one(const State& state, const ReportRateLimit& command,
                                          const DecideContext& context);

// Of a setting that is to hold for one name, for a family ("FAMILY:*") or for all ("*"). `what` is
// what it is the name of. Errors: invalid.
[[nodiscard]] Result<void> check_set_name(std::string_view what, const std::string& name);

// Whether a task that asks for this can ever run as the limits are. Errors: invalid, not_found (a
// name with neither a limit nor a circuit), refused (more than there is).
[[nodiscard]] Result<void> check_demands(const State& state,
                                         const std::vector<TaskDemand>& demands);
// With the memory of a GPU that it asks for, where it does.
[[nodiscard]] std::vector<TaskDemand> demands_of(const TaskSpec& spec);

}  // namespace almanac
