// Does what a strategy says, in the component's folder and nowhere else.
#pragma once

#include <almanac/engine/component_command.h>
#include <almanac/engine/component_spec.h>

#include <string>

namespace almanac {

struct RepairResult {
  RepairOutcome outcome = RepairOutcome::done;
  std::string message;  // of what went wrong
  // Of a command that has failed: what it says is wrong. none = it does not say.
  ComponentIssue left = ComponentIssue::none;
};

// Blocks as long as the strategy's commands run, all of them together up to `run.timeout`. The
// strategy must be allowed: checked.
[[nodiscard]] RepairResult repair(const ComponentImplementation& implementation,
                                  RepairStrategy strategy, CommandRun run);

}  // namespace almanac
