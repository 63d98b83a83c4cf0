// The file that describes components: one table for each, with a list of its implementations.
//
//   [parser]
//   folder = "parser"
//   [[parser.implementation]]
//   name = "native"
//   kind = "plugin"
//   artifact = "build/libparser.so"
//   build = ["make"]
//   allow = ["build"]
//
// docs/guides/self-healing.md describes all of it.
#pragma once

#include <almanac/engine/component_spec.h>
#include <almanac/log/error.h>

#include <string>
#include <vector>

namespace almanac {

// Folders are relative to the file's. ALMANAC_HEAL_MAX_RETRIES, ALMANAC_HEAL_BUILD_TIMEOUT and
// ALMANAC_HEAL_CHECK_INTERVAL stand above what the file says. Errors: invalid, with file and line;
// not_found, io.
[[nodiscard]] Result<std::vector<ComponentSpec>> load_components(const std::string& path);

}  // namespace almanac
