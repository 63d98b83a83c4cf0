// The page of `almanac top`, made of an overview: lines of text, each with what it stands for.
// Pure: a screen draws them, a pipe gets them as they are.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

// How a line is meant. What it says does not depend on how that is shown.
enum class TopTone : std::uint8_t { plain, title, heading, good, warning, bad, hint };

struct TopLine {
  std::string text;  // printable, no wider than the page
  TopTone tone = TopTone::plain;
  std::uint64_t task = 0;  // that it is about; 0 = none, and it cannot be selected
};

enum class TopSort : std::uint8_t { time, id, queue, label };
inline constexpr int top_sort_count = 4;
[[nodiscard]] std::string_view name(TopSort sort);

struct TopView {
  std::size_t columns = 80;
  std::size_t rows = 0;           // 0 = as many as there are
  TopSort sort = TopSort::time;   // of what runs, and of the ends: the longest, the newest first
  std::string filter = {};        // tasks and queues with this in a name; empty = all
  std::string_view mode = "now";  // of what is shown: "now", "paused", "past"
};

// Of overview_json(). Lists share the rows that are left and say how much of them is not shown.
[[nodiscard]] std::vector<TopLine> top_page(const nlohmann::ordered_json& overview,
                                            const TopView& view);
// One task, of task_detail_json(): a member on each line.
[[nodiscard]] std::vector<TopLine> top_task_page(const nlohmann::ordered_json& task,
                                                 const TopView& view);
// What the keys do.
[[nodiscard]] std::vector<TopLine> top_help_page(const TopView& view);

}  // namespace almanac
