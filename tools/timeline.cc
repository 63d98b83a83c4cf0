#include <almanac/tools/timeline.h>

#include <almanac/tools/event_counts.h>
#include <almanac/tools/units.h>

#include <nlohmann/json.hpp>

#include <algorithm>

namespace almanac {
namespace {

using nlohmann::ordered_json;

Result<ordered_json> time_of(const Log& log, Position position) {
  ordered_json time;
  auto read = log.read_one(position, [&](const Event& event) { time = format_time(event.at); });
  if (!read) return std::unexpected(read.error());
  return time;
}

Result<ordered_json> bucket_json(const Log& log, Position first, Position last,
                                 std::uint64_t reads_max) {
  auto time = time_of(log, first);
  if (!time) return time;
  auto counts = count_events({.log = log, .first = first, .last = last, .reads_max = reads_max});
  if (!counts) return std::unexpected(counts.error());
  ordered_json json{{"first", first.value}, {"last", last.value}, {"time", std::move(*time)}};
  json.update(event_counts_json(*counts));
  return json;
}

}  // namespace

Result<ordered_json> timeline_json(const TimelineOptions& options) {
  ordered_json json{{"first", options.first.value},
                    {"last", options.last.value},
                    {"first_time", nullptr},
                    {"last_time", nullptr},
                    {"sampled", false},
                    {"buckets", ordered_json::array()}};
  if (options.last < options.first) return json;
  const std::uint64_t events = options.last.value - options.first.value + 1;
  const std::uint64_t buckets = std::clamp<std::uint64_t>(options.buckets, 1, events);
  const std::uint64_t reads_max = std::max<std::uint64_t>(1, options.reads_max / buckets);
  for (std::uint64_t i = 0; i < buckets; ++i) {
    // Without the product of two large numbers.
    const auto begin = [&](std::uint64_t bucket) {
      return events / buckets * bucket + events % buckets * bucket / buckets;
    };
    const Position first(options.first.value + begin(i));
    const Position last(options.first.value + begin(i + 1) - 1);
    auto bucket = bucket_json(options.log, first, last, reads_max);
    if (!bucket) return bucket;
    if ((*bucket)["sampled"] == true) json["sampled"] = true;
    json["buckets"].push_back(std::move(*bucket));
  }
  json["first_time"] = json["buckets"].front()["time"];
  auto last_time = time_of(options.log, options.last);
  if (!last_time) return last_time;
  json["last_time"] = std::move(*last_time);
  return json;
}

}  // namespace almanac
