// An engine that only takes what it is asked for: while it is open no command runs, no schedule
// fires and no task is forgotten. What changes something asks by operations.h, which goes through a
// daemon where one runs.
#pragma once

#include <almanac/engine/engine.h>

#include <filesystem>
#include <memory>

namespace almanac {

// It says nothing by itself: what it would warn of is in its answers. Errors: those of
// Engine::open.
[[nodiscard]] Result<std::unique_ptr<Engine>> open_quietly(const std::filesystem::path& folder,
                                                           bool watches_gpus = false);

}  // namespace almanac
