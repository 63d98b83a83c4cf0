// The members of a JSON object, read one by one into where they belong. What was never asked for is
// unknown, and answered with what may have been meant.
//
//   JsonFields fields(json);
//   fields.number("slots", settings.slots, {.max = 4'096});
//   fields.skip("queue paused");
//   if (auto read = fields.done(); !read) return std::unexpected(read.error());
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/types.h>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

// A member that is not there, or is null, leaves its place as it is. The first thing that is wrong
// is kept for done(). Lives no longer than the object.
class JsonFields {
 public:
  explicit JsonFields(const nlohmann::ordered_json& object);

  struct Range {
    std::int64_t min = 0;
    std::int64_t max = std::numeric_limits<std::int64_t>::max();
  };
  template <class Place>
  void text(std::string_view name, Place& place) {
    if (const auto* value = find(name)) {
      value->is_string() ? void(place = value->get<std::string>()) : wrong(name, "a text");
    }
  }
  template <class Place>
  void truth(std::string_view name, Place& place) {
    if (const auto* value = find(name)) {
      value->is_boolean() ? void(place = value->get<bool>()) : wrong(name, "true or false");
    }
  }
  template <class Place>
  void number(std::string_view name, Place& place, Range range) {
    if (const auto number = whole(name, range)) assign(place, *number);
  }
  template <class Place>
  void number(std::string_view name, Place& place) {
    number(name, place, Range());
  }
  template <class Place>
  void real(std::string_view name, Place& place) {
    if (const auto* value = find(name)) {
      value->is_number() ? void(place = value->get<double>()) : wrong(name, "a number");
    }
  }
  // "30s"; and as a number of microseconds.
  void duration(std::string_view name, Duration& place);
  void duration(std::string_view name, std::optional<Duration>& place);
  void microseconds(std::string_view name, Duration& place);
  void microseconds(std::string_view name, std::optional<Duration>& place);
  void texts(std::string_view name, std::vector<std::string>& place);
  // A text that `parse` understands.
  template <class Place, class Parse>
  void word(std::string_view name, Place& place, Parse parse) {
    std::optional<std::string> text;
    this->text(name, text);
    if (!text) return;
    auto parsed = parse(std::string_view(*text));
    parsed ? void(place = *parsed) : refuse(name, parsed.error());
  }
  // Whatever it is, for `read` to understand.
  void value(std::string_view name,
             const std::function<Result<void>(const nlohmann::ordered_json&)>& read);
  // What answers have beside what can be said: "queue paused".
  void skip(std::string_view names);
  // Without it nothing can be done.
  void require(std::string_view name);

  // Errors: invalid (the member is named).
  [[nodiscard]] Result<void> done();

 private:
  template <class Number>
  static void assign(Number& place, std::int64_t number) {
    place = static_cast<Number>(number);
  }
  template <class Number>
  static void assign(std::optional<Number>& place, std::int64_t number) {
    place = static_cast<Number>(number);
  }
  const nlohmann::ordered_json* find(std::string_view name);
  std::optional<std::int64_t> whole(std::string_view name, Range range);
  void wrong(std::string_view name, std::string_view what);
  void refuse(std::string_view name, Error error);
  [[nodiscard]] std::string what_there_is() const;

  const nlohmann::ordered_json& object_;
  std::vector<std::string> known_;
  std::set<std::string> passed_over_;  // those of skip()
  std::optional<Error> error_;
};

// The text as JSON, which may be anything. Errors: invalid (it is none, or nested too deeply).
[[nodiscard]] Result<nlohmann::ordered_json> parse_json(std::string_view text);

}  // namespace almanac
