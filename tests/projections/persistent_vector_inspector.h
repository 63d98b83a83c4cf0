// What tests may see of a PersistentVector's inside: whether the promises at the top of
// vector_node.h hold, and which nodes a version does not share with another.
#pragma once

#include <almanac/projections/persistent/vector.h>

#include <cstddef>
#include <set>
#include <string>

namespace almanac {

struct PersistentVectorInspector {
  template <class Number, class Value>
  [[nodiscard]] static std::string check(const PersistentVector<Number, Value>& vector) {
    using Tree = radix::Tree<Value>;
    const radix::Node* root = vector.root_;
    if (root == nullptr) return vector.size_ == 0 ? "" : "no node is kept for no entry";
    const auto last = vector.last();
    if (!last) return "a tree has an entry";
    if (root->height > 0 && Tree::covers(root->height - 1U, last->key.value)) {
      return "the root is no higher than its largest number needs";
    }
    std::size_t entries = 0;
    std::string broken = visit<Value>(root, entries);
    if (broken.empty() && entries != vector.size_) broken = "size counts the entries";
    return broken;
  }

  template <class Number, class Value>
  [[nodiscard]] static std::set<const radix::Node*> nodes(
      const PersistentVector<Number, Value>& vector) {
    std::set<const radix::Node*> found;
    if (vector.root_ != nullptr) collect(vector.root_, found);
    return found;
  }

 private:
  template <class Value>
  static std::string visit(const radix::Node* node, std::size_t& entries) {
    using Tree = radix::Tree<Value>;
    if (node->owners.load() == 0) return "a reachable node has an owner";
    if (node->height == 0) {
      const auto here = static_cast<std::size_t>(std::popcount(Tree::leaf(node).taken));
      entries += here;
      return here == 0 ? "a leaf has an entry" : "";
    }
    bool is_empty = true;
    for (const radix::Node* child : Tree::inner(node).children) {
      if (child == nullptr) continue;
      is_empty = false;
      if (child->height + 1 != node->height) return "all leaves are at one depth";
      if (auto broken = visit<Value>(Tree::entered(child), entries); !broken.empty()) return broken;
    }
    return is_empty ? "an inner node has a child" : "";
  }

  static void collect(const radix::Node* node, std::set<const radix::Node*>& found) {
    found.insert(node);
    if (node->height == 0 || node->is_deferred) return;
    for (const auto* child : static_cast<const radix::Inner*>(node)->children) {
      if (child != nullptr) collect(child, found);
    }
  }
};

// The first structural promise that a vector breaks, or an empty string.
template <class Number, class Value>
[[nodiscard]] std::string check_structure(const PersistentVector<Number, Value>& vector) {
  return PersistentVectorInspector::check(vector);
}

// How many nodes of one version the other does not share.
template <class Number, class Value>
[[nodiscard]] std::size_t count_own_nodes(const PersistentVector<Number, Value>& vector,
                                          const PersistentVector<Number, Value>& other) {
  const auto shared = PersistentVectorInspector::nodes(other);
  std::size_t own = 0;
  for (const auto* node : PersistentVectorInspector::nodes(vector)) {
    own += shared.contains(node) ? 0U : 1U;
  }
  return own;
}

}  // namespace almanac
