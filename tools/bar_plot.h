// A small plot of counts for a terminal: a column each, eight steps to a line where the terminal
// shows block characters, three where it shows ASCII only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace almanac {

enum class Glyphs { blocks, ascii };

// What standard output shows: blocks on a terminal whose locale is UTF-8.
[[nodiscard]] Glyphs glyphs_of_output();

// The lines from top to bottom, without what stands beside and below. What is not 0 is seen.
[[nodiscard]] std::vector<std::string> bar_plot(std::span<const std::uint64_t> counts,
                                                std::size_t lines, Glyphs glyphs);

}  // namespace almanac
