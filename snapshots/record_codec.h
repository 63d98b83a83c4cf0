// What the texts of a repository have in common, as JSON. Reading throws where something is missing
// or of another kind; decode() catches it.
#pragma once

#include <almanac/snapshots/manifest.h>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <exception>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace almanac::record_codec {

using Json = nlohmann::ordered_json;

inline constexpr std::uint64_t text_format = 1;

[[nodiscard]] std::int64_t micros(Time time);
[[nodiscard]] Json json_of(const FileRecord& file);
[[nodiscard]] Json json_of(std::span<const SegmentRecord> segments);

template <class Array>
[[nodiscard]] Array hex(const Json& json) {
  Array bytes{};
  if (!from_hex(json.get_ref<const std::string&>(), bytes)) {
    throw std::invalid_argument("a digest is none");
  }
  return bytes;
}
[[nodiscard]] std::uint64_t number(const Json& json);
[[nodiscard]] Time time(const Json& json);
[[nodiscard]] FileRecord file_of(const Json& json);
// `before` is the digest in front of the first.
[[nodiscard]] std::vector<SegmentRecord> segments_of(const Json& json, const Timeline& timeline,
                                                     const Digest& before);

// What is wrong with segments that should lead to `end`, or null.
[[nodiscard]] const char* contradiction_in(std::span<const SegmentRecord> segments,
                                           const LogTail& end);

// A text whose first member is almanac_KIND with its format. `read` makes the value of the JSON;
// `contradiction_in` tells what is wrong with one. Errors: corrupt, newer_format.
template <class Value>
[[nodiscard]] Result<Value> decode(std::string_view text, const std::string& kind,
                                   Value (*read)(const Json&),
                                   const char* (*contradiction_in)(const Value&)) {
  auto corrupt = [&](const std::string& what) {
    return fail(ErrorCode::corrupt, "it is no " + kind + ": " + what);
  };
  try {
    const Json json = Json::parse(text);
    if (number(json.at("almanac_" + kind)) > text_format) {
      return fail(ErrorCode::newer_format, "its format is newer than this version of Almanac knows",
                  "use the version that wrote it, or a later one");
    }
    Value value = read(json);
    if (const char* what = contradiction_in(value)) return corrupt(what);
    return value;
  } catch (const std::exception& error) {
    return corrupt(error.what());
  }
}

}  // namespace almanac::record_codec
