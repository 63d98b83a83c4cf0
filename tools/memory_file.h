// Entries as people and programs write them: JSON, one object a line.
#pragma once

#include <almanac/engine/memory_spec.h>

#include <optional>
#include <string_view>

namespace almanac {

// What memory_json() makes of an entry, or a part of that; time_to_live ("30d") may stand in place
// of expires_at. None where it has expired by now. Errors: invalid (the field is named).
[[nodiscard]] Result<std::optional<MemorySpec>> parse_memory(std::string_view line, Time now);
// A list of numbers, such as [0.5, -1]. Errors: invalid.
[[nodiscard]] Result<std::vector<float>> parse_embedding(std::string_view json);
// 0 to 1. Errors: invalid.
[[nodiscard]] Result<double> parse_significance(std::string_view text);

}  // namespace almanac
