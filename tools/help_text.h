// What help says beside the options: text that fits a terminal, and where to read more.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace almanac {

// Its words in lines of at most so many columns, broken at blanks alone: a longer word stands alone
// in a line that is too long. Breaks of its own are blanks.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t columns_max);

// The page of docs/guides that is about what is typed directly behind `almanac`, without folder and
// ending; empty where there is none.
[[nodiscard]] std::string_view guide_of(std::string_view command);

}  // namespace almanac
