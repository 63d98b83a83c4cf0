#include <almanac/tools/source.h>

#include <almanac/tools/past.h>

#include <almanac/engine/engine.h>
#include <almanac/snapshots/state_at.h>

#include <utility>

namespace almanac {

Result<std::string> Source::label(const Task& task) const {
  std::string label;
  auto read = log->read_one(task.enqueued, [&](const Event& event) {
    if (const auto* enqueued = std::get_if<TaskEnqueued>(&event.body)) label = enqueued->label;
  });
  if (!read) return std::unexpected(read.error());
  return label;
}

Result<Source> open_source(const std::filesystem::path& folder, std::string_view at) {
  auto log = Log::open(folder, {.access = Access::read});
  if (!log) return std::unexpected(log.error());
  auto through = find_position(**log, at, system_time());
  if (!through) return std::unexpected(through.error());
  auto state = state_at(**log, folder, *through);
  if (!state) return std::unexpected(state.error());
  return Source{.log = std::move(*log), .state = std::move(*state)};
}

Error no_task(TaskId id, std::string_view at) {
  auto number = std::to_string(id.value);
  if (at.empty()) {
    return {ErrorCode::not_found, "there is no task " + number,
            "`almanac list` shows those there are"};
  }
  return {ErrorCode::not_found, "there was no task " + number + " at that moment",
          "`almanac list --at` shows those there were"};
}

}  // namespace almanac
