#include <almanac/snapshots/archive_tail.h>

#include <almanac/snapshots/record_codec.h>

#include <algorithm>

namespace almanac {
namespace {

using record_codec::Json;

ArchiveTail tail_of(const Json& json) {
  ArchiveTail tail;
  tail.timeline = record_codec::hex<Timeline>(json.at("timeline"));
  tail.snapshot = record_codec::number(json.at("snapshot"));
  tail.archived_at = record_codec::time(json.at("archived_at"));
  tail.end = {.last = Position(record_codec::number(json.at("position"))),
              .digest = record_codec::hex<Digest>(json.at("chain")),
              .time = record_codec::time(json.at("time"))};
  tail.segments = record_codec::segments_of(json.at("segments"), tail.timeline,
                                            record_codec::hex<Digest>(json.at("before")));
  return tail;
}

const char* contradiction_in(const ArchiveTail& tail) {
  if (tail.snapshot == 0) return "it goes on behind no snapshot";
  return record_codec::contradiction_in(tail.segments, tail.end);
}

}  // namespace

std::uint64_t ArchiveTail::bytes() const {
  std::uint64_t bytes = 0;
  for (const SegmentRecord& segment : segments) bytes += segment.file.bytes;
  return bytes;
}

bool goes_on_behind(const ArchiveTail& tail, const Manifest& manifest) {
  return tail.timeline == manifest.timeline && tail.snapshot == manifest.number &&
         tail.first() == manifest.tail.last.next() &&
         tail.segments.front().header.before == manifest.tail.digest;
}

Manifest with_tail(Manifest manifest, const ArchiveTail& tail) {
  ALMANAC_CHECK(goes_on_behind(tail, manifest));
  std::ranges::copy(tail.segments, std::back_inserter(manifest.segments));
  manifest.made_at = tail.archived_at;
  manifest.tail = tail.end;
  return manifest;
}

std::string encode(const ArchiveTail& tail) {
  const Json json{{"almanac_tail", record_codec::text_format},
                  {"timeline", to_hex(tail.timeline)},
                  {"snapshot", tail.snapshot},
                  {"archived_at", record_codec::micros(tail.archived_at)},
                  {"position", tail.end.last.value},
                  {"time", record_codec::micros(tail.end.time)},
                  {"chain", to_hex(tail.end.digest)},
                  {"before", to_hex(tail.segments.front().header.before)},
                  {"segments", record_codec::json_of(tail.segments)}};
  return json.dump();
}

Result<ArchiveTail> decode_tail(std::string_view text) {
  return record_codec::decode(text, "tail", tail_of, contradiction_in);
}

}  // namespace almanac
