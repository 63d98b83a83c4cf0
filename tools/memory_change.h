// Changing what is remembered, from the command line.
#pragma once

#include <almanac/engine/memory_spec.h>
#include <almanac/log/error.h>

#include <filesystem>
#include <vector>

namespace almanac {

// As many appends as it takes, none of them when one would be refused. Answers the numbers of what
// is stored. Errors: those of Engine::open() and Engine::change_memories().
[[nodiscard]] Result<std::vector<MemoryId>> carry_out(const std::filesystem::path& folder,
                                                      std::vector<MemoryTransaction> transactions);

}  // namespace almanac
