// A tree of lines, drawn with the branches that join them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace almanac {

struct TextTree {
  std::string line;  // printable
  std::vector<TextTree> below;
};

// Lines of at most so many columns.
[[nodiscard]] std::string draw(const TextTree& tree, std::size_t columns_max);

}  // namespace almanac
