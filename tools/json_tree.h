// One line of JSON as a tree that says exactly what stood there: whole numbers to 64 bits, members
// in their order, also those of one name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory_resource>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace almanac {

struct JsonMember;

struct JsonValue {
  struct Null {};
  using List = std::vector<JsonValue>;
  using Object = std::vector<JsonMember>;

  // Whole numbers are unsigned, but those below 0.
  std::variant<Null, bool, std::uint64_t, std::int64_t, double, std::string_view, List, Object>
      content;

  template <class Kind>
  [[nodiscard]] const Kind* get() const {
    return std::get_if<Kind>(&content);
  }
};

struct JsonMember {
  std::string_view name;
  JsonValue value;
};

struct JsonFault {
  std::size_t offset = 0;
  std::string message;
};

// Texts lie in `texts`, not in `line`. Faults: no JSON, not UTF-8, lists and objects inside each
// other deeper than events have them.
[[nodiscard]] std::expected<JsonValue, JsonFault> parse_json(std::string_view line,
                                                             std::pmr::memory_resource& texts);

}  // namespace almanac
