// Decisions about advisors: how one stands becomes an event when it changes.
#pragma once

#include <almanac/engine/core_ports.h>
#include <almanac/engine/decision.h>

#include <string_view>
#include <vector>

namespace almanac {

// None while the state knows it already, or the advisor has not been heard yet.
[[nodiscard]] std::vector<Event> decide_advisor(const State& state, std::string_view advisor,
                                                const AdvisorStanding& standing,
                                                const DecideContext& context);

}  // namespace almanac
