#include <almanac/snapshots/record_codec.h>

#include <almanac/snapshots/limits.h>

#include <algorithm>

namespace almanac::record_codec {

Json json_of(const FileRecord& file) {
  return {{"bytes", file.bytes}, {"blake2b", to_hex(file.digest)}};
}

namespace {

Json json_of(const SegmentRecord& segment) {
  const SegmentHeader& header = segment.header;
  return {{"first", header.first.value},
          {"last", header.last.value},
          {"frames", header.frames},
          {"frame_bytes", header.frame_bytes},
          {"first_time", micros(header.first_time)},
          {"last_time", micros(header.last_time)},
          {"chain", to_hex(header.digest)},
          {"file", record_codec::json_of(segment.file)}};
}

SegmentRecord segment_of(const Json& json, const Timeline& timeline, const Digest& before) {
  return {.header = {.timeline = timeline,
                     .first = Position(number(json.at("first"))),
                     .last = Position(number(json.at("last"))),
                     .frames = number(json.at("frames")),
                     .frame_bytes = number(json.at("frame_bytes")),
                     .first_time = time(json.at("first_time")),
                     .last_time = time(json.at("last_time")),
                     .before = before,
                     .digest = hex<Digest>(json.at("chain"))},
          .file = file_of(json.at("file"))};
}

bool may_be(const SegmentRecord& segment) {
  const SegmentHeader& header = segment.header;
  return header.first && header.first <= header.last && header.frames > 0 &&
         header.frames <= header.last.value - header.first.value + 1 &&
         header.frame_bytes <= limits::segment_bytes_max &&
         segment.file.bytes <= limits::segment_file_bytes_max;
}

}  // namespace

std::int64_t micros(Time time) { return time.time_since_epoch().count(); }

Json json_of(std::span<const SegmentRecord> segments) {
  Json json = Json::array();
  for (const SegmentRecord& segment : segments) json.push_back(json_of(segment));
  return json;
}

std::uint64_t number(const Json& json) {
  if (!json.is_number_unsigned()) throw std::invalid_argument("a number is none");
  return json.get<std::uint64_t>();
}

Time time(const Json& json) {
  if (!json.is_number_integer()) throw std::invalid_argument("a time is none");
  return Time(Duration(json.get<std::int64_t>()));
}

FileRecord file_of(const Json& json) {
  return {.bytes = number(json.at("bytes")), .digest = hex<Digest>(json.at("blake2b"))};
}

std::vector<SegmentRecord> segments_of(const Json& json, const Timeline& timeline,
                                       const Digest& before) {
  std::vector<SegmentRecord> segments;
  for (const Json& segment : json) {
    const Digest& front = segments.empty() ? before : segments.back().header.digest;
    segments.push_back(segment_of(segment, timeline, front));
  }
  return segments;
}

const char* contradiction_in(std::span<const SegmentRecord> segments, const LogTail& end) {
  if (segments.empty()) return "it has no segments";
  if (!std::ranges::all_of(segments, may_be)) return "one of its segments cannot be";
  const auto gap =
      std::ranges::adjacent_find(segments, [](const SegmentRecord& one, const SegmentRecord& next) {
        return next.header.first != one.header.last.next();
      });
  if (gap != segments.end()) return "there is a gap between its segments";
  const SegmentHeader& last = segments.back().header;
  if (last.last != end.last || last.digest != end.digest) {
    return "its segments do not end where it does";
  }
  return nullptr;
}

}  // namespace almanac::record_codec
