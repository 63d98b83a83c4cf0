// Text compared without regard to the case of ASCII letters.
#pragma once

#include <algorithm>
#include <string_view>

namespace almanac {

[[nodiscard]] inline char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] inline bool contains_in_any_case(std::string_view text, std::string_view part) {
  return !std::ranges::search(text, part, {}, lower, lower).empty();
}

}  // namespace almanac
