// Decisions about components: what is wrong, what is tried against it next and when, when to give
// up, and which implementation is used meanwhile. Looking and repairing is engine/healer.h.
#pragma once

#include <almanac/engine/decision.h>

#include <optional>
#include <vector>

namespace almanac {

// What a start has to say: that a repair was cut off by the death of the engine that made it, and
// what this one keeps.
[[nodiscard]] std::vector<Event> decide_components(const State& state, const StartEngine& command,
                                                   const DecideContext& context);

// Nothing while it is repaired, or is not kept any more.
[[nodiscard]] Result<Decision> decide_one(const State& state, const ReportDiagnosis& command,
                                          const DecideContext& context);
[[nodiscard]] Result<Decision> decide_one(const State& state, const ReportComponentFailure& command,
                                          const DecideContext& context);
// Errors: conflict (it does not run).
[[nodiscard]] Result<Decision> decide_one(const State& state, const FinishRepair& command,
                                          const DecideContext& context);
// Errors: not_found, conflict (it runs, nothing is wrong with it), refused (not allowed).
[[nodiscard]] Result<Decision> decide_one(const State& state, const RequestRepair& command,
                                          const DecideContext& context);
// Errors: not_found, conflict (it cannot be used).
[[nodiscard]] Result<Decision> decide_one(const State& state, const SwitchComponent& command,
                                          const DecideContext& context);

// The repair that begins now, unless one runs.
[[nodiscard]] std::vector<Event> decide_repair(const State& state, const DecideContext& context);
// What components are used by from now on, where it is not what it should be.
[[nodiscard]] std::vector<Event> decide_switches(const State& state, const DecideContext& context);
// When one of these has something to decide, if nothing happens before.
[[nodiscard]] std::optional<Time> next_component_move(const State& state);

}  // namespace almanac
