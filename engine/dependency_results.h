// What the tasks that an attempt's task depends on have come to, read from the log.
#pragma once

#include <almanac/engine/core_ports.h>
#include <almanac/engine/handler.h>
#include <almanac/projections/state.h>

#include <span>
#include <string>
#include <vector>

namespace almanac {

// A dependency that has ended, and where the log tells how.
struct EndedDependency {
  TaskId id;
  TaskState state = TaskState::succeeded;
  Position end;
};

// In the order of `dependencies`; without those that the state no longer knows.
[[nodiscard]] std::vector<EndedDependency> find_ended(const State& state,
                                                      std::span<const TaskId> dependencies);

// Any thread. Errors: those of Log::read_one.
[[nodiscard]] Result<std::vector<DependencyResult>> read_results(
    const LogPort& log, std::span<const EndedDependency> dependencies);

// What a command is shown: [{"id":1,"state":"succeeded","result":"…","output":"…"}, …]. Bytes that
// are not UTF-8 are replaced. Behind limits::dependency_bytes_max results and outputs are left out,
// and "left_out":true says so. Errors: as above.
[[nodiscard]] Result<std::string> results_json(const LogPort& log,
                                               std::span<const EndedDependency> dependencies);

}  // namespace almanac
