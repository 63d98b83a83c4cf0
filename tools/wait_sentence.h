// A reason to wait in words.
#pragma once

#include <almanac/projections/wait_reason.h>

#include <string>

namespace almanac {

// Printable. The reason is the task's in this state.
[[nodiscard]] std::string wait_sentence(const State& state, TaskId id, const WaitReason& reason);

}  // namespace almanac
