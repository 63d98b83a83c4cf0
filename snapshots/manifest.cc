#include <almanac/snapshots/manifest.h>

#include <almanac/snapshots/limits.h>
#include <almanac/snapshots/record_codec.h>

namespace almanac {
namespace {

using record_codec::file_of;
using record_codec::hex;
using record_codec::Json;
using record_codec::json_of;
using record_codec::micros;
using record_codec::number;

Json json_of(const CheckpointRecord& checkpoint) {
  return {{"position", checkpoint.position.value},
          {"base", checkpoint.base.value},
          {"raw_bytes", checkpoint.raw_bytes},
          {"file", json_of(checkpoint.file)}};
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
  manifest.made_at = record_codec::time(json.at("made_at"));
  manifest.timeline = hex<Timeline>(json.at("timeline"));
  manifest.tail = {.last = Position(number(json.at("position"))),
                   .digest = hex<Digest>(json.at("chain")),
                   .time = record_codec::time(json.at("time"))};
  manifest.state = hex<Digest>(json.at("state"));
  manifest.previous = hex<Digest>(json.at("previous"));
  manifest.checkpoint = checkpoint_of(json.at("checkpoint"));
  if (json.contains("tag")) manifest.tag = json.at("tag").get<std::string>();
  if (json.contains("base")) manifest.base = checkpoint_of(json.at("base"));
  manifest.segments = record_codec::segments_of(json.at("segments"), manifest.timeline,
                                                hex<Digest>(json.at("before")));
  return manifest;
}

bool may_be(const CheckpointRecord& checkpoint) {
  return checkpoint.position && checkpoint.base < checkpoint.position &&
         checkpoint.raw_bytes <= limits::checkpoint_bytes_max &&
         checkpoint.file.bytes <= limits::checkpoint_bytes_max;
}

const char* contradiction_in(const Manifest& manifest) {
  if (manifest.number == 0) return "it has no number";
  if (!manifest.tag.empty() && !is_tag(manifest.tag)) return "its tag is none";
  if (const char* what = record_codec::contradiction_in(manifest.segments, manifest.tail)) {
    return what;
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
  Json json{{"almanac_manifest", record_codec::text_format},
            {"number", manifest.number},
            {"previous", to_hex(manifest.previous)},
            {"made_at", micros(manifest.made_at)},
            {"timeline", to_hex(manifest.timeline)},
            {"position", manifest.tail.last.value},
            {"time", micros(manifest.tail.time)},
            {"chain", to_hex(manifest.tail.digest)},
            {"state", to_hex(manifest.state)},
            {"checkpoint", json_of(manifest.checkpoint)}};
  if (!manifest.tag.empty()) json["tag"] = manifest.tag;
  if (manifest.base) json["base"] = json_of(*manifest.base);
  json["before"] = to_hex(manifest.segments.front().header.before);
  json["segments"] = json_of(manifest.segments);
  return json.dump();
}

Result<Manifest> decode_manifest(std::string_view text) {
  return record_codec::decode(text, "manifest", manifest_of, contradiction_in);
}

}  // namespace almanac
