// The node layer of PersistentVector: nodes, their shared ownership, and the ways through them.
// Only vector.h and diff.h include this file; everybody else wants vector.h.
//
// A tree is a Node*; height 0 is a leaf, nullptr is the empty tree. A leaf has a place for each of
// 2^leaf_bits neighbouring numbers and a bit for each that says whether it is taken; an inner node
// has 16 children, nullptr where nothing is. The bits of a number are the way to its place.
// What holds in every tree (tests/projections/persistent_vector_inspector.h checks it):
//  1. A leaf has an entry, an inner node a child.
//  2. The root is no higher than the largest number needs. With 1 it follows that the shape of a
//     tree depends on its numbers alone, not on how it came about.
//
// A child may be a stub (deferred.h), as in map_node.h. Ownership is that of map_node.h, too:
// `owners` counts the vectors and inner nodes that own a node; one that is reached from the root
// through nodes with one owner, each owned and not borrowed (loan.h), and has one owner itself, may
// be changed, any other node is constant. Nothing here throws.
#pragma once

#include <almanac/projections/persistent/deferred.h>
#include <almanac/projections/persistent/loan.h>
#include <almanac/projections/persistent/node_pool.h>

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>

namespace almanac::radix {

inline constexpr unsigned inner_bits = 4;
inline constexpr std::size_t fan_out = std::size_t{1} << inner_bits;
static_assert(fan_out <= loan::children_max);
// A leaf is copied whole after a snapshot: it aims at no more than 1 KiB, and at 8 to 32 places.
inline constexpr std::size_t leaf_bytes_aim = 1024;
template <class Value>
inline constexpr unsigned leaf_bits = sizeof(Value) * 32 <= leaf_bytes_aim   ? 5
                                      : sizeof(Value) * 16 <= leaf_bytes_aim ? 4
                                                                             : 3;

struct Node {
  explicit Node(std::uint8_t height_above_leaves) : height(height_above_leaves) {}

  // Acquire: what other owners read before they let go happened before we change the node.
  [[nodiscard]] bool has_one_owner() const { return owners.load(std::memory_order_acquire) == 1; }

  std::atomic<std::uint32_t> owners = 1;
  const std::uint8_t height;
  bool is_deferred = false;  // a stub (deferred.h); set once, when it is made
};

template <class Value>
struct Leaf : Node, Pooled<Leaf<Value>> {
  static constexpr std::size_t places = std::size_t{1} << leaf_bits<Value>;

  Leaf() noexcept : Node(0) {}
  Leaf(const Leaf& other) noexcept : Node(0), taken(other.taken) {
    if constexpr (std::is_trivially_copyable_v<Value>) {
      std::memcpy(static_cast<void*>(values), other.values, sizeof(values));
    } else {
      each([&](std::size_t place) { std::construct_at(values + place, other.values[place]); });
    }
  }
  Leaf& operator=(const Leaf&) = delete;
  ~Leaf() {
    if constexpr (!std::is_trivially_destructible_v<Value>) {
      each([&](std::size_t place) { std::destroy_at(values + place); });
    }
  }

  [[nodiscard]] bool has(std::size_t place) const { return ((taken >> place) & 1U) != 0; }
  void put(std::size_t place, Value&& value) noexcept {
    if (has(place)) {
      values[place] = std::move(value);
    } else {
      std::construct_at(values + place, std::move(value));
      taken |= std::uint32_t{1} << place;
    }
  }
  void drop(std::size_t place) noexcept {
    std::destroy_at(values + place);
    taken &= ~(std::uint32_t{1} << place);
  }

  std::uint32_t taken = 0;
  union {
    Value values[places];
  };

 private:
  template <class Do>
  void each(Do act) const {
    for (std::uint32_t rest = taken; rest != 0; rest &= rest - 1) {
      act(static_cast<std::size_t>(std::countr_zero(rest)));
    }
  }
};

struct Inner : Node, Pooled<Inner>, loan::Loan<Inner> {
  using Node::Node;

  [[nodiscard]] bool is_empty() const {
    for (const Node* child : children) {
      if (child != nullptr) return false;
    }
    return true;
  }

  std::array<Node*, fan_out> children{};
};

// The steps on trees of one kind of value.
template <class Value>
struct Tree {
  static constexpr unsigned bits = leaf_bits<Value>;
  static constexpr std::size_t levels_max = (64 - bits + inner_bits - 1) / inner_bits + 1;

  [[nodiscard]] static Leaf<Value>& leaf(Node* node) { return *static_cast<Leaf<Value>*>(node); }
  [[nodiscard]] static const Leaf<Value>& leaf(const Node* node) {
    return *static_cast<const Leaf<Value>*>(node);
  }
  [[nodiscard]] static Inner& inner(Node* node) { return *static_cast<Inner*>(node); }
  [[nodiscard]] static const Inner& inner(const Node* node) {
    return *static_cast<const Inner*>(node);
  }

  // How far the bits below a node's own lie, for a node at `height` > 0.
  [[nodiscard]] static constexpr unsigned shift(std::size_t height) {
    return bits + inner_bits * static_cast<unsigned>(height - 1);
  }
  [[nodiscard]] static constexpr std::size_t child_of(std::uint64_t number, std::size_t height) {
    return (number >> shift(height)) & (fan_out - 1);
  }
  [[nodiscard]] static constexpr std::size_t place_of(std::uint64_t number) {
    return number & (Leaf<Value>::places - 1);
  }
  // Whether a root of this height has a place for the number.
  [[nodiscard]] static constexpr bool covers(std::size_t height, std::uint64_t number) {
    const unsigned width = bits + inner_bits * static_cast<unsigned>(height);
    return width >= 64 || (number >> width) == 0;
  }

  static Node* retain(Node* node) noexcept {
    if (node != nullptr) node->owners.fetch_add(1, std::memory_order_relaxed);
    return node;
  }

  [[nodiscard]] static Node* entered(Node* node) { return deferred::entered<Tree>(node); }
  [[nodiscard]] static const Node* entered(const Node* node) {
    return deferred::entered<Tree>(node);
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

  // The leaf with the number's place, or nullptr.
  [[nodiscard]] static const Leaf<Value>* find(const Node* root, std::uint64_t number) {
    return root == nullptr || !covers(root->height, number) ? nullptr : find_below(root, number);
  }
  [[nodiscard]] static const Leaf<Value>* find_below(const Node* node, std::uint64_t number) {
    node = entered(node);
    for (std::size_t height = node->height; height > 0; --height) {
      node = inner(node).children[child_of(number, height)];
      if (node == nullptr) return nullptr;
      node = entered(node);
    }
    return &leaf(node);
  }

  // The leaf with the number's place, made where it is missing; all on the way there is the tree's
  // own afterwards.
  [[nodiscard]] static Leaf<Value>& own(Node*& root, std::uint64_t number) noexcept {
    if (root == nullptr) root = make(height_for(number));
    while (!covers(root->height, number)) {
      auto* above = new Inner(static_cast<std::uint8_t>(root->height + 1));
      above->children[0] = std::exchange(root, above);
    }
    unshare_root(root);
    Node* node = root;
    for (std::size_t height = root->height; height > 0; --height) {
      const std::size_t child = child_of(number, height);
      Node*& link = inner(node).children[child];
      if (link == nullptr) {
        link = make(height - 1);
      } else {
        unshare_child(inner(node), child);
      }
      node = link;
    }
    return leaf(node);
  }

  // Stubs stand for subtrees of this height, and of so many numbers.
  static constexpr std::size_t deferred_height = 2;
  static constexpr std::uint64_t deferred_numbers = std::uint64_t{1} << (bits + inner_bits * 2);

  // Puts a stub where the numbers from `first` on belong, where nothing is yet. All on the way is
  // the tree's own, and the root is higher than a stub.
  static void hang(Node* root, std::uint64_t first, Node* stub) noexcept {
    for (std::size_t height = root->height;; --height) {
      Node*& link = inner(root).children[child_of(first, height)];
      if (height == deferred_height + 1) {
        link = stub;
        return;
      }
      if (link == nullptr) link = make(height - 1);
      root = link;
    }
  }
  // An empty tree that has a place for the number.
  [[nodiscard]] static Node* make_for(std::uint64_t number) noexcept {
    return make(height_for(number));
  }

  // The leaf that holds the number, with all on the way there the tree's own; nullptr, and nothing
  // copied, when the number is not there.
  [[nodiscard]] static Leaf<Value>* own_existing(Node*& root, std::uint64_t number) noexcept {
    if (root == nullptr || !covers(root->height, number)) return nullptr;
    bool is_known = !root->has_one_owner();
    if (is_known && !has(root, number)) return nullptr;
    unshare_root(root);
    Node* node = root;
    for (std::size_t height = root->height; height > 0; --height) {
      const std::size_t child = child_of(number, height);
      Node*& link = inner(node).children[child];
      if (link == nullptr) return nullptr;
      if (!is_known && !is_own(inner(node), child)) {
        if (!has(link, number)) return nullptr;
        is_known = true;
      }
      unshare_child(inner(node), child);
      node = link;
    }
    return leaf(node).has(place_of(number)) ? &leaf(node) : nullptr;
  }

  // Erases an entry that is there.
  static void erase(Node*& root, std::uint64_t number) noexcept {
    (void)own(root, number);
    if (erase_below(root, number)) return release(std::exchange(root, nullptr));
    lower(root);
  }
  // Takes away roots that are higher than the largest number needs.
  static void lower(Node*& root) noexcept {
    while (root->height > 0 && only_first_child(inner(root))) {
      Node* first = retain(entered(inner(root).children[0]));
      release(std::exchange(root, first));
    }
  }

  // The leaf with the first entry at or after `number`, which becomes that entry's; nullptr and any
  // number when there is none. `number` must lie below `node`.
  [[nodiscard]] static const Leaf<Value>* seek(const Node* node, std::uint64_t& number) {
    if (node == nullptr) return nullptr;
    node = entered(node);
    if (node->height == 0) {
      const std::uint32_t rest = leaf(node).taken >> place_of(number);
      if (rest == 0) return nullptr;
      number += static_cast<std::uint64_t>(std::countr_zero(rest));
      return &leaf(node);
    }
    const std::uint64_t sought = number;
    const std::size_t first = child_of(sought, node->height);
    for (std::size_t child = first; child < fan_out; ++child) {
      number = child == first ? sought : first_below(sought, node->height, child);
      if (const auto* found = seek(inner(node).children[child], number)) return found;
    }
    return nullptr;
  }

  // The same towards smaller numbers: the last entry at or before `number`.
  [[nodiscard]] static const Leaf<Value>* seek_back(const Node* node, std::uint64_t& number) {
    if (node == nullptr) return nullptr;
    node = entered(node);
    if (node->height == 0) {
      const auto unused = 31 - static_cast<unsigned>(place_of(number));
      const std::uint32_t rest = leaf(node).taken << unused;
      if (rest == 0) return nullptr;
      number -= static_cast<std::uint64_t>(std::countl_zero(rest));
      return &leaf(node);
    }
    const std::uint64_t sought = number;
    const std::size_t last = child_of(sought, node->height);
    for (std::size_t child = last + 1; child-- > 0;) {
      number = child == last ? sought : first_below(sought, node->height, child + 1) - 1;
      if (const auto* found = seek_back(inner(node).children[child], number)) return found;
    }
    return nullptr;
  }

  // The largest number a root of this height has a place for.
  [[nodiscard]] static constexpr std::uint64_t largest(std::size_t height) {
    const unsigned width = bits + inner_bits * static_cast<unsigned>(height);
    return width >= 64 ? std::numeric_limits<std::uint64_t>::max()
                       : (std::uint64_t{1} << width) - 1;
  }

  // --- What a loan asks of a tree.
  [[nodiscard]] static std::uint32_t children(const Inner& node) {
    std::uint32_t there = 0;
    for (std::size_t i = 0; i < fan_out; ++i) there |= (node.children[i] != nullptr ? 1U : 0U) << i;
    return there;
  }
  [[nodiscard]] static Node* child(const Inner& node, std::size_t index) {
    return node.children[index];
  }
  // Frees a node, and nothing it points at.
  static void drop(Inner& node) noexcept { delete &node; }

 private:
  [[nodiscard]] static bool has(const Node* node, std::uint64_t number) {
    const auto* found = find_below(node, number);
    return found != nullptr && found->has(place_of(number));
  }

  // The first number below a child of the node at `height` > 0 on the way to `number`.
  [[nodiscard]] static constexpr std::uint64_t first_below(std::uint64_t number, std::size_t height,
                                                           std::size_t child) {
    const unsigned below = shift(height);
    const std::uint64_t before = number >> below >> inner_bits << inner_bits;
    return (before + child) << below;
  }

  [[nodiscard]] static std::size_t height_for(std::uint64_t number) {
    std::size_t height = 0;
    while (!covers(height, number)) ++height;
    return height;
  }

  [[nodiscard]] static Node* make(std::size_t height) noexcept {
    if (height == 0) return new Leaf<Value>();
    return new Inner(static_cast<std::uint8_t>(height));
  }

  // Whether the child belongs to the vector that `parent` belongs to, and to no other.
  [[nodiscard]] static bool is_own(const Inner& parent, std::size_t child) {
    return !parent.borrows(child) && parent.children[child]->has_one_owner();
  }

  // A root that is shared is replaced by a copy.
  static void unshare_root(Node*& root) noexcept {
    if (root->has_one_owner()) return;
    if (root->height > 0) {
      root = borrow_from(inner(root));
    } else {
      release(std::exchange(root, new Leaf<Value>(leaf(root))));
    }
  }

  // The same for a child, which is there, of a node that is the vector's own.
  static void unshare_child(Inner& parent, std::size_t index) noexcept {
    if (parent.children[index]->is_deferred) [[unlikely]]
      put_made(parent, index);
    if (!is_own(parent, index)) replace_child(parent, index);
  }

  // Puts what stands behind a stub in its place.
  [[gnu::noinline]] static void put_made(Inner& parent, std::size_t index) noexcept {
    Node* behind = retain(entered(parent.children[index]));
    Node* stub = std::exchange(parent.children[index], behind);
    if (parent.borrows(index)) {
      parent.replaced(index);
    } else {
      release(stub);
    }
  }

  [[gnu::noinline]] static void replace_child(Inner& parent, std::size_t index) noexcept {
    loan::absorb<Tree>(parent);
    if (is_own(parent, index)) return;
    Node*& link = parent.children[index];
    const bool is_borrowed = parent.borrows(index);
    if (link->height == 0) {
      Node* copy = new Leaf<Value>(leaf(link));
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

  // A copy that borrows all children, and takes over the caller's ownership of the lender.
  [[nodiscard]] static Node* borrow_from(Inner& lender) noexcept {
    loan::absorb<Tree>(lender);
    auto* copy = new Inner(lender.height);
    copy->children = lender.children;
    copy->borrowed = static_cast<std::uint16_t>(children(lender));
    copy->lender.store(&lender, std::memory_order_relaxed);
    return copy;
  }

  // Returns the node to release next, or nullptr.
  [[nodiscard]] static Node* destroy(Node* node) noexcept {
    if (node->is_deferred) return deferred::drop(node);
    if (node->height == 0) {
      delete &leaf(node);
      return nullptr;
    }
    Inner& block = inner(node);
    loan::release_owned<Tree>(block);
    Node* lender = block.lender.load(std::memory_order_acquire);
    drop(block);
    return lender;
  }

  // Whether nothing is left below `node`.
  [[nodiscard]] static bool erase_below(Node* node, std::uint64_t number) noexcept {
    if (node->height == 0) {
      leaf(node).drop(place_of(number));
      return leaf(node).taken == 0;
    }
    Node*& child = inner(node).children[child_of(number, node->height)];
    if (!erase_below(child, number)) return false;
    release(std::exchange(child, nullptr));
    return inner(node).is_empty();
  }

  [[nodiscard]] static bool only_first_child(const Inner& node) {
    for (std::size_t i = 1; i < fan_out; ++i) {
      if (node.children[i] != nullptr) return false;
    }
    return node.children[0] != nullptr;
  }
};

// Makes what a stub stands for: the subtree of the numbers from `first` on.
template <class Value>
class SubtreeBuilder {
 public:
  explicit SubtreeBuilder(std::uint64_t first)
      : first_(first), root_(new Inner(Tree<Value>::deferred_height)) {}
  SubtreeBuilder(const SubtreeBuilder&) = delete;
  SubtreeBuilder& operator=(const SubtreeBuilder&) = delete;
  ~SubtreeBuilder() {
    if (root_ != nullptr) Tree<Value>::release(root_);
  }

  // Rising numbers are fastest. What does not belong here is left out.
  void put(std::uint64_t number, Value&& value) noexcept {
    const std::uint64_t at = number - first_;
    if (at >= Tree<Value>::deferred_numbers) return;
    if (leaf_ == nullptr || at >> Tree<Value>::bits != last_ >> Tree<Value>::bits) {
      leaf_ = &Tree<Value>::own(root_, at);
    }
    last_ = at;
    leaf_->put(Tree<Value>::place_of(at), std::move(value));
  }
  [[nodiscard]] Node* finish() noexcept { return std::exchange(root_, nullptr); }

 private:
  const std::uint64_t first_;
  Node* root_;
  Leaf<Value>* leaf_ = nullptr;
  std::uint64_t last_ = 0;  // put, counted from `first_`
};

}  // namespace almanac::radix
