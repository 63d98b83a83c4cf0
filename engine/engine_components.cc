// What the engine is asked about components.
#include <almanac/engine/engine.h>

#include <utility>

namespace almanac {

void Engine::component_failed(std::string component, std::string implementation,
                              std::string reason) {
  tell(ReportComponentFailure{std::move(component), std::move(implementation), std::move(reason)},
       [](const Result<Answer>&) {});
}

Result<void> Engine::repair_component(std::string component, std::string implementation,
                                      std::optional<RepairStrategy> strategy) {
  return ask_without_answer(
      RequestRepair{std::move(component), std::move(implementation), strategy});
}

Result<void> Engine::switch_component(std::string component, std::string implementation) {
  return ask_without_answer(SwitchComponent{std::move(component), std::move(implementation)});
}

}  // namespace almanac
