#include <almanac/tools/source.h>

#include <utility>

namespace almanac {

std::string_view Source::label(TaskId id) const {
  return id.value > 0 && id.value <= labels.size() ? std::string_view(labels[id.value - 1])
                                                   : std::string_view();
}

Result<Source> open_source(const std::filesystem::path& folder) {
  auto log = Log::open(folder, {.access = Access::read});
  if (!log) return std::unexpected(log.error());
  Source source{.log = std::move(*log), .state = {}, .labels = {}};
  auto read = source.log->read(Position(1), [&](const RecordedEvent& event) -> Result<bool> {
    source.state = fold(std::move(source.state), event);
    if (const auto* enqueued = std::get_if<TaskEnqueued>(&event.event.body)) {
      source.labels.emplace_back(enqueued->label);
    }
    return true;
  });
  if (!read) return std::unexpected(read.error());
  return source;
}

}  // namespace almanac
