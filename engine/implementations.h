// Decisions about kinds with several implementations: by which of them an attempt begins, and goes
// on where one has failed. Probing them is engine/probes.h.
#pragma once

#include <almanac/engine/decision.h>
#include <almanac/engine/handler.h>

#include <optional>
#include <string_view>
#include <vector>

namespace almanac {

// Errors: invalid (none or too many, a name that is empty or there twice, no handler, numbers).
[[nodiscard]] Result<void> check(const std::vector<Implementation>& implementations);

// Where the state knows them so already, nothing happens.
[[nodiscard]] Result<Decision> decide_one(const State& state, const SetImplementations& command,
                                          const DecideContext& context);
// Only a change is an event.
[[nodiscard]] Result<Decision> decide_one(const State& state, const ReportProbe& command,
                                          const DecideContext& context);

// By which implementation an attempt of a task begins: the first that can be used. Empty where its
// kind has one handler.
[[nodiscard]] std::string_view implementation_for(const State& state, const Task& task,
                                                  Arena& memory);

// The attempt of a running task goes on by the next implementation; none where it has failed.
[[nodiscard]] std::optional<TaskFailedOver> fail_over(const State& state, TaskId id,
                                                      const AttemptEnd& end,
                                                      const DecideContext& context);

}  // namespace almanac
