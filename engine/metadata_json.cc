#include <almanac/engine/memory_spec.h>

#include <almanac/log/printable.h>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

namespace almanac {
namespace {

using nlohmann::json;

std::optional<MetadataValue> value_of(const json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_float()) return value.get<double>();
  if (value.is_string()) return value.get<std::string>();
  const bool is_whole = value.is_number_integer() &&
                        (!value.is_number_unsigned() || value.get<std::uint64_t>() <= INT64_MAX);
  return is_whole ? std::optional<MetadataValue>(value.get<std::int64_t>()) : std::nullopt;
}

}  // namespace

std::string to_json(const Metadata& metadata) {
  if (metadata.empty()) return {};
  json object = json::object();
  for (const auto& [name, value] : metadata) {
    std::visit([&](const auto& each) { object[name] = each; }, value);
  }
  return object.dump();
}

Result<Metadata> parse_metadata(std::string_view text) {
  Metadata metadata;
  if (text.empty()) return metadata;
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) {
    return std::unexpected(Error{ErrorCode::invalid, "metadata: it is no JSON object",
                                 "write it as {\"name\": \"value\", …}"}
                               .with("field", "metadata"));
  }
  for (const auto& [name, each] : object.items()) {
    auto value = value_of(each);
    if (!value) {
      return std::unexpected(Error{ErrorCode::invalid,
                                   "metadata." + printable(name) + ": it is " +
                                       std::string(each.type_name()) + ", or too large a number",
                                   "say a text, a number, true or false"}
                                 .with("field", "metadata." + name));
    }
    metadata.emplace(name, std::move(*value));
  }
  return metadata;
}

}  // namespace almanac
