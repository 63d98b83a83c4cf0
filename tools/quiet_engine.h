// An engine that only takes what it is asked for: while it is open no command runs, no schedule
// fires and no task is forgotten.
#pragma once

#include <almanac/engine/engine.h>

#include <filesystem>
#include <memory>

namespace almanac {

// It says nothing by itself: what it would warn of is in its answers. Errors: those of
// Engine::open.
[[nodiscard]] Result<std::unique_ptr<Engine>> open_quietly(const std::filesystem::path& folder);

}  // namespace almanac
