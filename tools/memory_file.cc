#include <almanac/tools/memory_file.h>

#include <almanac/tools/json_nesting.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <charconv>
#include <string>

namespace almanac {
namespace {

using nlohmann::json;

std::unexpected<Error> expected(std::string_view field, std::string_view what) {
  return std::unexpected(Error{ErrorCode::invalid,
                               fmt::format("{}: it is not {}", printable(field), what),
                               fmt::format("write {}", what)}
                             .with("field", std::string(field)));
}

Result<std::string> text_of(std::string_view field, const json& value) {
  if (!value.is_string()) return expected(field, "a text");
  return value.get<std::string>();
}

Result<std::vector<float>> embedding_of(const json& value) {
  std::vector<float> embedding;
  if (!value.is_array()) return expected("embedding", "a list of numbers");
  for (const json& each : value) {
    if (!each.is_number()) return expected("embedding", "a list of numbers");
    embedding.push_back(each.get<float>());
  }
  return embedding;
}

Result<std::vector<std::string>> tags_of(const json& value) {
  std::vector<std::string> tags;
  if (!value.is_array()) return expected("tags", "a list of texts");
  for (const json& each : value) {
    if (!each.is_string()) return expected("tags", "a list of texts");
    tags.push_back(each.get<std::string>());
  }
  return tags;
}

// One line, field by field.
class EntryReader {
 public:
  explicit EntryReader(Time now) : now_(now) {}

  Result<void> read(std::string_view field, const json& value) {
    if (field == "kind") return put(spec_.kind, text_of(field, value));
    if (field == "user") return put(spec_.user, text_of(field, value));
    if (field == "content") return put(spec_.content, text_of(field, value));
    if (field == "summary") return put(spec_.summary, text_of(field, value));
    if (field == "embedding") return put(spec_.embedding, embedding_of(value));
    if (field == "tags") return put(spec_.tags, tags_of(value));
    if (field == "metadata") return put(spec_.metadata, parse_metadata(value.dump()));
    if (field == "significance") {
      if (!value.is_number()) return expected(field, "a number from 0 to 1");
      spec_.significance = value.get<double>();
      return {};
    }
    if (field == "time_to_live") return read_time_to_live(value);
    if (field == "expires_at") return read_expiry(value);
    // What an export says of where it comes from.
    if (field == "memory" || field == "stored" || field == "stored_at" || field == "changed" ||
        field == "changed_at" || field == "task") {
      return {};
    }
    return fail(ErrorCode::invalid, fmt::format("'{}' is no field of an entry", printable(field)),
                "put it into metadata, or leave it out");
  }
  [[nodiscard]] std::optional<MemorySpec> take() {
    return has_expired_ ? std::nullopt : std::optional(std::move(spec_));
  }

 private:
  template <class Value>
  static Result<void> put(Value& to, Result<Value> from) {
    if (!from) return std::unexpected(std::move(from.error()));
    to = std::move(*from);
    return {};
  }
  Result<void> read_time_to_live(const json& value) {
    if (!value.is_string()) return expected("time_to_live", "a time such as \"30d\"");
    return put(spec_.time_to_live, parse_duration(value.get<std::string>()));
  }
  Result<void> read_expiry(const json& value) {
    if (value.is_null()) return {};
    if (!value.is_string()) return expected("expires_at", "a time");
    const auto time = parse_time(value.get<std::string>());
    if (!time) return std::unexpected(time.error());
    has_expired_ = *time <= now_;
    spec_.time_to_live = *time - now_;
    return {};
  }

  Time now_;
  MemorySpec spec_;
  bool has_expired_ = false;
};

}  // namespace

Result<std::optional<MemorySpec>> parse_memory(std::string_view line, Time now) {
  if (auto checked = check_json_nesting(line); !checked) return std::unexpected(checked.error());
  const json object = json::parse(line, nullptr, false);
  if (!object.is_object()) {
    return fail(ErrorCode::invalid, "it is no JSON object",
                R"(write it as {"kind": "note", "content": "…"})");
  }
  EntryReader reader(now);
  for (const auto& [field, value] : object.items()) {
    if (auto read = reader.read(field, value); !read) return std::unexpected(read.error());
  }
  return reader.take();
}

Result<std::vector<float>> parse_embedding(std::string_view text) {
  return embedding_of(json::parse(text, nullptr, false));
}

Result<double> parse_significance(std::string_view text) {
  double number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_whole = error == std::errc() && end == text.data() + text.size();
  if (!is_whole || !(number >= 0 && number <= 1)) {
    return expected("significance", "a number from 0 to 1");
  }
  return number;
}

}  // namespace almanac
