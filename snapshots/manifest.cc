#include <almanac/snapshots/manifest.h>

#include <almanac/snapshots/limits.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace almanac {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t manifest_format = 1;

std::int64_t micros(Time time) { return time.time_since_epoch().count(); }

Json json_of(const FileRecord& file) {
  return {{"bytes", file.bytes}, {"blake2b", to_hex(file.digest)}};
}

Json json_of(const SegmentRecord& segment) {
  const SegmentHeader& header = segment.header;
  return {{"first", header.first.value},
          {"last", header.last.value},
          {"frames", header.frames},
          {"frame_bytes", header.frame_bytes},
          {"first_time", micros(header.first_time)},
          {"last_time", micros(header.last_time)},
          {"chain", to_hex(header.digest)},
          {"file", json_of(segment.file)}};
}

Json json_of(const CheckpointRecord& checkpoint) {
  return {{"position", checkpoint.position.value},
          {"base", checkpoint.base.value},
          {"raw_bytes", checkpoint.raw_bytes},
          {"file", json_of(checkpoint.file)}};
}

// ---- Reading: what is missing or of another kind throws, and is caught once.

template <class Array>
Array hex(const Json& json) {
  Array bytes{};
  if (!from_hex(json.get_ref<const std::string&>(), bytes)) {
    throw std::invalid_argument("a digest is none");
  }
  return bytes;
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

CheckpointRecord checkpoint_of(const Json& json) {
  return {.position = Position(number(json.at("position"))),
          .base = Position(number(json.at("base"))),
          .raw_bytes = number(json.at("raw_bytes")),
          .file = file_of(json.at("file"))};
}

Manifest manifest_of(const Json& json) {
  Manifest manifest;
  manifest.number = number(json.at("number"));
  manifest.made_at = time(json.at("made_at"));
  manifest.timeline = hex<Timeline>(json.at("timeline"));
  manifest.tail = {.last = Position(number(json.at("position"))),
                   .digest = hex<Digest>(json.at("chain")),
                   .time = time(json.at("time"))};
  manifest.state = hex<Digest>(json.at("state"));
  manifest.previous = hex<Digest>(json.at("previous"));
  manifest.checkpoint = checkpoint_of(json.at("checkpoint"));
  if (json.contains("tag")) manifest.tag = json.at("tag").get<std::string>();
  if (json.contains("base")) manifest.base = checkpoint_of(json.at("base"));
  auto before = hex<Digest>(json.at("before"));
  for (const Json& segment : json.at("segments")) {
    manifest.segments.push_back(segment_of(segment, manifest.timeline, before));
    before = manifest.segments.back().header.digest;
  }
  return manifest;
}

// ---- What must hold of one.

bool may_be(const SegmentRecord& segment) {
  const SegmentHeader& header = segment.header;
  return header.first && header.first <= header.last && header.frames > 0 &&
         header.frames <= header.last.value - header.first.value + 1 &&
         header.frame_bytes <= limits::segment_bytes_max &&
         segment.file.bytes <= limits::segment_file_bytes_max;
}

bool may_be(const CheckpointRecord& checkpoint) {
  return checkpoint.position && checkpoint.base < checkpoint.position &&
         checkpoint.raw_bytes <= limits::checkpoint_bytes_max &&
         checkpoint.file.bytes <= limits::checkpoint_bytes_max;
}

const char* contradiction_in(const Manifest& manifest) {
  if (manifest.number == 0) return "it has no number";
  if (!manifest.tag.empty() && !is_tag(manifest.tag)) return "its tag is none";
  if (manifest.segments.empty()) return "it has no segments";
  if (!std::ranges::all_of(manifest.segments, [](const auto& each) { return may_be(each); })) {
    return "one of its segments cannot be";
  }
  const auto gap = std::ranges::adjacent_find(
      manifest.segments, [](const SegmentRecord& one, const SegmentRecord& next) {
        return next.header.first != one.header.last.next();
      });
  if (gap != manifest.segments.end()) return "there is a gap between its segments";
  const SegmentHeader& end = manifest.segments.back().header;
  if (end.last != manifest.tail.last || end.digest != manifest.tail.digest) {
    return "its segments do not end where it does";
  }
  if (!may_be(manifest.checkpoint) || manifest.checkpoint.position != manifest.tail.last) {
    return "its checkpoint cannot be";
  }
  const auto& base = manifest.base;
  if (base.has_value() != static_cast<bool>(manifest.checkpoint.base) ||
      (base && (!may_be(*base) || base->base || base->position != manifest.checkpoint.base))) {
    return "its checkpoint does not stand on another one";
  }
  return nullptr;
}

std::unexpected<Error> corrupt(const std::string& what) {
  return fail(ErrorCode::corrupt, "it is no manifest: " + what);
}

}  // namespace

std::uint64_t Manifest::bytes() const {
  std::uint64_t bytes = checkpoint.file.bytes + (base ? base->file.bytes : 0);
  for (const SegmentRecord& segment : segments) bytes += segment.file.bytes;
  return bytes;
}

std::uint64_t Manifest::frame_bytes() const {
  std::uint64_t bytes = 0;
  for (const SegmentRecord& segment : segments) bytes += segment.header.frame_bytes;
  return bytes;
}

bool is_tag(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !text.empty() && text.size() <= limits::tag_bytes_max && is_letter(text.front()) &&
         std::ranges::all_of(text, [&](char c) {
           return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
         });
}

std::string encode(const Manifest& manifest) {
  Json json{{"almanac_manifest", manifest_format},   {"number", manifest.number},
            {"previous", to_hex(manifest.previous)}, {"made_at", micros(manifest.made_at)},
            {"timeline", to_hex(manifest.timeline)}, {"position", manifest.tail.last.value},
            {"time", micros(manifest.tail.time)},    {"chain", to_hex(manifest.tail.digest)},
            {"state", to_hex(manifest.state)},       {"checkpoint", json_of(manifest.checkpoint)}};
  if (!manifest.tag.empty()) json["tag"] = manifest.tag;
  if (manifest.base) json["base"] = json_of(*manifest.base);
  json["before"] = to_hex(manifest.segments.front().header.before);
  Json& segments = json["segments"] = Json::array();
  for (const SegmentRecord& segment : manifest.segments) segments.push_back(json_of(segment));
  return json.dump();
}

Result<Manifest> decode_manifest(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    if (number(json.at("almanac_manifest")) > manifest_format) {
      return fail(ErrorCode::newer_format, "its format is newer than this version of Almanac knows",
                  "use the version that wrote it, or a later one");
    }
    Manifest manifest = manifest_of(json);
    if (const char* what = contradiction_in(manifest)) return corrupt(what);
    return manifest;
  } catch (const std::exception& error) {
    return corrupt(error.what());
  }
}

}  // namespace almanac
