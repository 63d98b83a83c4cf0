// What changed between two versions of a persistent container: visits the difference in key order,
// at the cost of what the versions do not share. Versions of any two containers of one type may be
// compared; that they have a common past only makes it fast.
//
//   diff(before, after, visit)
//     maps and vectors: visit(key, const Value* before, const Value* after); nullptr where the key
//                       is missing. An entry whose values are equal (==) is not visited.
//     sets:             visit(key, Change::added or Change::removed)
//
// What a visit is given lives as long as both versions. Nothing is allocated. O(changes * log n)
// for versions of one history; O(n) for containers that share nothing.
#pragma once

#include <almanac/projections/persistent/map.h>
#include <almanac/projections/persistent/set.h>
#include <almanac/projections/persistent/vector.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace almanac {

enum class Change : bool { removed, added };

template <class Key, class Value, class Compare>
class PersistentMapDiff {
 public:
  using Map = PersistentMap<Key, Value, Compare>;
  static constexpr const Value* none = nullptr;  // typed, for visitors that are templates

  PersistentMapDiff(const Map& before, const Map& after)
      : before_(before.root_), after_(after.root_) {}

  template <class Visit>
  void run(Visit& visit) {
    while (!before_.is_done() && !after_.is_done()) {
      if (before_.at_entry() && after_.at_entry()) {
        merge(visit);
      } else if (before_.at_entry()) {
        reach(before_, after_, [&] { visit(before_.key(), &before_.value(), none); });
      } else if (after_.at_entry()) {
        reach(after_, before_, [&] { visit(after_.key(), none, &after_.value()); });
      } else {
        skip_or_open();
      }
    }
    drain(before_, [&] { visit(before_.key(), &before_.value(), none); });
    drain(after_, [&] { visit(after_.key(), none, &after_.value()); });
  }

 private:
  using Node = tree::Node;
  using Tree = tree::Tree<Key, Value>;

  // Walks a tree in key order and stands either at an entry or at a subtree that it has not looked
  // into: shared subtrees are skipped without touching their memory.
  class Cursor {
   public:
    explicit Cursor(Node* root) : root_(root), top_(root == nullptr ? 0 : root->height + 1U) {
      level_ = top_;
      is_done_ = root == nullptr;
    }

    [[nodiscard]] bool is_done() const { return is_done_; }
    [[nodiscard]] bool at_entry() const { return level_ == 0; }
    // The height of the subtree it stands at, and one more.
    [[nodiscard]] std::size_t level() const { return level_; }
    [[nodiscard]] const Key& key() const { return Tree::leaf(nodes_[0]).keys[indexes_[0]]; }
    [[nodiscard]] const Value& value() const { return Tree::leaf(nodes_[0]).items[indexes_[0]]; }
    [[nodiscard]] Node* subtree() const {
      return level_ == top_ ? root_ : Tree::inner(nodes_[level_]).items[indexes_[level_]];
    }
    // Whether all keys of the subtree are known to come after `key`. Its parent knows that but on
    // the left edge, which both cursors have looked into before either stands at an entry.
    [[nodiscard]] bool is_behind(const Key& key) const {
      return level_ != top_ && Compare{}(key, Tree::inner(nodes_[level_]).keys[indexes_[level_]]);
    }

    void open() {
      Node* node = deferred::entered<Tree>(subtree());
      --level_;
      nodes_[level_] = node;
      indexes_[level_] = 0;
    }
    // To what comes after the entry or subtree.
    void skip() {
      for (; level_ < top_; ++level_) {
        if (++indexes_[level_] < nodes_[level_]->count) return;
      }
      is_done_ = true;
    }

   private:
    Node* root_;
    std::size_t top_;
    std::size_t level_;
    bool is_done_;
    std::array<Node*, tree::levels_max> nodes_;
    std::array<std::uint8_t, tree::levels_max> indexes_;
  };

  // Neither has been looked into: both are passed when they are one, opened where they are not.
  void skip_or_open() {
    if (before_.subtree() == after_.subtree()) {
      before_.skip();
      after_.skip();
      return;
    }
    const std::size_t level = std::max(before_.level(), after_.level());
    if (before_.level() == level) before_.open();
    if (after_.level() == level) after_.open();
  }

  // One stands at an entry, the other at a subtree: the entry has no counterpart, or the subtree
  // has to be looked into.
  template <class Report>
  static void reach(Cursor& entry, Cursor& subtree, Report report) {
    if (!subtree.is_behind(entry.key())) return subtree.open();
    report();
    entry.skip();
  }

  template <class Visit>
  void merge(Visit& visit) {
    if (Compare{}(before_.key(), after_.key())) {
      visit(before_.key(), &before_.value(), none);
      before_.skip();
    } else if (Compare{}(after_.key(), before_.key())) {
      visit(after_.key(), none, &after_.value());
      after_.skip();
    } else {
      if (!(before_.value() == after_.value())) {
        visit(after_.key(), &before_.value(), &after_.value());
      }
      before_.skip();
      after_.skip();
    }
  }

  template <class Report>
  static void drain(Cursor& cursor, Report report) {
    while (!cursor.is_done()) {
      if (!cursor.at_entry()) {
        cursor.open();
        continue;
      }
      report();
      cursor.skip();
    }
  }

  Cursor before_;
  Cursor after_;
};

// Trees of numbers are compared place by place: what is at one number is in one place in both.
template <class Number, class Value>
struct PersistentVectorDiff {
  using Vector = PersistentVector<Number, Value>;
  using Node = radix::Node;
  using Tree = radix::Tree<Value>;

  template <class Visit>
  static void run(const Vector& before, const Vector& after, Visit& visit) {
    const std::size_t height = std::max(height_of(before.root_), height_of(after.root_));
    compare({before.root_, after.root_}, height, 0, visit);
  }

 private:
  struct Pair {
    const Node* before;
    const Node* after;
  };

  [[nodiscard]] static std::size_t height_of(const Node* node) {
    return node == nullptr ? 0 : node->height;
  }

  // A lower root stands where the first child of a higher one would.
  [[nodiscard]] static const Node* child_at(const Node* node, std::size_t height,
                                            std::size_t child) {
    if (node == nullptr) return nullptr;
    if (node->height < height) return child == 0 ? node : nullptr;
    return Tree::inner(node).children[child];
  }

  template <class Visit>
  static void compare(Pair nodes, std::size_t height, std::uint64_t first, Visit& visit) {
    if (nodes.before == nodes.after) return;
    if (nodes.before != nullptr) nodes.before = Tree::entered(nodes.before);
    if (nodes.after != nullptr) nodes.after = Tree::entered(nodes.after);
    if (nodes.before == nodes.after) return;
    if (height == 0) return compare_values(nodes, first, visit);
    for (std::size_t child = 0; child < radix::fan_out; ++child) {
      compare({child_at(nodes.before, height, child), child_at(nodes.after, height, child)},
              height - 1, first + (std::uint64_t{child} << Tree::shift(height)), visit);
    }
  }

  [[nodiscard]] static const Value* value_at(const Node* node, std::size_t place) {
    if (node == nullptr || !Tree::leaf(node).has(place)) return nullptr;
    return &Tree::leaf(node).values[place];
  }

  template <class Visit>
  static void compare_values(Pair leaves, std::uint64_t first, Visit& visit) {
    for (std::size_t place = 0; place < radix::Leaf<Value>::places; ++place) {
      const Value* before = value_at(leaves.before, place);
      const Value* after = value_at(leaves.after, place);
      if (before == after) continue;  // in neither
      if (before != nullptr && after != nullptr && *before == *after) continue;
      visit(Number(static_cast<decltype(Number::value)>(first + place)), before, after);
    }
  }
};

template <class Key, class Value, class Compare, class Visit>
void diff(const PersistentMap<Key, Value, Compare>& before,
          const PersistentMap<Key, Value, Compare>& after, Visit visit) {
  PersistentMapDiff<Key, Value, Compare>(before, after).run(visit);
}

template <class Key, class Compare, class Visit>
void diff(const PersistentSet<Key, Compare>& before, const PersistentSet<Key, Compare>& after,
          Visit visit) {
  diff(before.keys_, after.keys_,
       [&](const Key& key, const tree::Nothing* was, const tree::Nothing*) {
         visit(key, was == nullptr ? Change::added : Change::removed);
       });
}

template <class Number, class Value, class Visit>
void diff(const PersistentVector<Number, Value>& before,
          const PersistentVector<Number, Value>& after, Visit visit) {
  PersistentVectorDiff<Number, Value>::run(before, after, visit);
}

}  // namespace almanac
