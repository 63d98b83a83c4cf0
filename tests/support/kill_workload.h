// The workload of the kill tests: the recorded requests of examples/genai_workload.sh, shortened,
// each a kill_worker. Without the recording, tasks of the same shape.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>

namespace almanac::test {

struct KillWorkload {
  std::filesystem::path file;    // written here, in JSON Lines
  std::filesystem::path record;  // for the workers
  std::size_t tasks = 0;
  std::uint64_t seed = 0;  // of what the workers do
};

// Answers the names of the tasks.
[[nodiscard]] std::set<std::string> write_kill_workload(const KillWorkload& workload);

}  // namespace almanac::test
