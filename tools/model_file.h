// The file that describes models: a table for each, which has its name.
//
//   [llama]
//   bytes = "9.2 GiB"
//   alternative = "llama-small"
//   load = ["curl", "-fsS", "http://localhost:8080/load/llama"]
//   unload = ["curl", "-fsS", "http://localhost:8080/unload/llama"]
//
// docs/guides/gpu.md describes all of it.
#pragma once

#include <almanac/engine/model_spec.h>
#include <almanac/log/error.h>

#include <string>
#include <vector>

namespace almanac {

// Errors: invalid, with file and line; not_found, io.
[[nodiscard]] Result<std::vector<ModelSpec>> load_models(const std::string& path);

}  // namespace almanac
