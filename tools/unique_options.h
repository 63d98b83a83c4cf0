// A task of which no second one is wanted, as it is typed.
#pragma once

#include <almanac/engine/task_spec.h>
#include <almanac/log/error.h>
#include <almanac/tools/command_line.h>

#include <optional>
#include <string>

namespace almanac {

struct UniqueOptions {
  bool by_command = false;
  std::string key;
  bool per_queue = false;
  std::string until;  // a UniqueUntil; empty = the default
  std::string within;
  std::string on_conflict;  // an OnConflict; empty = the default
};

void add_unique_options(OptionSet& options, UniqueOptions& unique);

// None where nothing of it was typed. Errors: invalid.
[[nodiscard]] Result<std::optional<UniqueSpec>> make_unique_spec(const UniqueOptions& unique);

}  // namespace almanac
