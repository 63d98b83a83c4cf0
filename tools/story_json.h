// The story of a task as programs read it: what `almanac why --json` prints.
#pragma once

#include <almanac/tools/task_story.h>
#include <almanac/tools/task_tree.h>

#include <nlohmann/json_fwd.hpp>

#include <optional>

namespace almanac {

// Of a task of the state; with a tree also what led to it and what it led to. Text may be no UTF-8.
[[nodiscard]] nlohmann::ordered_json story_json(const State& state, const TaskStory& story,
                                                const std::optional<TaskTree>& tree);

}  // namespace almanac
