#include <almanac/tools/event_filter.h>

#include <almanac/tools/event_fields.h>
#include <almanac/tools/moment.h>
#include <almanac/tools/nearest.h>
#include <almanac/tools/text.h>

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace almanac {
namespace {

Result<void> read_times(EventFilter& filter, const FilterOptions& options, Time now) {
  struct Moment {
    const std::string& text;
    std::optional<Time>& time;
  };
  for (auto [text, time] :
       {Moment{options.since, filter.since}, Moment{options.until, filter.until}}) {
    if (text.empty()) continue;
    auto moment = parse_moment(text, now);
    if (!moment) return std::unexpected(moment.error());
    time = *moment;
  }
  if (filter.since && filter.until && *filter.until < *filter.since) {
    return fail(ErrorCode::invalid, "--until lies before --since", "swap them");
  }
  return {};
}

}  // namespace

EventTypes::EventTypes(std::vector<std::string> names) : names_(std::move(names)) {
  const auto& known = event_type_names();
  for (std::size_t i = 0; i < known.size(); ++i) {
    known_[i] = std::ranges::find(names_, known[i]) != names_.end();
  }
}

bool EventTypes::has_custom(const EventBody& body) const {
  const auto* custom = std::get_if<CustomEvent>(&body);
  return custom != nullptr && std::ranges::find(names_, custom->type) != names_.end();
}

bool EventFilter::matches(const RecordedEvent& recorded) const {
  const auto& [position, event] = recorded;
  if (position < from || (to && position > to)) return false;
  if ((since && event.at < *since) || (until && event.at > *until)) return false;
  if (stream && event.stream != *stream) return false;
  if (correlation && position != correlation && event.correlation != correlation) return false;
  return types.empty() || types.has(event.body);
}

bool EventFilter::is_open() const {
  return from <= Position(1) && !to && !since && !until && !stream && types.empty() && !correlation;
}

Result<EventFilter> make_filter(const FilterOptions& options, Time now) {
  if (options.to != 0 && options.to < options.from) {
    return fail(ErrorCode::invalid, "--to lies before --from", "swap them");
  }
  EventFilter filter{.from = Position(options.from),
                     .to = Position(options.to),
                     .since = {},
                     .until = {},
                     .stream = {},
                     .types = options.types,
                     .correlation = Position(options.correlation)};
  if (!options.stream.empty()) filter.stream = options.stream;
  if (auto times = read_times(filter, options, now); !times) {
    return std::unexpected(times.error());
  }
  return filter;
}

std::string type_hint(const EventFilter& filter) {
  const auto& names = event_type_names();
  for (const std::string& type : filter.types.names()) {
    if (std::ranges::find(names, type) != names.end()) continue;
    auto meant = nearest(type, names);
    if (meant) {
      return fmt::format("no event is of type '{}'; did you mean '{}'?", printable(type), *meant);
    }
  }
  return {};
}

}  // namespace almanac
