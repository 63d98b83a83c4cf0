// The node layer of PersistentMap: nodes, their shared ownership, and the steps by which a B+tree
// grows and shrinks. Only map.h, map_builder.h and diff.h include this file; everybody else wants
// map.h.
//
// A tree is a Node*; height 0 is a leaf, nullptr is the empty tree. A leaf holds keys and values,
// an inner node holds keys and children: both are a Block, and every step works on both.
// What holds in every tree (tests/projections/persistent_map_inspector.h checks it):
//  1. Every leaf is at the same depth; keys rise from left to right.
//  2. For each child but the first of an inner node, its key there is at most every key under that
//     child and greater than every key under the child before it. It need not be present in a
//     leaf. A search never looks at the key of a first child. It is the key that the node itself
//     has in its parent, so that it is right when the child moves to the node before; on the left
//     edge, where there is none before, it can be any value.
//  3. A node is at least half full, except the root and the nodes on the right edge. On the right
//     edge a leaf has at least one entry and an inner node at least two children.
//
// A child may be a stub (deferred.h): who goes on to a child enters it, and who changes it puts
// what was behind the stub in its place. What is said above holds behind stubs too.
//
// Ownership: `owners` counts the maps and inner nodes that own a node. A node that is reached from
// the root through nodes with one owner, each owned and not borrowed (loan.h) by the one above, and
// has one owner itself, belongs to one map alone and may be changed; any other node is constant.
// Nothing here throws: running out of memory, or a key or value that throws while it is copied,
// ends the program.
#pragma once

#include <almanac/projections/persistent/deferred.h>
#include <almanac/projections/persistent/loan.h>
#include <almanac/projections/persistent/map_block.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

namespace almanac::tree {

// After a snapshot most changes copy a few inner nodes: 16 children measured faster than 32 for
// changes and no slower to search.
inline constexpr std::size_t inner_capacity = 16;
static_assert(inner_capacity <= loan::children_max);
// A change after a snapshot copies a whole leaf, and up to 16 children of each node above it: of
// entries that are cheap to copy a leaf holds many, so that there are few nodes above, of others
// few. Measured on a queue of a million 24-byte keys that is published every 64 events: 64 to a
// leaf made an event cost a tenth less than 32.
template <class Key, class Value>
inline constexpr bool is_cheap_to_copy =
    std::conjunction_v<std::is_trivially_copyable<Key>, std::is_trivially_copyable<Value>>;
template <class Key, class Value>
inline constexpr std::size_t leaf_capacity = !is_cheap_to_copy<Key, Value> ||
                                                     sizeof(Key) + sizeof(Value) > 64
                                                 ? 16
                                             : sizeof(Key) + sizeof(Value) > 32 ? 32
                                                                                : 64;

// Levels of a tree, leaves included. The root's first child is not on the right edge, so it and
// all below it are at least half full: n levels have at least 8^(n-2) leaves. Seventeen levels
// are 2^45 leaves of 32 bytes or more, which is more than the 2^47 bytes a process can address.
inline constexpr std::size_t levels_max = 16;
static_assert(inner_capacity / 2 >= 8, "levels_max counts on 8 children in a half full node");

// The way from the root to an entry, by height: [0] is the leaf. What lies above the root's
// height is not set.
struct Trail {
  std::array<Node*, levels_max> nodes;
  std::array<std::uint8_t, levels_max> indexes;
};

// The index of the first key that is not before `key`: the front at once, others without branches.
template <class Compare, class Key, class K>
[[nodiscard]] std::size_t lower_index(std::span<const Key> keys, const K& key) {
  const Key* base = keys.data();
  std::size_t count = keys.size();
  if (count == 0 || !Compare{}(*base, key)) return 0;
  while (count > 1) {
    const std::size_t half = count / 2;
    base += Compare{}(base[half - 1], key) ? half : 0;
    count -= half;
  }
  return static_cast<std::size_t>(base - keys.data()) + (Compare{}(*base, key) ? 1 : 0);
}

// The index of the child under which `key` belongs: the last whose key does not come after it.
template <class Compare, class InnerBlock, class K>
[[nodiscard]] std::size_t child_index(const InnerBlock& inner, const K& key) {
  const auto* base = &inner.keys[0];
  std::size_t count = inner.count;
  if (count > 1 && Compare{}(key, base[1])) return 0;
  while (count > 1) {
    const std::size_t half = count / 2;
    base += Compare{}(key, base[half]) ? 0 : half;
    count -= half;
  }
  return static_cast<std::size_t>(base - &inner.keys[0]);
}

// The steps on trees of one kind of entry.
template <class Key, class Value>
struct Tree {
  using Leaf = Block<Key, Value, leaf_capacity<Key, Value>>;
  struct Inner : loan::Loan<Inner>, Block<Key, Node*, inner_capacity> {
    using Block<Key, Node*, inner_capacity>::Block;
  };

  [[nodiscard]] static Leaf& leaf(Node* node) { return *static_cast<Leaf*>(node); }
  [[nodiscard]] static Inner& inner(Node* node) { return *static_cast<Inner*>(node); }

  [[nodiscard]] static const Key& first_key(Node* node) {
    return node->height == 0 ? leaf(node).keys[0] : inner(node).keys[0];
  }

  // The child to go on at.
  [[nodiscard]] static Node* below(const Inner& node, std::size_t index) {
    return deferred::entered<Tree>(node.items[index]);
  }

  static void prefetch(const Node* node) {
    const auto* bytes = reinterpret_cast<const char*>(node);
    for (std::size_t at = 0; at < sizeof(Inner); at += 64) __builtin_prefetch(bytes + at);
  }

  static Node* retain(Node* node) noexcept {
    if (node != nullptr) node->owners.fetch_add(1, std::memory_order_relaxed);
    return node;
  }

  static void release(Node* node) noexcept {
    // A lender follows the node that has borrowed from it, and there may be many in a row.
    while (node != nullptr) {
      const bool last =
          node->has_one_owner() || node->owners.fetch_sub(1, std::memory_order_acq_rel) == 1;
      if (!last) return;
      node = destroy(node);
    }
  }

  // Makes every node on the trail this map's own and lets the trail point at the copies.
  static void unshare(Node*& root, Trail& trail) noexcept {
    unshare_root(root);
    trail.nodes[root->height] = root;
    for (std::size_t height = root->height; height > 0; --height) {
      Inner& above = inner(trail.nodes[height]);
      const std::size_t index = trail.indexes[height];
      unshare_child(above, index);
      trail.nodes[height - 1] = above.items[index];
    }
  }

  // True when an entry put at the trail's end becomes the last of the whole tree.
  [[nodiscard]] static bool is_append(const Trail& trail, std::size_t root_height) {
    if (trail.indexes[0] != trail.nodes[0]->count) return false;
    for (std::size_t height = 1; height <= root_height; ++height) {
      if (trail.indexes[height] + 1 != trail.nodes[height]->count) return false;
    }
    return true;
  }

  // Inserts where the trail ends. Every node on the trail must be this map's own.
  static void insert(Node*& root, const Trail& trail, Key&& key, Value&& value) noexcept {
    const bool append = is_append(trail, root->height);
    Node* added =
        insert_into(leaf(trail.nodes[0]),
                    Addition<Value>{trail.indexes[0], std::move(key), std::move(value), append});
    for (std::size_t height = 1; added != nullptr; ++height) {
      if (height > root->height) return grow(root, added);
      const std::size_t index = trail.indexes[height] + std::size_t{1};
      loan::settle<Tree>(inner(trail.nodes[height]));
      added = insert_into(inner(trail.nodes[height]),
                          Addition<Node*>{index, first_key(added), added, append});
    }
  }

  // Erases the entry where the trail ends. Every node on the trail must be this map's own.
  static void erase(Node*& root, const Trail& trail) noexcept {
    leaf(trail.nodes[0]).erase(trail.indexes[0]);
    for (std::size_t height = 1; height <= root->height; ++height) {
      if (!is_short(trail.nodes[height - 1])) break;
      mend(inner(trail.nodes[height]), trail.indexes[height]);
    }
    shrink(root);
  }

  // --- What a loan asks of a tree.
  [[nodiscard]] static std::uint32_t children(const Inner& node) {
    return (std::uint32_t{1} << node.count) - 1;
  }
  [[nodiscard]] static Node* child(const Inner& node, std::size_t index) {
    return node.items[index];
  }
  // Frees a node, and nothing it points at.
  static void drop(Inner& node) noexcept {
    node.clear();
    delete &node;
  }

 private:
  template <class Item>
  struct Addition {
    std::size_t index;
    Key key;
    Item item;
    bool append;
  };

  // Returns the node to release next, or nullptr.
  [[nodiscard]] static Node* destroy(Node* node) noexcept {
    if (node->is_deferred) return deferred::drop(node);
    if (node->height == 0) {
      leaf(node).clear();
      delete &leaf(node);
      return nullptr;
    }
    Inner& block = inner(node);
    loan::release_owned<Tree>(block);
    Node* lender = block.lender.load(std::memory_order_acquire);
    drop(block);
    return lender;
  }

  // A root that is shared is replaced by a copy.
  static void unshare_root(Node*& root) noexcept {
    if (root->has_one_owner()) return;
    if (root->height > 0) {
      root = borrow_from(inner(root));
    } else {
      release(std::exchange(root, clone(leaf(root))));
    }
  }

  // The same for a child of a node that is this map's own.
  static void unshare_child(Inner& parent, std::size_t index) noexcept {
    if (parent.items[index]->is_deferred) [[unlikely]]
      put_made(parent, index);
    if (!parent.borrows(index) && parent.items[index]->has_one_owner()) return;
    replace_child(parent, index);
  }

  // Puts what stands behind a stub in its place.
  [[gnu::noinline]] static void put_made(Inner& parent, std::size_t index) noexcept {
    Node* behind = retain(below(parent, index));
    Node* stub = std::exchange(parent.items[index], behind);
    if (parent.borrows(index)) {
      parent.replaced(index);
    } else {
      release(stub);
    }
  }

  [[gnu::noinline]] static void replace_child(Inner& parent, std::size_t index) noexcept {
    loan::absorb<Tree>(parent);
    Node*& link = parent.items[index];
    const bool is_borrowed = parent.borrows(index);
    if (!is_borrowed && link->has_one_owner()) return;
    if (link->height == 0) {
      Node* copy = clone(leaf(link));
      if (!is_borrowed) release(link);
      link = copy;
    } else {
      if (is_borrowed) retain(link);
      link = borrow_from(inner(link));
    }
    if (!is_borrowed) return;
    parent.replaced(index);
    if (parent.is_settled_better()) loan::settle<Tree>(parent);
  }

  [[nodiscard]] static Node* clone(const Leaf& block) noexcept {
    auto* copy = new Leaf(block.height);
    copy->keys.copy(block.keys, block.count);
    copy->items.copy(block.items, block.count);
    copy->count = block.count;
    return copy;
  }

  // A copy that borrows all children, and takes over the caller's ownership of the lender.
  [[nodiscard]] static Node* borrow_from(Inner& lender) noexcept {
    loan::absorb<Tree>(lender);
    auto* copy = new Inner(lender.height);
    copy->keys.copy(lender.keys, lender.count);
    copy->items.copy(lender.items, lender.count);
    copy->count = lender.count;
    copy->borrowed = static_cast<std::uint16_t>(children(lender));
    copy->lender.store(&lender, std::memory_order_relaxed);
    return copy;
  }

  [[nodiscard]] static bool is_short(const Node* node) {
    return node->count < (node->height == 0 ? Leaf::minimum : Inner::minimum);
  }

  // Returns the new node to the right when the block was full, nullptr otherwise. An append leaves
  // the full block full, so that keys that only ever rise fill every node; a new inner node still
  // takes one child along, so that it always has a pair to mend with.
  template <class Kind>
  [[nodiscard]] static Node* insert_into(Kind& block,
                                         Addition<typename Kind::Item>&& addition) noexcept {
    const auto put = [&](Kind& target, std::size_t index) {
      target.insert(index, std::move(addition.key), std::move(addition.item));
    };
    if (block.count < Kind::capacity) {
      put(block, addition.index);
      return nullptr;
    }
    constexpr std::size_t taken_along = Kind::is_inner ? 1 : 0;
    const std::size_t moved = addition.append ? taken_along : Kind::capacity - Kind::minimum;
    const std::size_t kept = Kind::capacity - moved;
    auto* right = new Kind(block.height);
    right->prepend_from(block, moved);
    if (addition.index < kept) {
      put(block, addition.index);
    } else {
      put(*right, addition.index - kept);
    }
    return right;
  }

  // Puts a new root above the old one and its new right neighbour.
  static void grow(Node*& root, Node* right) noexcept {
    auto* above = new Inner(static_cast<std::uint8_t>(root->height + 1));
    above->insert(0, Key(first_key(root)), std::move(root));
    above->insert(1, Key(first_key(right)), std::move(right));
    root = above;
  }

  // Takes away a root that has nothing to choose between.
  static void shrink(Node*& root) noexcept {
    if (root->height == 0) {
      if (root->count == 0) release(std::exchange(root, nullptr));
      return;
    }
    if (root->count > 1) return;
    Node* only = retain(inner(root).items[0]);  // no stub: it has just been joined with another
    release(std::exchange(root, only));
  }

  static void mend(Inner& parent, std::size_t index) noexcept {
    const std::size_t left = index > 0 ? index - 1 : 0;
    loan::settle<Tree>(parent);
    parent.height == 1 ? level<Leaf>(parent, left) : level<Inner>(parent, left);
  }

  // Joins child `at` with the one after it when the two are less than one full node, shares their
  // entries evenly otherwise: both are at least half full then.
  template <class Kind>
  static void level(Inner& parent, std::size_t at) noexcept {
    unshare_child(parent, at);
    unshare_child(parent, at + 1);
    auto& left = static_cast<Kind&>(*parent.items[at]);
    auto& right = static_cast<Kind&>(*parent.items[at + 1]);
    if constexpr (Kind::is_inner) {
      loan::settle<Tree>(left);
      loan::settle<Tree>(right);
    }
    const std::size_t total = std::size_t{left.count} + right.count;
    if (total < Kind::capacity) {
      left.append_from(right, right.count);
      release(&right);
      parent.erase(at + 1);
      return;
    }
    if (left.count > total / 2) {
      right.prepend_from(left, left.count - total / 2);
    } else {
      left.append_from(right, total / 2 - left.count);
    }
    parent.keys[at + 1] = right.keys[0];
  }
};

}  // namespace almanac::tree
