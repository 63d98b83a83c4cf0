// The order in which every task stands behind those it depends on.
#pragma once

#include <almanac/tools/workload_field.h>

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace almanac::workload {

// A task by its name and what it names. Borrows both.
struct Node {
  std::string_view name;
  int line = 0;
  std::span<const After> after;
  std::span<const std::string> tags = {};
};

struct Order {
  std::vector<std::size_t> tasks;  // indexes of the nodes
  // For each place in `tasks` the earlier places it depends on.
  std::vector<std::vector<std::size_t>> dependencies;
  // And how those must have ended.
  std::vector<std::vector<DependencyCondition>> conditions;
};

// Of the orders that are possible the one nearest to the nodes' own: whenever several tasks could
// come next, the first of them does. Faults: a name that two have, a name or tag that nobody has, a
// cycle, which is shown.
[[nodiscard]] Checked<Order> order_tasks(std::span<const Node> nodes);

}  // namespace almanac::workload
