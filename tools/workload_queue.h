// The settings of a queue as a workload gives them.
#pragma once

#include <almanac/tools/workload_field.h>

#include <almanac/engine/command.h>

namespace almanac::workload {

// What it does not name stays as it is. Whether a setting means anything to the queue's policy is
// for the engine to say.
[[nodiscard]] Checked<ConfigureQueue> read_queue(const Member& queue);

}  // namespace almanac::workload
