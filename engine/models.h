// Decisions about models: what there is, and what their loads and unloads come to.
#pragma once

#include <almanac/engine/decision.h>

namespace almanac {

// What its commands have loaded stays theirs until it is gone, though it is registered with
// functions: then these are on record, in the same decision. Errors: invalid.
[[nodiscard]] Result<Decision> decide_one(const State& state, const RegisterModel& command,
                                          const DecideContext& context);
// Errors: not_found.
[[nodiscard]] Result<Decision> decide_one(const State& state, const ChangeModel& command,
                                          const DecideContext& context);
// Errors: not_found, conflict (it is loaded).
[[nodiscard]] Result<Decision> decide_one(const State& state, const RemoveModel& command,
                                          const DecideContext& context);
// A step that is not the next one of the model is refused, and so is a load to a GPU that is not
// there, or an eviction of one that has to stay by now. What was loaded while its GPU went has
// failed. Errors: not_found, conflict.
[[nodiscard]] Result<Decision> decide_one(const State& state, const ReportModel& command,
                                          const DecideContext& context);

}  // namespace almanac
