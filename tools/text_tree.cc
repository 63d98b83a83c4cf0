#include <almanac/tools/text_tree.h>

#include <almanac/tools/text.h>

namespace almanac {
namespace {

void draw_below(const TextTree& tree, const std::string& indent, std::size_t columns_max,
                std::string& drawn) {
  for (const TextTree& branch : tree.below) {
    const bool is_last = &branch == &tree.below.back();
    drawn += cut(indent + (is_last ? "└─ " : "├─ ") + branch.line, columns_max) + '\n';
    draw_below(branch, indent + (is_last ? "   " : "│  "), columns_max, drawn);
  }
}

}  // namespace

std::string draw(const TextTree& tree, std::size_t columns_max) {
  std::string drawn = cut(tree.line, columns_max) + '\n';
  draw_below(tree, "", columns_max, drawn);
  return drawn;
}

}  // namespace almanac
