#include <almanac/tools/export_head.h>

#include <nlohmann/json.hpp>

#include <span>

namespace almanac {
namespace {

using nlohmann::ordered_json;

constexpr const char* what = "log";
constexpr int log_export_format = 1;

std::unexpected<LineFault> no_head(const std::string& why) {
  return std::unexpected(LineFault{1, "the first line is not that of an exported log: " + why,
                                   "make the file with `almanac log export`, without a filter"});
}

bool read_hex(const ordered_json& json, const char* name, std::span<std::byte> bytes) {
  auto field = json.find(name);
  return field != json.end() && field->is_string() &&
         from_hex(field->get_ref<const std::string&>(), bytes);
}

std::optional<LogTail> read_base(const ordered_json& json) {
  LogTail base;
  auto events = json.find("events");
  auto time = json.find("time");
  if (!json.is_object() || events == json.end() || time == json.end() ||
      !events->is_number_unsigned() || !time->is_number_integer() ||
      !read_hex(json, "digest", base.digest)) {
    return std::nullopt;
  }
  base.last = Position(events->get<std::uint64_t>());
  base.time = Time(Duration(time->get<std::int64_t>()));
  return base;
}

std::optional<LogOrigin> read_origin(const ordered_json& json) {
  LogOrigin origin;
  auto position = json.find("position");
  auto forked = json.find("forked");
  if (!json.is_object() || position == json.end() || forked == json.end() ||
      !position->is_number_unsigned() || !forked->is_number_integer() ||
      !read_hex(json, "timeline", origin.timeline) || !read_hex(json, "digest", origin.chain)) {
    return std::nullopt;
  }
  origin.position = Position(position->get<std::uint64_t>());
  origin.forked = Time(Duration(forked->get<std::int64_t>()));
  return origin;
}

constexpr std::string_view removed_begins = "{\"removed\":";
constexpr const char* stream_name = "stream";
constexpr const char* key_name = "key";

}  // namespace

std::string export_head_json(const ExportHead& head) {
  ordered_json json{{"almanac", what},
                    {"format", log_export_format},
                    {"timeline", to_hex(head.timeline)},
                    {"events", head.last.value - head.base.last.value}};
  if (head.origin) {
    json["origin"] = {{"timeline", to_hex(head.origin->timeline)},
                      {"position", head.origin->position.value},
                      {"forked", head.origin->forked.time_since_epoch().count()},
                      {"digest", to_hex(head.origin->chain)}};
  }
  if (head.base.last) {
    json["removed"] = {{"events", head.base.last.value},
                       {"time", head.base.time.time_since_epoch().count()},
                       {"digest", to_hex(head.base.digest)}};
  }
  if (head.checkpoint) json["checkpoint"] = head.checkpoint.value;
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
  if (*format != log_export_format) {
    return std::unexpected(LineFault{1,
                                     "the file has format " + format->dump() +
                                         ", this version reads format " +
                                         std::to_string(log_export_format),
                                     "use the version of Almanac that wrote it, or a later one"});
  }
  ExportHead head;
  if (!read_hex(json, "timeline", head.timeline)) return no_head("it names no timeline");
  auto events = json.find("events");
  if (events == json.end() || !events->is_number_unsigned()) {
    return no_head("it does not say how many events there are");
  }
  if (json.contains("removed")) {
    auto base = read_base(json["removed"]);
    if (!base) return no_head("what it says of removed events is not understood");
    head.base = *base;
  }
  if (json.contains("origin")) {
    head.origin = read_origin(json["origin"]);
    if (!head.origin) return no_head("what it says of its origin is not understood");
  }
  head.last = Position(head.base.last.value + events->get<std::uint64_t>());
  if (auto checkpoint = json.find("checkpoint"); checkpoint != json.end()) {
    if (checkpoint->is_number_unsigned())
      head.checkpoint = Position(checkpoint->get<std::uint64_t>());
    if (!head.checkpoint || head.checkpoint < head.base.last || head.checkpoint > head.last) {
      return no_head("its checkpoint is not one of its positions");
    }
  }
  if (json.contains("digest")) {
    head.digest.emplace();
    if (!read_hex(json, "digest", *head.digest)) return no_head("its digest is none");
  }
  head.partial = json.contains("partial") && json["partial"] == true;
  return head;
}

std::string removed_json(const IndexRecord& record) {
  const bool stream = record.table == IndexTable::streams;
  return ordered_json{{"removed", stream ? stream_name : key_name},
                      {"name", to_hex(std::as_bytes(std::span(record.key.words)))},
                      {"is", to_hex(std::as_bytes(std::span(record.value)))}}
      .dump();
}

bool is_removed_line(std::string_view line) { return line.starts_with(removed_begins); }

std::expected<IndexRecord, LineFault> parse_removed(std::string_view line) {
  IndexRecord record{};
  auto json = ordered_json::parse(line, nullptr, false);
  const bool known = json.is_object() && json.contains("removed") &&
                     (json["removed"] == stream_name || json["removed"] == key_name);
  if (!known || !read_hex(json, "name", std::as_writable_bytes(std::span(record.key.words))) ||
      !read_hex(json, "is", std::as_writable_bytes(std::span(record.value)))) {
    return std::unexpected(
        LineFault{1, "the line tells nothing of a removed stream or key", "export the log again"});
  }
  record.table = json["removed"] == stream_name ? IndexTable::streams : IndexTable::keys;
  return record;
}

}  // namespace almanac
