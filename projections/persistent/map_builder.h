// Builds the tree of a PersistentMap from entries that come in order, in linear time: leaves from
// left to right, then level by level above them. Only map.h and set.h include this file; everybody
// else wants their from_sorted().
#pragma once

#include <almanac/projections/persistent/map_node.h>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace almanac::tree {

// Owned by one thread; holds what was built until finish() hands it out.
template <class Key, class Value, class Compare>
class Builder {
 public:
  Builder() = default;
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;
  ~Builder() {
    for (Node* node : nodes_) Tree::release(node);
  }

  // False when the key does not come after the last one.
  [[nodiscard]] bool add(Key&& key, Value&& value) noexcept {
    if (!nodes_.empty() && !rises(key)) return false;
    if (nodes_.empty() || last().count == leaf_fill) nodes_.push_back(new Leaf(0));
    last().insert(last().count, std::move(key), std::move(value));
    ++size_;
    return true;
  }

  [[nodiscard]] std::size_t size() const { return size_; }

  // The tree, which is the caller's; nullptr when nothing was added.
  [[nodiscard]] Node* finish() noexcept {
    for (std::uint8_t height = 1; nodes_.size() > 1; ++height) build_level(height);
    Node* root = nodes_.empty() ? nullptr : nodes_.front();
    nodes_.clear();
    size_ = 0;
    return root;
  }

 private:
  using Tree = tree::Tree<Key, Value>;
  using Leaf = typename Tree::Leaf;
  using Inner = typename Tree::Inner;

  // An eighth stays free, so that the first changes afterwards do not split every node.
  static constexpr std::size_t leaf_fill = Leaf::capacity / 8 * 7;
  static constexpr std::size_t inner_fill = Inner::capacity / 8 * 7;
  static_assert(leaf_fill > Leaf::minimum && inner_fill > Inner::minimum);

  [[nodiscard]] Leaf& last() { return Tree::leaf(nodes_.back()); }
  [[nodiscard]] bool rises(const Key& key) { return Compare{}(last().keys[last().count - 1], key); }

  void build_level(std::uint8_t height) noexcept {
    std::vector<Node*> above;
    for (std::size_t at = 0; at < nodes_.size();) {
      const std::size_t left = nodes_.size() - at;
      // An inner node has at least two children.
      const std::size_t taken =
          left == inner_fill + 1 ? inner_fill - 1 : std::min(left, inner_fill);
      auto* inner = new Inner(height);
      for (std::size_t i = 0; i < taken; ++i) {
        Node* child = nodes_[at + i];
        inner->insert(i, Key(Tree::first_key(child)), std::move(child));
      }
      above.push_back(inner);
      at += taken;
    }
    nodes_ = std::move(above);
  }

  std::vector<Node*> nodes_;  // of the level that is being built
  std::size_t size_ = 0;
};

}  // namespace almanac::tree
