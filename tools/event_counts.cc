#include <almanac/tools/event_counts.h>

#include <nlohmann/json.hpp>

#include <algorithm>

namespace almanac {
namespace {

// Events of one stretch of a sample: fewer cost as much to find as to read.
constexpr std::uint64_t sampled_stretch = 128;

void count_one(EventCounts& counts, const EventBody& body) {
  if (std::holds_alternative<TaskEnqueued>(body)) {
    ++counts.enqueued;
  } else if (std::holds_alternative<TaskStarted>(body)) {
    ++counts.started;
  } else if (std::holds_alternative<TaskSucceeded>(body)) {
    ++counts.succeeded;
  } else if (std::holds_alternative<TaskFailed>(body)) {
    ++counts.failed;
  } else if (std::holds_alternative<TaskCancelled>(body)) {
    ++counts.cancelled;
  } else if (std::holds_alternative<TaskAttemptFailed>(body)) {
    ++counts.attempts_failed;
  } else {
    ++counts.other;
  }
}

Result<void> count_stretch(EventCounts& counts, const Log& log, Position first, Position last) {
  return log.read(first, [&](const RecordedEvent& recorded) -> Result<bool> {
    if (recorded.position > last) return false;
    ++counts.events;
    count_one(counts, recorded.event.body);
    return recorded.position < last;
  });
}

void scale(EventCounts& counts, std::uint64_t events) {
  const double factor =
      static_cast<double>(events) / static_cast<double>(std::max<std::uint64_t>(1, counts.events));
  for (auto member : {&EventCounts::enqueued, &EventCounts::started, &EventCounts::succeeded,
                      &EventCounts::failed, &EventCounts::cancelled, &EventCounts::attempts_failed,
                      &EventCounts::other}) {
    counts.*member = static_cast<std::uint64_t>(static_cast<double>(counts.*member) * factor + 0.5);
  }
  counts.events = events;
  counts.is_sampled = true;
}

}  // namespace

Result<EventCounts> count_events(const EventCountOptions& options) {
  EventCounts counts;
  if (options.last < options.first) return counts;
  const std::uint64_t events = options.last.value - options.first.value + 1;
  if (events <= options.reads_max) {
    auto read = count_stretch(counts, options.log, options.first, options.last);
    if (!read) return std::unexpected(read.error());
    return counts;
  }
  const std::uint64_t stretches = std::max<std::uint64_t>(1, options.reads_max / sampled_stretch);
  const std::uint64_t length = std::min(sampled_stretch, options.reads_max);
  const std::uint64_t step = events / stretches;
  for (std::uint64_t i = 0; i < stretches; ++i) {
    const Position first(options.first.value + i * step);
    const Position last(std::min(first.value + length - 1, options.last.value));
    auto read = count_stretch(counts, options.log, first, last);
    if (!read) return std::unexpected(read.error());
  }
  scale(counts, events);
  return counts;
}

nlohmann::ordered_json event_counts_json(const EventCounts& counts) {
  return {{"events", counts.events},     {"enqueued", counts.enqueued},
          {"started", counts.started},   {"succeeded", counts.succeeded},
          {"failed", counts.failed},     {"cancelled", counts.cancelled},
          {"other", counts.other},       {"attempts_failed", counts.attempts_failed},
          {"sampled", counts.is_sampled}};
}

}  // namespace almanac
