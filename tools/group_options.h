// The group a task belongs to and the one it comes after, as they are typed.
#pragma once

#include <almanac/engine/task_spec.h>
#include <almanac/log/error.h>
#include <almanac/tools/command_line.h>

#include <string>
#include <string_view>

namespace almanac {

struct GroupOptions {
  std::string group;
  std::string after;  // "import", "import:end"
};

void add_group_options(OptionSet& options, GroupOptions& groups);

// "NAME" or "NAME:WHEN"; of a name with colons in it WHEN must be said. Errors: invalid.
[[nodiscard]] Result<AfterGroup> parse_after_group(std::string_view text);
// Errors: invalid.
[[nodiscard]] Result<void> set_groups(TaskSpec& spec, const GroupOptions& groups);

}  // namespace almanac
