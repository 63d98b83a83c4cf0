// What somebody may have meant by a word that nobody knows.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace almanac {

// The candidate with the fewest letters to add, drop, change or swap, when they are so few (a
// third of the word) that it looks like a slip of the finger. A view of the candidate.
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view word,
                                                      std::span<const std::string_view> candidates);

}  // namespace almanac
