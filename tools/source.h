// What the reading commands look at: the log of a folder, the state at the moment they are asked
// about, and what the state leaves in the log.
#pragma once

#include <almanac/log/log.h>
#include <almanac/projections/state.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace almanac {

struct Source {
  std::unique_ptr<Log> log;
  State state;

  // What a task of the state is called, as it was given; empty when it was not, or when that part
  // of the log has been removed. Read from the log: O(log n) and a page or two. Errors: those of
  // Log::read_one.
  [[nodiscard]] Result<std::string> label(const Task& task) const;
};

// Tells of a checkpoint that did not serve on standard error, of each only once. One thread.
void tell_refused(const Error& refused);
// state_at(), telling of those.
[[nodiscard]] Result<State> find_state(const Log& log, const std::filesystem::path& folder,
                                       std::optional<Position> through = {});

// Opens the log for reading, beside a writer if there is one. `at` is what find_position() takes;
// empty = the end. Errors: those of Log::open, find_position() and find_state().
[[nodiscard]] Result<Source> open_source(const std::filesystem::path& folder,
                                         std::string_view at = {});

// There is no such task: not_found, in words.
[[nodiscard]] Error no_task(const State& state, TaskId id, std::string_view at);

}  // namespace almanac
