// One value of JSON as slices of its text: what is handed back unchanged never passes through a
// number. Strict: RFC 8259, valid UTF-8, at most wire_json_depth_max deep. Any
// thread.
#pragma once

#include <almanac/log/error.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

inline constexpr std::size_t wire_json_depth_max = 1'000;

enum class WireKind : std::uint8_t { null, boolean, number, string, list, object };

// `text` is what stood there, and lives as long as what was parsed; `string` is a string's content.
struct WireValue {
  WireKind kind = WireKind::null;
  std::string_view text;
  std::string string;
};

struct WireMember {
  std::string name;
  WireValue value;
};

// The members of an object in their order, those of one name too; their own contents are checked
// and not looked into. O(bytes). Errors: invalid (what is wrong, and where).
[[nodiscard]] Result<std::vector<WireMember>> parse_wire_object(std::string_view json);
// The same of a list.
[[nodiscard]] Result<std::vector<WireValue>> parse_wire_list(std::string_view json);

// The last of a name, as most readers of JSON have it; none = it is not there, or null.
[[nodiscard]] const WireValue* find_member(const std::vector<WireMember>& members,
                                           std::string_view name);
// A number that is whole and fits.
[[nodiscard]] std::optional<std::int64_t> wire_whole_number(const WireValue& value);

// A text as JSON, in quotes. What is not UTF-8 in it becomes U+FFFD.
[[nodiscard]] std::string wire_quoted(std::string_view text);
// The same behind what is there.
void append_wire_quoted(std::string& json, std::string_view text);
// Without the space between its parts, and with < > & in strings as \u003c \u003e \u0026.
[[nodiscard]] std::string wire_compact(std::string_view json);

}  // namespace almanac
