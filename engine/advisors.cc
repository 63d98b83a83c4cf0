#include <almanac/engine/advisors.h>

#include <almanac/engine/limits.h>

namespace almanac {

std::vector<Event> decide_advisor(const State& state, std::string_view advisor,
                                  const AdvisorStanding& standing, const DecideContext& context) {
  const auto id = state.names.find(advisor);
  const AdvisorRecord* record = id ? state.advisors.all.find(*id) : nullptr;
  const AdvisorMode known = record == nullptr ? AdvisorMode::absent : record->mode;
  if (standing.mode == known || standing.mode == AdvisorMode::absent) return {};
  const std::string_view name = context.memory.text(advisor);
  if (standing.mode == AdvisorMode::advising) {
    return {{.at = context.now, .body = AdvisorReturned{name}}};
  }
  const std::string_view evidence =
      std::string_view(standing.failure.evidence).substr(0, limits::message_bytes_max);
  return {{.at = context.now,
           .body = AdvisorFellBack{name, standing.failure.fault, standing.attempts,
                                   context.memory.text(evidence),
                                   standing.mode == AdvisorMode::holding_back}}};
}

}  // namespace almanac
