// An ordered map that is a value: copying it is as cheap as copying a pointer, and a copy never
// changes again, whatever happens to the original. It is a copy-on-write B+tree: a node is changed
// in place while only one map owns it and copied once otherwise.
//
// Threads: like shared_ptr. Maps that share nodes may be read, changed and destroyed on different
// threads at once, as long as each map object is used by one thread, or by many that only read.
//
// Results: pointers, entries and iterators point into the map and live until it is changed,
// assigned to or destroyed. Changing one map never disturbs what points into another.
//
// Costs, for n entries; a leaf has up to 64 entries (16 or 32 of larger ones), and each
// level above up to 16 times more:
//   copy, move, size, shares_root_with    constant
//   find, lower_bound, upper_bound        O(log n), no allocation
//   set, insert, edit, erase              O(log n); the first change to a node that a copy still
//                                         shares copies that node: at most one per level, and
//                                         for erase its neighbours
//   begin, end, first, last               one step per level
//   ++, --                                constant on average
//   ==                                    constant for one root; otherwise what two versions do
//                                         not share
//   clear, destructor                     what no other map shares
// Copying a node copies its keys, above the leaves too: keys that own memory make changes slow.
//
// Keys and values need to be copyable. Compare is stateless and does not throw; with a transparent
// one (the default) every type that compares with a key can be looked up. Nothing fails: running
// out of memory, or a key or value whose copy throws, ends the program.
#pragma once

#include <almanac/projections/persistent/map_builder.h>
#include <almanac/projections/persistent/map_node.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace almanac {

struct PersistentMapInspector;

template <class K, class Key, class Compare>
concept LookupKey = std::same_as<K, Key> || requires { typename Compare::is_transparent; };

// Walks the entries in both directions; a path from the root to an entry, held in the iterator.
template <class Key, class Value>
class PersistentMapIterator {
 public:
  struct Entry {
    const Key& key;
    const Value& value;
  };
  struct Arrow {
    Entry entry;
    const Entry* operator->() const { return &entry; }
  };
  using value_type = Entry;
  using reference = Entry;
  using pointer = Arrow;
  using difference_type = std::ptrdiff_t;
  // Strictly an iterator that makes its Entry when asked is a C++17 input iterator, but std::prev
  // would then silently go wrong.
  using iterator_category = std::bidirectional_iterator_tag;

  PersistentMapIterator() = default;

  [[nodiscard]] Entry operator*() const {
    const auto& leaf = Tree::leaf(trail_.nodes[0]);
    return {leaf.keys[trail_.indexes[0]], leaf.items[trail_.indexes[0]]};
  }
  [[nodiscard]] Arrow operator->() const { return {**this}; }

  PersistentMapIterator& operator++() {
    ++trail_.indexes[0];
    leave_leaf_if_past();
    return *this;
  }
  PersistentMapIterator operator++(int) { return std::exchange(*this, std::next(*this)); }

  PersistentMapIterator& operator--() {
    std::size_t height = 0;
    while (trail_.indexes[height] == 0) ++height;
    --trail_.indexes[height];
    if (height > 0) descend(height, Edge::last);
    return *this;
  }
  PersistentMapIterator operator--(int) { return std::exchange(*this, std::prev(*this)); }

  bool operator==(const PersistentMapIterator& other) const {
    return trail_.nodes[0] == other.trail_.nodes[0] && trail_.indexes[0] == other.trail_.indexes[0];
  }

  // When both iterators stand at the first entry of nodes that their maps share, moves both past
  // the largest such node and returns true. This is how two versions are compared at the cost of
  // what differs. Neither may be at the end.
  [[nodiscard]] static bool skip_shared(PersistentMapIterator& one, PersistentMapIterator& other) {
    std::size_t shared = 0;
    while (shared <= one.root_height_ && shared <= other.root_height_ &&
           one.trail_.nodes[shared] == other.trail_.nodes[shared] &&
           one.trail_.indexes[shared] == 0 && other.trail_.indexes[shared] == 0) {
      ++shared;
    }
    if (shared == 0) return false;
    one.leave(shared - 1);
    other.leave(shared - 1);
    return true;
  }

 private:
  template <class, class, class>
  friend class PersistentMap;
  using Node = tree::Node;
  using Tree = tree::Tree<Key, Value>;
  enum class Edge : bool { first, last };

  // At the first entry, or past the last one.
  PersistentMapIterator(Node* root, Edge edge) {
    if (root == nullptr) return;
    start(root);
    trail_.indexes[root_height_] = edge_index(root, edge);
    descend(root_height_, edge);
    if (edge == Edge::last) ++trail_.indexes[0];
  }

  // At the end of a trail that a search has left, or at the entry after it.
  PersistentMapIterator(Node* root, const tree::Trail& trail) : trail_(trail) {
    root_height_ = root->height;
    leave_leaf_if_past();
  }

  void start(Node* root) {
    root_height_ = root->height;
    trail_.nodes[root_height_] = root;
  }

  [[nodiscard]] static std::uint8_t edge_index(const Node* node, Edge edge) {
    return edge == Edge::first ? std::uint8_t{0} : static_cast<std::uint8_t>(node->count - 1);
  }

  // Goes down along one edge from the child that the trail names at `height`.
  void descend(std::size_t height, Edge edge) {
    for (; height > 0; --height) {
      Node* child = Tree::below(Tree::inner(trail_.nodes[height]), trail_.indexes[height]);
      trail_.nodes[height - 1] = child;
      trail_.indexes[height - 1] = edge_index(child, edge);
    }
  }

  void leave_leaf_if_past() {
    if (trail_.indexes[0] == trail_.nodes[0]->count) leave(0);
  }

  // Moves to the first entry after the node at `height`; past the last entry when there is none.
  void leave(std::size_t height) {
    for (std::size_t above = height + 1; above <= root_height_; ++above) {
      if (trail_.indexes[above] + 1 == trail_.nodes[above]->count) continue;
      ++trail_.indexes[above];
      return descend(above, Edge::first);
    }
    trail_.indexes[height] = edge_index(trail_.nodes[height], Edge::last);
    descend(height, Edge::last);
    trail_.indexes[0] = static_cast<std::uint8_t>(trail_.nodes[0]->count);
  }

  tree::Trail trail_{};
  std::size_t root_height_ = 0;
};

template <class Key, class Value, class Compare = std::less<>>
class PersistentMap {
  static_assert(std::copyable<Key> && std::copyable<Value>);
  static_assert(std::is_empty_v<Compare>, "nodes are shared between maps, so Compare has no state");

 public:
  using Iterator = PersistentMapIterator<Key, Value>;
  using Entry = typename Iterator::Entry;
  using const_iterator = Iterator;
  static constexpr std::size_t leaf_entries_max = tree::leaf_capacity<Key, Value>;

  PersistentMap() noexcept = default;
  PersistentMap(const PersistentMap& other) noexcept
      : root_(Tree::retain(other.root_)), size_(other.size_) {}
  PersistentMap(PersistentMap&& other) noexcept
      : root_(std::exchange(other.root_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  PersistentMap& operator=(PersistentMap other) noexcept {
    std::swap(root_, other.root_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~PersistentMap() { Tree::release(root_); }

  // Takes what a builder has built.
  explicit PersistentMap(tree::Builder<Key, Value, Compare>&& builder) noexcept
      : size_(builder.size()) {
    root_ = builder.finish();
  }

  // From entries whose keys rise, each something that binds to [key, value]: O(entries). nullopt
  // when they do not rise.
  template <class Entries>
  [[nodiscard]] static std::optional<PersistentMap> from_sorted(Entries&& entries) {
    tree::Builder<Key, Value, Compare> builder;
    for (auto&& [key, value] : entries) {
      if (!builder.add(Key(key), Value(value))) return std::nullopt;
    }
    return PersistentMap(std::move(builder));
  }

  // A map whose entries are made when somebody looks for them (deferred.h), `deferred_entries` at a
  // time: subtree k of the source begins with the key `firsts[k]`. Keys must rise. O(subtrees).
  static constexpr std::size_t deferred_entries = tree::deferred_entries<Key, Value>;
  using Subtree = tree::Node;
  using Source = deferred::Source<Subtree>;
  using SubtreeBuilder = tree::SubtreeBuilder<Key, Value>;
  [[nodiscard]] static PersistentMap from_source(const std::shared_ptr<const Source>& source,
                                                 std::vector<Key> firsts) {
    PersistentMap made;
    made.size_ = firsts.size() * deferred_entries;
    if (firsts.size() == 1) {
      made.root_ = source->make(0);
      return made;
    }
    std::vector<Node*> stubs;
    stubs.reserve(firsts.size());
    for (std::size_t k = 0; k < firsts.size(); ++k) {
      stubs.push_back(new deferred::Stub<Node>(tree::deferred_height, source, k));
    }
    made.root_ = tree::build_above<Key, Value>(std::move(stubs), std::move(firsts));
    return made;
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  template <LookupKey<Key, Compare> K = Key>
  [[nodiscard]] const Value* find(const K& key) const {
    if (root_ == nullptr) return nullptr;
    Node* node = root_;
    while (node->height > 0) {
      auto& inner = Tree::inner(node);
      node = Tree::below(inner, tree::child_index<Compare>(inner, key));
    }
    const auto& leaf = Tree::leaf(node);
    const std::size_t index = index_in(leaf, key);
    return holds(leaf, index, key) ? &leaf.items[index] : nullptr;
  }

  template <LookupKey<Key, Compare> K = Key>
  [[nodiscard]] bool contains(const K& key) const {
    return find(key) != nullptr;
  }

  // Inserts an entry, or replaces the value of the one whose key compares equal and keeps its key.
  void set(Key key, Value value) noexcept {
    if (root_ == nullptr) root_ = new Leaf(0);
    tree::Trail trail;
    const bool found = locate(key, trail);
    Tree::unshare(root_, trail);
    if (found) {
      Tree::leaf(trail.nodes[0]).items[trail.indexes[0]] = std::move(value);
    } else {
      Tree::insert(root_, trail, std::move(key), std::move(value));
      ++size_;
    }
  }

  // True when the key was not there before; otherwise nothing changes and nothing is copied.
  bool insert(Key key, Value value) noexcept {
    if (root_ == nullptr) root_ = new Leaf(0);
    tree::Trail trail;
    if (locate(key, trail)) return false;
    Tree::unshare(root_, trail);
    Tree::insert(root_, trail, std::move(key), std::move(value));
    ++size_;
    return true;
  }

  // The value to change in place, or nullptr. Looking for what is not there copies nothing.
  template <LookupKey<Key, Compare> K = Key>
  [[nodiscard]] Value* edit(const K& key) noexcept {
    tree::Trail trail;
    if (!locate(key, trail)) return nullptr;
    Tree::unshare(root_, trail);
    return &Tree::leaf(trail.nodes[0]).items[trail.indexes[0]];
  }

  // True when there was something to erase. Looking for what is not there copies nothing.
  template <LookupKey<Key, Compare> K = Key>
  bool erase(const K& key) noexcept {
    tree::Trail trail;
    if (!locate(key, trail)) return false;
    Tree::unshare(root_, trail);
    Tree::erase(root_, trail);
    --size_;
    return true;
  }

  void clear() noexcept {
    Tree::release(std::exchange(root_, nullptr));
    size_ = 0;
  }

  [[nodiscard]] Iterator begin() const { return {root_, Iterator::Edge::first}; }
  [[nodiscard]] Iterator end() const { return {root_, Iterator::Edge::last}; }

  // The first entry whose key does not come before `key`, or end().
  template <LookupKey<Key, Compare> K = Key>
  [[nodiscard]] Iterator lower_bound(const K& key) const {
    if (root_ == nullptr) return end();
    tree::Trail trail{};
    locate(key, trail);
    return {root_, trail};
  }

  // The first entry whose key comes after `key`, or end().
  template <LookupKey<Key, Compare> K = Key>
  [[nodiscard]] Iterator upper_bound(const K& key) const {
    if (root_ == nullptr) return end();
    tree::Trail trail{};
    if (locate(key, trail)) ++trail.indexes[0];
    return {root_, trail};
  }

  // The entries with the smallest and the largest key; nullopt when there is none.
  [[nodiscard]] std::optional<Entry> first() const {
    if (empty()) return std::nullopt;
    return *begin();
  }
  [[nodiscard]] std::optional<Entry> last() const {
    if (empty()) return std::nullopt;
    return *--end();
  }

  // True when both are the same version: one was copied from the other and neither has changed
  // since. False tells nothing: maps with different roots can have the same entries.
  [[nodiscard]] bool shares_root_with(const PersistentMap& other) const {
    return root_ == other.root_;
  }

  // Same entries in the same order, by == of keys and values.
  [[nodiscard]] bool operator==(const PersistentMap& other) const
    requires std::equality_comparable<Key> && std::equality_comparable<Value>
  {
    if (root_ == other.root_) return true;
    if (size_ != other.size_) return false;
    Iterator mine = begin();
    Iterator theirs = other.begin();
    for (const Iterator stop = end(); mine != stop;) {
      if (Iterator::skip_shared(mine, theirs)) continue;
      if (!((*mine).key == (*theirs).key && (*mine).value == (*theirs).value)) return false;
      ++mine;
      ++theirs;
    }
    return true;
  }

 private:
  friend PersistentMapInspector;
  template <class, class, class>
  friend class PersistentMapDiff;
  using Node = tree::Node;
  using Tree = tree::Tree<Key, Value>;
  using Leaf = typename Tree::Leaf;

  template <class K>
  [[nodiscard]] static std::size_t index_in(const Leaf& leaf, const K& key) {
    return tree::lower_index<Compare>(leaf.keys.first(leaf.count), key);
  }

  // Whether the place that index_in has found is that of the key itself.
  template <class K>
  [[nodiscard]] static bool holds(const Leaf& leaf, std::size_t index, const K& key) {
    return index < leaf.count && !Compare{}(key, leaf.keys[index]);
  }

  // Fills the trail to the place of `key` and returns whether the key is there. The trail holds
  // indexes, so that `key` itself may lie in a node that the caller then changes.
  template <class K>
  bool locate(const K& key, tree::Trail& trail) const {
    if (root_ == nullptr) return false;
    Node* node = root_;
    for (std::size_t height = root_->height; height > 0; --height) {
      auto& inner = Tree::inner(node);
      const std::size_t index = tree::child_index<Compare>(inner, key);
      trail.nodes[height] = node;
      trail.indexes[height] = static_cast<std::uint8_t>(index);
      Tree::prefetch(inner.items[index]);
      node = Tree::below(inner, index);
    }
    const auto& leaf = Tree::leaf(node);
    const std::size_t index = index_in(leaf, key);
    trail.nodes[0] = node;
    trail.indexes[0] = static_cast<std::uint8_t>(index);
    return holds(leaf, index, key);
  }

  Node* root_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace almanac
