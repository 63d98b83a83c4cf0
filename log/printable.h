// Text as a person or a terminal can be shown it, whatever bytes a task or a file has put into it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace almanac {

struct Character {
  std::size_t bytes = 0;  // 0 when the text does not begin with UTF-8
  char32_t code = 0;
};

// The character at the front of a text that is not empty.
[[nodiscard]] Character front_character(std::string_view text);

// Some of them, from the first to the last.
struct CharacterBlock {
  char32_t first;
  char32_t last;
};
[[nodiscard]] bool is_in(std::span<const CharacterBlock> blocks, char32_t code);

// Control characters, those that turn the direction of writing and bytes that are not UTF-8 become
// \n, \t, \xNN: what a task says can never move the cursor, hide a line or swap words.
[[nodiscard]] std::string printable(std::string_view text);
// Whether all of it is UTF-8.
[[nodiscard]] bool is_utf8(std::string_view text);
// JSON that means the same and that a terminal can show: what printable() would not let pass, and
// JSON does not escape by itself, becomes \uXXXX. `json` is UTF-8.
[[nodiscard]] std::string printable_json(std::string json);

}  // namespace almanac
