// What the reading commands look at: the log of a folder and the state folded from it, with what
// tasks are called.
#pragma once

#include <almanac/log/log.h>
#include <almanac/projections/state.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

struct Source {
  std::unique_ptr<Log> log;
  State state;
  std::vector<std::string> labels;  // by TaskId - 1

  // As it was given; empty when it was not.
  [[nodiscard]] std::string_view label(TaskId id) const;
};

// Opens the log for reading, beside a writer if there is one, and reads all of it once.
// Errors: those of Log::open and Log::read.
[[nodiscard]] Result<Source> open_source(const std::filesystem::path& folder);

}  // namespace almanac
