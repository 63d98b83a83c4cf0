#include <almanac/tools/json_fields.h>

#include <almanac/tools/json_nesting.h>
#include <almanac/tools/nearest.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>

#include <algorithm>

namespace almanac {

using nlohmann::ordered_json;

JsonFields::JsonFields(const ordered_json& object) : object_(object) {
  if (!object.is_object()) {
    error_ = Error{ErrorCode::invalid, "it is no JSON object", "send one, such as {}"};
  }
}

const ordered_json* JsonFields::find(std::string_view name) {
  known_.emplace_back(name);
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(known_.back());
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

void JsonFields::wrong(std::string_view name, std::string_view what) {
  refuse(name, {ErrorCode::invalid, fmt::format("it is not {}", what), ""});
}

void JsonFields::refuse(std::string_view name, Error error) {
  if (error_) return;
  error.message = fmt::format("the member '{}': {}", name, error.message);
  if (error.next_step.empty()) error.next_step = "send that instead";
  error_ = std::move(error);
}

std::optional<std::int64_t> JsonFields::whole(std::string_view name, Range range) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  const bool fits =
      value->is_number_integer() &&
      !(value->is_number_unsigned() && value->get<std::uint64_t>() > std::uint64_t(Range().max));
  if (fits) {
    const auto number = value->get<std::int64_t>();
    if (number >= range.min && number <= range.max) return number;
  }
  wrong(name, range.max == Range().max
                  ? fmt::format("a whole number of {} or more", range.min)
                  : fmt::format("a whole number from {} to {}", range.min, range.max));
  return std::nullopt;
}

void JsonFields::duration(std::string_view name, Duration& place) {
  word(name, place, parse_duration);
}
void JsonFields::duration(std::string_view name, std::optional<Duration>& place) {
  word(name, place, parse_duration);
}

void JsonFields::microseconds(std::string_view name, Duration& place) {
  if (const auto number = whole(name, {.max = duration_max.count()})) place = Duration(*number);
}
void JsonFields::microseconds(std::string_view name, std::optional<Duration>& place) {
  if (const auto number = whole(name, {.max = duration_max.count()})) place = Duration(*number);
}

void JsonFields::texts(std::string_view name, std::vector<std::string>& place) {
  const auto* value = find(name);
  if (value == nullptr) return;
  place.clear();
  for (const auto& each : *value) {
    if (!value->is_array() || !each.is_string()) return wrong(name, "a list of texts");
    place.push_back(each.get<std::string>());
  }
  if (!value->is_array()) wrong(name, "a list of texts");
}

void JsonFields::value(std::string_view name,
                       const std::function<Result<void>(const ordered_json&)>& read) {
  const auto* value = find(name);
  if (value == nullptr) return;
  if (auto done = read(*value); !done) refuse(name, done.error());
}

void JsonFields::skip(std::string_view names) {
  while (!names.empty()) {
    const std::size_t end = std::min(names.find(' '), names.size());
    known_.emplace_back(names.substr(0, end));
    passed_over_.insert(known_.back());
    names.remove_prefix(std::min(end + 1, names.size()));
  }
}

void JsonFields::require(std::string_view name) {
  if (error_ || (object_.is_object() && object_.contains(name))) return;
  error_ = Error{ErrorCode::invalid, fmt::format("the member '{}' is missing", name),
                 fmt::format("send \"{}\" as well", name)};
}

std::string JsonFields::what_there_is() const {
  std::string all;
  for (const std::string& name : known_) {
    if (!passed_over_.contains(name)) all += (all.empty() ? "there are: " : ", ") + name;
  }
  return all.empty() ? "leave it out" : all;
}

Result<void> JsonFields::done() {
  const std::vector<std::string_view> known(known_.begin(), known_.end());
  for (auto member = object_.begin(); object_.is_object() && member != object_.end(); ++member) {
    if (std::ranges::find(known_, member.key()) != known_.end()) continue;
    const auto meant = nearest(member.key(), known);
    return fail(ErrorCode::invalid,
                fmt::format("there is no member '{}' here", printable(member.key())),
                meant ? fmt::format("did you mean '{}'?", *meant) : what_there_is());
  }
  if (error_) return std::unexpected(*error_);
  return {};
}

Result<ordered_json> parse_json(std::string_view text) {
  if (auto checked = check_json_nesting(text); !checked) return std::unexpected(checked.error());
  auto json = ordered_json::parse(text, nullptr, false);
  if (!json.is_discarded()) return json;
  return fail(ErrorCode::invalid, "it is not valid JSON", "send an object, such as {}");
}

}  // namespace almanac
