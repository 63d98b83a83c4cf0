// Decisions about circuits: every move of one is decided here, and nowhere else.
#pragma once

#include <almanac/engine/decision.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

// Whether it can be the name of a service. Errors: invalid.
[[nodiscard]] Result<void> check_service(const std::string& service);

// No event when the circuit is set so already. Errors: invalid.
[[nodiscard]] Result<Decision> decide_one(const State& state, const ConfigureCircuit& command,
                                          const DecideContext& context);
// No event when it is so already. Errors: invalid.
[[nodiscard]] Result<Decision> decide_one(const State& state, const ForceCircuit& command,
                                          const DecideContext& context);
[[nodiscard]] Result<Decision> decide_one(const State& state, const ObserveCircuit& command,
                                          const DecideContext& context);
// Answers whether the request is admitted.
[[nodiscard]] Result<Decision> decide_one(const State& state, const ProbeCircuit& command,
                                          const DecideContext& context);

// How circuits move by themselves: by what was observed, and because time has passed. Each at most
// once: ask again after folding.
[[nodiscard]] std::vector<Event> decide_circuits(const State& state, const DecideContext& context);
// When decide_circuits() has something to decide, if nothing happens before.
[[nodiscard]] std::optional<Time> next_circuit_move(const State& state);

}  // namespace almanac
