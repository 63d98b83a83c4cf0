#include <almanac/tools/workload_order.h>

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <queue>
#include <string>
#include <unordered_map>
#include <utility>

namespace almanac::workload {
namespace {

using Indexes = std::vector<std::size_t>;

constexpr std::size_t cycle_names_max = 8;

// The names of a cycle, the first one again at its end; the middle of a long one is left out.
std::string cycle_text(std::span<const Node> nodes, const Indexes& cycle) {
  std::string text;
  for (std::size_t i = 0; i < cycle.size(); ++i) {
    const bool is_left_out =
        cycle.size() > cycle_names_max && i >= cycle_names_max - 1 && i + 1 < cycle.size();
    if (!is_left_out) text += fmt::format("{} -> ", nodes[cycle[i]].name);
    if (is_left_out && i == cycle_names_max - 1) {
      text += fmt::format("({} more) -> ", cycle.size() - cycle_names_max);
    }
  }
  return text + std::string(nodes[cycle.front()].name);
}

class Ordering {
 public:
  explicit Ordering(std::span<const Node> nodes) : nodes_(nodes) {}

  Checked<Order> run() {
    if (auto indexed = index(); !indexed) return std::unexpected(std::move(indexed.error()));
    if (auto resolved = resolve(); !resolved) return std::unexpected(std::move(resolved.error()));
    sort();
    if (order_.size() < nodes_.size()) return cycle();
    return placed();
  }

 private:
  Checked<void> index() {
    by_name_.reserve(nodes_.size());
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      auto [entry, is_new] = by_name_.emplace(nodes_[i].name, i);
      if (is_new) continue;
      return fault(nodes_[i].line,
                   fmt::format("the name '{}' is taken by the task on line {}", nodes_[i].name,
                               nodes_[entry->second].line),
                   "give each task a name of its own");
    }
    return {};
  }

  Checked<void> resolve() {
    dependencies_.resize(nodes_.size());
    conditions_.resize(nodes_.size());
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      for (const After& after : nodes_[i].after) {
        auto added = after.is_tag ? add_tagged(i, after) : add_named(i, after);
        if (!added) return added;
      }
    }
    return {};
  }

  Checked<void> add_named(std::size_t node, const After& after) {
    auto found = by_name_.find(after.text);
    if (found == by_name_.end()) return unknown(after);
    add(node, found->second, after.condition);
    return {};
  }

  // All that have the tag but the task itself, which may have it as well.
  Checked<void> add_tagged(std::size_t node, const After& after) {
    bool any = false;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (std::ranges::find(nodes_[i].tags, after.text) == nodes_[i].tags.end()) continue;
      any = true;
      if (i != node) add(node, i, after.condition);
    }
    if (any) return {};
    return fault(after.line,
                 fmt::format("'after' names the tag '{}', and no task has it", after.text),
                 "write one of the 'tags' of a task of this workload");
  }

  // What is said first of a task counts.
  void add(std::size_t node, std::size_t dependency, DependencyCondition condition) {
    auto& dependencies = dependencies_[node];
    if (std::ranges::find(dependencies, dependency) != dependencies.end()) return;
    dependencies.push_back(dependency);
    conditions_[node].push_back(condition);
  }

  std::unexpected<Fault> unknown(const Word& word) const {
    std::vector<std::string_view> names;
    for (const Node& node : nodes_) names.push_back(node.name);
    auto next_step = suggestion(word.text, names);
    if (next_step.empty()) next_step = "write the 'name' of a task of this workload";
    return fault(word.line,
                 fmt::format("'after' names '{}', and no task is called that", word.text),
                 std::move(next_step));
  }

  // Takes the first task that waits for nothing, again and again.
  void sort() {
    std::vector<Indexes> dependents(nodes_.size());
    waiting_.resize(nodes_.size());
    std::priority_queue<std::size_t, Indexes, std::greater<>> ready;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      for (std::size_t dependency : dependencies_[i]) dependents[dependency].push_back(i);
      waiting_[i] = dependencies_[i].size();
      if (waiting_[i] == 0) ready.push(i);
    }
    while (!ready.empty()) {
      auto next = ready.top();
      ready.pop();
      order_.push_back(next);
      for (std::size_t dependent : dependents[next]) {
        if (--waiting_[dependent] == 0) ready.push(dependent);
      }
    }
  }

  // Whoever is left waits for another one that is left: going from each to such a one must come
  // back to where it has been.
  std::unexpected<Fault> cycle() const {
    auto is_left = [&](std::size_t node) { return waiting_[node] > 0; };
    Indexes path;
    std::vector<bool> seen(nodes_.size(), false);
    auto at = static_cast<std::size_t>(
        std::ranges::find_if(waiting_, [](auto count) { return count > 0; }) - waiting_.begin());
    while (!seen[at]) {
      seen[at] = true;
      path.push_back(at);
      at = *std::ranges::find_if(dependencies_[at], is_left);
    }
    path.erase(path.begin(), std::ranges::find(path, at));
    std::ranges::rotate(path, std::ranges::min_element(path));
    const Node& first = nodes_[path.front()];
    const auto next = nodes_[path[1 % path.size()]].name;
    const auto entry = std::ranges::find(first.after, next, &Word::text);
    return fault(entry == first.after.end() ? first.line : entry->line,
                 "the tasks wait for each other: " + cycle_text(nodes_, path),
                 "take one of these names out of the 'after' of the task in front of it");
  }

  Order placed() {
    Indexes places(nodes_.size());
    for (std::size_t place = 0; place < order_.size(); ++place) places[order_[place]] = place;
    Order result{.tasks = std::move(order_), .dependencies = {}, .conditions = {}};
    for (std::size_t node : result.tasks) {
      result.conditions.push_back(std::move(conditions_[node]));
      auto& dependencies = result.dependencies.emplace_back(std::move(dependencies_[node]));
      for (std::size_t& dependency : dependencies) dependency = places[dependency];
    }
    return result;
  }

  std::span<const Node> nodes_;
  std::unordered_map<std::string_view, std::size_t> by_name_;
  std::vector<Indexes> dependencies_;
  std::vector<std::vector<DependencyCondition>> conditions_;  // of these
  Indexes waiting_;  // dependencies that are not in the order yet
  Indexes order_;
};

}  // namespace

Checked<Order> order_tasks(std::span<const Node> nodes) { return Ordering(nodes).run(); }

}  // namespace almanac::workload
