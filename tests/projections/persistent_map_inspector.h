// What tests may see of a PersistentMap's inside: whether the promises at the top of map_node.h
// hold, and which nodes a version does not share with another.
#pragma once

#include <almanac/projections/persistent/map.h>
#include <almanac/projections/persistent/set.h>

#include <cstddef>
#include <set>
#include <string>

namespace almanac {

struct PersistentMapInspector {
  // Between two bounds lie all keys of a subtree: `from` at or before the first, `below` after the
  // last; nullptr stands for no bound.
  template <class Key>
  struct Place {
    const Key* from = nullptr;
    const Key* below = nullptr;
    bool is_root = true;
    bool on_right_edge = true;
  };

  template <class Key, class Value, class Compare>
  struct Check {
    using Map = PersistentMap<Key, Value, Compare>;
    using Tree = tree::Tree<Key, Value>;

    std::string broken;  // the first promise found broken, or empty
    std::size_t entries = 0;

    void expect(bool holds, const char* promise) {
      if (!holds && broken.empty()) broken = promise;
    }

    void visit(tree::Node* node, const Place<Key>& place) {
      expect(node->owners.load() > 0, "a reachable node has an owner");
      expect(node->height < tree::levels_max, "the tree is no deeper than its ceiling");
      node->height == 0 ? visit_leaf(Tree::leaf(node), place)
                        : visit_inner(Tree::inner(node), place);
    }

    void visit_leaf(const typename Tree::Leaf& leaf, const Place<Key>& place) {
      expect(leaf.count >= (place.is_root || place.on_right_edge ? 1 : leaf.minimum),
             "a leaf is half full");
      expect(leaf.count <= leaf.capacity, "a leaf is within its capacity");
      for (std::size_t i = 0; i < leaf.count; ++i) expect_within(leaf.keys[i], place);
      expect_rising(leaf, 1);
      entries += leaf.count;
    }

    void visit_inner(const typename Tree::Inner& inner, const Place<Key>& place) {
      expect(inner.count >= (place.is_root || place.on_right_edge ? 2 : inner.minimum),
             "an inner node is half full");
      expect(inner.count <= inner.capacity, "an inner node is within its capacity");
      for (std::size_t i = 1; i < inner.count; ++i) expect_within(inner.keys[i], place);
      expect(place.from == nullptr || same_key(inner.keys[0], *place.from),
             "the first child's key is the node's own");
      expect_rising(inner, 2);
      for (std::size_t i = 0; i < inner.count; ++i) {
        const bool is_last = i + 1 == inner.count;
        expect(inner.items[i]->height + 1 == inner.height, "all leaves are at one depth");
        visit(Tree::below(inner, i), {.from = i == 0 ? place.from : &inner.keys[i],
                                      .below = is_last ? place.below : &inner.keys[i + 1],
                                      .is_root = false,
                                      .on_right_edge = place.on_right_edge && is_last});
      }
    }

    void expect_within(const Key& key, const Place<Key>& place) {
      expect(place.from == nullptr || !Compare{}(key, *place.from), "no key is left of its place");
      expect(place.below == nullptr || Compare{}(key, *place.below),
             "no key is right of its place");
    }

    [[nodiscard]] static bool same_key(const Key& one, const Key& other) {
      return !Compare{}(one, other) && !Compare{}(other, one);
    }

    template <class Block>
    void expect_rising(const Block& block, std::size_t second) {
      for (std::size_t i = second; i < block.count; ++i) {
        expect(Compare{}(block.keys[i - 1], block.keys[i]), "keys rise within a node");
      }
    }
  };

  template <class Key, class Value, class Compare>
  [[nodiscard]] static std::string check(const PersistentMap<Key, Value, Compare>& map) {
    Check<Key, Value, Compare> check;
    check.expect((map.root_ == nullptr) == (map.size_ == 0), "no node is kept for no entry");
    if (map.root_ != nullptr) check.visit(map.root_, {});
    check.expect(check.entries == map.size_, "size counts the entries");
    return check.broken;
  }

  template <class Key, class Compare>
  [[nodiscard]] static std::string check(const PersistentSet<Key, Compare>& set) {
    return check(set.keys_);
  }

  template <class Key, class Value, class Compare>
  [[nodiscard]] static std::set<const tree::Node*> nodes(
      const PersistentMap<Key, Value, Compare>& map) {
    std::set<const tree::Node*> found;
    if (map.root_ != nullptr) collect<tree::Tree<Key, Value>>(map.root_, found);
    return found;
  }

  template <class Tree>
  static void collect(tree::Node* node, std::set<const tree::Node*>& found) {
    found.insert(node);
    if (node->height == 0 || node->is_deferred) return;
    for (std::size_t i = 0; i < node->count; ++i) collect<Tree>(Tree::inner(node).items[i], found);
  }

  template <class Map>
  [[nodiscard]] static std::size_t levels(const Map& map) {
    return map.root_ == nullptr ? 0 : std::size_t{map.root_->height} + 1;
  }
};

// The first structural promise that a map or set breaks, or an empty string.
template <class Container>
[[nodiscard]] std::string check_structure(const Container& container) {
  return PersistentMapInspector::check(container);
}

// How many nodes of one version the other does not share.
template <class Map>
[[nodiscard]] std::size_t count_own_nodes(const Map& map, const Map& other) {
  const auto shared = PersistentMapInspector::nodes(other);
  std::size_t own = 0;
  for (const auto* node : PersistentMapInspector::nodes(map))
    own += shared.contains(node) ? 0U : 1U;
  return own;
}

}  // namespace almanac
