#include <almanac/tools/export_head.h>

#include <almanac/tools/encoding.h>

#include <nlohmann/json.hpp>

#include <span>

namespace almanac {
namespace {

using nlohmann::ordered_json;

constexpr const char* what = "log";
constexpr int export_format = 1;

std::unexpected<LineFault> no_head(const std::string& why) {
  return std::unexpected(LineFault{1, "the first line is not that of an exported log: " + why,
                                   "make the file with `almanac log export`, without a filter"});
}

bool read_hex(const ordered_json& json, const char* name, std::span<std::byte> bytes) {
  auto field = json.find(name);
  return field != json.end() && field->is_string() &&
         from_hex(field->get_ref<const std::string&>(), bytes);
}

}  // namespace

std::string export_head_json(const ExportHead& head) {
  ordered_json json{{"almanac", what},
                    {"format", export_format},
                    {"timeline", to_hex(head.timeline)},
                    {"events", head.last.value}};
  if (head.digest) json["digest"] = to_hex(*head.digest);
  if (head.partial) json["partial"] = true;
  return json.dump();
}

std::expected<ExportHead, LineFault> parse_export_head(std::string_view line) {
  auto json = ordered_json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("almanac") || json["almanac"] != what) {
    return no_head("it says nothing of one");
  }
  auto format = json.find("format");
  if (format == json.end() || !format->is_number_unsigned()) return no_head("it has no format");
  if (*format != export_format) {
    return std::unexpected(LineFault{1,
                                     "the file has format " + format->dump() +
                                         ", this version reads format " +
                                         std::to_string(export_format),
                                     "use the version of Almanac that wrote it, or a later one"});
  }
  ExportHead head;
  if (!read_hex(json, "timeline", head.timeline)) return no_head("it names no timeline");
  auto events = json.find("events");
  if (events == json.end() || !events->is_number_unsigned()) {
    return no_head("it does not say how many events there are");
  }
  head.last = Position(events->get<std::uint64_t>());
  if (json.contains("digest")) {
    head.digest.emplace();
    if (!read_hex(json, "digest", *head.digest)) return no_head("its digest is none");
  }
  head.partial = json.contains("partial") && json["partial"] == true;
  return head;
}

}  // namespace almanac
