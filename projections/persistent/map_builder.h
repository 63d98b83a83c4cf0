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

// An eighth of each node stays free, so that the first changes afterwards do not split every one.
inline constexpr std::size_t inner_fill = inner_capacity / 8 * 7;
static_assert(inner_fill > inner_capacity / 2);

// The tree above nodes of one height, each with the first key under it; nullptr when there is none.
template <class Key, class Value>
[[nodiscard]] Node* build_above(std::vector<Node*> nodes, std::vector<Key> firsts) noexcept {
  using Inner = typename Tree<Key, Value>::Inner;
  while (nodes.size() > 1) {
    const auto height = static_cast<std::uint8_t>(nodes.front()->height + 1);
    std::size_t built = 0;
    for (std::size_t at = 0; at < nodes.size(); ++built) {
      const std::size_t left = nodes.size() - at;
      // An inner node has at least two children.
      const std::size_t taken =
          left == inner_fill + 1 ? inner_fill - 1 : std::min(left, inner_fill);
      auto* inner = new Inner(height);
      for (std::size_t i = 0; i < taken; ++i) {
        inner->insert(i, Key(firsts[at + i]), std::move(nodes[at + i]));
      }
      nodes[built] = inner;
      firsts[built] = Key(firsts[at]);
      at += taken;
    }
    nodes.resize(built);
  }
  return nodes.empty() ? nullptr : nodes.front();
}

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
    std::vector<Key> firsts;
    firsts.reserve(nodes_.size());
    for (Node* node : nodes_) firsts.push_back(Tree::first_key(node));
    size_ = 0;
    return build_above<Key, Value>(std::exchange(nodes_, {}), std::move(firsts));
  }

 private:
  using Tree = tree::Tree<Key, Value>;
  using Leaf = typename Tree::Leaf;

  static constexpr std::size_t leaf_fill = Leaf::capacity / 8 * 7;
  static_assert(leaf_fill > Leaf::minimum);

  [[nodiscard]] Leaf& last() { return Tree::leaf(nodes_.back()); }
  [[nodiscard]] bool rises(const Key& key) { return Compare{}(last().keys[last().count - 1], key); }

  std::vector<Node*> nodes_;  // leaves
  std::size_t size_ = 0;
};

// Stubs stand for subtrees of this height and of exactly so many entries, evenly spread, so that
// each node in it is at least half full wherever it hangs.
inline constexpr std::uint8_t deferred_height = 2;
inline constexpr std::size_t deferred_inners = 12;
inline constexpr std::size_t deferred_leaves = deferred_inners * deferred_inners;
template <class Key, class Value>
inline constexpr std::size_t deferred_entries = leaf_capacity<Key, Value> * 128;

// Makes what a stub stands for; keys rise in what is whole, and nothing breaks where they do not.
template <class Key, class Value>
class SubtreeBuilder {
 public:
  SubtreeBuilder() { leaves_.reserve(deferred_leaves); }
  SubtreeBuilder(const SubtreeBuilder&) = delete;
  SubtreeBuilder& operator=(const SubtreeBuilder&) = delete;
  ~SubtreeBuilder() {
    for (Leaf* leaf : leaves_) Tree<Key, Value>::release(leaf);
  }

  // Of as many as a stub stands for.
  void add(Key&& key, Value&& value) noexcept {
    if (size_ == begins_at(leaves_.size())) leaves_.push_back(new Leaf(0));
    Leaf& leaf = *leaves_.back();
    leaf.insert(leaf.count, std::move(key), std::move(value));
    ++size_;
  }

  // Once all of them were added.
  [[nodiscard]] Node* finish() noexcept {
    auto* root = new Inner(deferred_height);
    for (std::size_t i = 0; i < deferred_inners; ++i) {
      auto* inner = new Inner(1);
      for (std::size_t k = 0; k < deferred_inners; ++k) {
        Leaf* leaf = leaves_[i * deferred_inners + k];
        inner->insert(k, Key(leaf->keys[0]), leaf);
      }
      root->insert(i, Key(inner->keys[0]), inner);
    }
    leaves_.clear();
    return root;
  }

 private:
  using Leaf = typename Tree<Key, Value>::Leaf;
  using Inner = typename Tree<Key, Value>::Inner;
  static_assert(deferred_entries<Key, Value> / deferred_leaves >= Leaf::minimum);
  static_assert(deferred_entries<Key, Value> / deferred_leaves < Leaf::capacity);
  static_assert(deferred_inners >= inner_capacity / 2 && deferred_inners <= inner_capacity);

  [[nodiscard]] static constexpr std::size_t begins_at(std::size_t leaf) {
    return deferred_entries<Key, Value> * leaf / deferred_leaves;
  }

  std::vector<Leaf*> leaves_;
  std::size_t size_ = 0;
};

}  // namespace almanac::tree
