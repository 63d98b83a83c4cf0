#include <almanac/tools/nearest.h>

#include <almanac/tools/limits.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <utility>

namespace almanac {
namespace {

using Distances = std::array<std::size_t, limits::nearest_word_bytes_max + 1>;

// Optimal string alignment: the three rows are those of the last letters of `a`.
std::size_t distance(std::string_view a, std::string_view b) {
  Distances before_last{};
  Distances last{};
  Distances row{};
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + changed});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last = std::exchange(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates) {
  if (word.size() > limits::nearest_word_bytes_max) return {};
  std::optional<std::string_view> best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (auto candidate :
       candidates.first(std::min(candidates.size(), limits::nearest_candidates_max))) {
    if (candidate.size() > limits::nearest_word_bytes_max) continue;
    const auto found = distance(word, candidate);
    if (found >= best_distance) continue;
    best = candidate;
    best_distance = found;
  }
  return best;
}

}  // namespace almanac
