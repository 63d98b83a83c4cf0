// What the nodes of a PersistentMap are made of: keys in rising order, each with a value or a
// child. Only map_node.h includes this file, which says what holds of them.
#pragma once

#include <almanac/projections/persistent/node_pool.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace almanac::tree {

// The value of a map that is only a set; costs no byte.
struct Nothing {
  bool operator==(const Nothing&) const = default;
};

struct Range {
  std::size_t first = 0;
  std::size_t count = 0;
};

// Storage for objects that the owner creates and destroys one by one. It does not know which of
// its places hold an object; Block does.
template <class T, std::size_t capacity>
class Slots {
 public:
  Slots() noexcept {}
  ~Slots() {}
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;

  [[nodiscard]] T& operator[](std::size_t index) { return items_[index]; }
  [[nodiscard]] const T& operator[](std::size_t index) const { return items_[index]; }
  [[nodiscard]] std::span<const T> first(std::size_t count) const { return {items_, count}; }

  void put(std::size_t at, T&& item) noexcept { std::construct_at(items_ + at, std::move(item)); }
  void drop(Range range) noexcept { std::destroy_n(items_ + range.first, range.count); }
  void copy(const Slots& from, std::size_t count) noexcept {
    if constexpr (std::is_trivially_copyable_v<T>) {
      std::memcpy(static_cast<void*>(items_), from.items_, count * sizeof(T));
    } else {
      std::uninitialized_copy_n(from.items_, count, items_);
    }
  }

  // Moves objects to the empty places from `at` on and leaves their old places empty. `from` may
  // be this, and the ranges may overlap.
  void take(std::size_t at, Slots& from, Range range) noexcept {
    if (range.count == 0) return;
    T* target = items_ + at;
    T* source = from.items_ + range.first;
    if constexpr (std::is_trivially_copyable_v<T>) {
      std::memmove(static_cast<void*>(target), source, range.count * sizeof(T));
    } else if (this == &from && at > range.first) {
      for (std::size_t i = range.count; i-- > 0;) relocate(target + i, source[i]);
    } else {
      for (std::size_t i = 0; i < range.count; ++i) relocate(target + i, source[i]);
    }
  }

 private:
  static void relocate(T* target, T& source) noexcept {
    std::construct_at(target, std::move(source));
    std::destroy_at(&source);
  }

  union {
    T items_[capacity];
  };
};

template <std::size_t capacity>
class Slots<Nothing, capacity> {
 public:
  [[nodiscard]] Nothing& operator[](std::size_t) const { return nothing_; }
  void put(std::size_t, Nothing&&) noexcept {}
  void drop(Range) noexcept {}
  void copy(const Slots&, std::size_t) noexcept {}
  void take(std::size_t, Slots&, Range) noexcept {}

 private:
  // One object stands for all; nobody can tell, and nothing is ever written to it.
  static inline Nothing nothing_;
};

struct Node {
  explicit Node(std::uint8_t height_above_leaves) : height(height_above_leaves) {}

  // Acquire: what other owners read before they let go happened before we change the node.
  [[nodiscard]] bool has_one_owner() const { return owners.load(std::memory_order_acquire) == 1; }

  std::atomic<std::size_t> owners = 1;
  std::uint16_t count = 0;
  const std::uint8_t height;
  bool is_deferred = false;  // a stub (deferred.h); set once, when it is made
};

// `count` keys in rising order, each with an item: a value in a leaf, a child in an inner node.
template <class KeyType, class ItemType, std::size_t capacity_of_block>
struct Block : Node, Pooled<Block<KeyType, ItemType, capacity_of_block>> {
  using Key = KeyType;
  using Item = ItemType;
  static constexpr std::size_t capacity = capacity_of_block;
  static constexpr std::size_t minimum = capacity / 2;
  static constexpr bool is_inner = std::is_same_v<Item, Node*>;

  using Node::Node;

  void insert(std::size_t index, Key&& key, Item&& item) noexcept {
    keys.take(index + 1, keys, {index, count - index});
    keys.put(index, std::move(key));
    items.take(index + 1, items, {index, count - index});
    items.put(index, std::move(item));
    ++count;
  }

  void erase(std::size_t index) noexcept {
    keys.drop({index, 1});
    items.drop({index, 1});
    close({index, 1});
  }

  // Takes entries from the front of the next block.
  void append_from(Block& right, std::size_t taken) noexcept {
    keys.take(count, right.keys, {0, taken});
    items.take(count, right.items, {0, taken});
    count = static_cast<std::uint16_t>(count + taken);
    right.close({0, taken});
  }

  // Takes entries from the back of the previous block.
  void prepend_from(Block& left, std::size_t taken) noexcept {
    keys.take(taken, keys, {0, count});
    items.take(taken, items, {0, count});
    const Range tail{left.count - taken, taken};
    keys.take(0, left.keys, tail);
    items.take(0, left.items, tail);
    count = static_cast<std::uint16_t>(count + taken);
    left.count = static_cast<std::uint16_t>(left.count - taken);
  }

  void clear() noexcept {
    keys.drop({0, count});
    items.drop({0, count});
    count = 0;
  }

  Slots<Key, capacity> keys;
  [[no_unique_address]] Slots<Item, capacity> items;

 private:
  // Moves what follows a hole down over it.
  void close(Range hole) noexcept {
    const std::size_t end = hole.first + hole.count;
    keys.take(hole.first, keys, {end, count - end});
    items.take(hole.first, items, {end, count - end});
    count = static_cast<std::uint16_t>(count - hole.count);
  }
};

}  // namespace almanac::tree
