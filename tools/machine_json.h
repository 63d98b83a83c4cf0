// What a program runs on, as far as that helps to understand it.
#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>

namespace almanac {

// System, processors, memory, the room where `folder` is, and what a process may have. Nothing by
// which the machine or a user is known: no name, address or variable.
[[nodiscard]] nlohmann::ordered_json machine_json(const std::filesystem::path& folder);

}  // namespace almanac
