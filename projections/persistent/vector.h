// An ordered map from numbers that are dense, such as a task's, and a value: copying it is as cheap
// as copying a pointer, and a copy never changes again. It is a copy-on-write radix tree: no key is
// stored and none is compared, the bits of a number lead to its place. Numbers may leave gaps, and
// come in any order; 16 neighbours that are missing cost a pointer. A number far from all others
// costs up to 16 nodes of 150 bytes.
//
// `Number` is a struct of one unsigned number called `value`. Threads and the lives of results are
// as in map.h.
//
// Costs, for n = the largest number; a leaf has 8, 16 or 32 places (about 1 KiB of values):
//   copy, move, size, shares_root_with    constant
//   find, contains, lower_bound           one step per level: log16(n / places), no allocation
//   set, edit, erase                      the same; the first change to a node that a copy still
//                                         shares copies that node: at most one per level
//   ++, --                                constant on average
//   ==                                    constant for one root; otherwise what is not shared
//   clear, destructor                     what no other vector shares
//
// Values need to be copyable. Nothing fails: running out of memory, or a value whose copy throws,
// ends the program.
#pragma once

#include <almanac/projections/persistent/vector_node.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <utility>

namespace almanac {

struct PersistentVectorInspector;

// Walks the entries in both directions.
template <class Number, class Value>
class PersistentVectorIterator {
 public:
  struct Entry {
    Number key;
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
  // As with PersistentMapIterator: std::prev has to work.
  using iterator_category = std::bidirectional_iterator_tag;

  PersistentVectorIterator() = default;

  [[nodiscard]] Entry operator*() const {
    return {Number(static_cast<decltype(Number::value)>(number_)),
            leaf_->values[Tree::place_of(number_)]};
  }
  [[nodiscard]] Arrow operator->() const { return {**this}; }

  PersistentVectorIterator& operator++() {
    const std::size_t place = Tree::place_of(number_);
    const std::uint64_t behind = std::uint64_t{leaf_->taken} >> place >> 1;
    if (behind != 0) {
      number_ += static_cast<std::uint64_t>(std::countr_zero(behind)) + 1;
    } else {
      seek_after(number_ | (radix::Leaf<Value>::places - 1));
    }
    return *this;
  }
  PersistentVectorIterator operator++(int) { return std::exchange(*this, std::next(*this)); }

  PersistentVectorIterator& operator--() {
    number_ = leaf_ == nullptr ? Tree::largest(root_->height) : number_ - 1;
    leaf_ = Tree::seek_back(root_, number_);
    return *this;
  }
  PersistentVectorIterator operator--(int) { return std::exchange(*this, std::prev(*this)); }

  bool operator==(const PersistentVectorIterator& other) const {
    return leaf_ == other.leaf_ && (leaf_ == nullptr || number_ == other.number_);
  }

 private:
  template <class, class>
  friend class PersistentVector;
  using Node = radix::Node;
  using Tree = radix::Tree<Value>;

  explicit PersistentVectorIterator(const Node* root) : root_(root) {}  // past the last entry
  // At the first entry at or after a number.
  PersistentVectorIterator(const Node* root, std::uint64_t number) : root_(root), number_(number) {
    if (root_ != nullptr && Tree::covers(root_->height, number_)) {
      leaf_ = Tree::seek(root_, number_);
    }
  }

  void seek_after(std::uint64_t number) {
    number_ = number + 1;
    const bool is_last = number_ == 0 || !Tree::covers(root_->height, number_);
    leaf_ = is_last ? nullptr : Tree::seek(root_, number_);
  }

  const Node* root_ = nullptr;
  const radix::Leaf<Value>* leaf_ = nullptr;  // nullptr: past the last entry
  std::uint64_t number_ = 0;
};

template <class Number, class Value>
class PersistentVector {
  static_assert(std::copyable<Value>);
  static_assert(std::unsigned_integral<decltype(Number::value)>);

 public:
  using Iterator = PersistentVectorIterator<Number, Value>;
  using Entry = typename Iterator::Entry;
  using const_iterator = Iterator;
  static constexpr std::size_t leaf_places = radix::Leaf<Value>::places;

  PersistentVector() noexcept = default;
  PersistentVector(const PersistentVector& other) noexcept
      : root_(Tree::retain(other.root_)), size_(other.size_) {}
  PersistentVector(PersistentVector&& other) noexcept
      : root_(std::exchange(other.root_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  PersistentVector& operator=(PersistentVector other) noexcept {
    std::swap(root_, other.root_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~PersistentVector() { Tree::release(root_); }

  // From entries whose numbers rise, each something that binds to [number, value]: O(entries).
  // nullopt when they do not rise.
  template <class Entries>
  [[nodiscard]] static std::optional<PersistentVector> from_sorted(Entries&& entries) {
    PersistentVector built;
    radix::Leaf<Value>* leaf = nullptr;
    std::uint64_t last = 0;
    for (auto&& [number, value] : entries) {
      if (!built.empty() && number.value <= last) return std::nullopt;
      if (leaf == nullptr || number.value >> Tree::bits != last >> Tree::bits) {
        leaf = &Tree::own(built.root_, number.value);
      }
      last = number.value;
      leaf->put(Tree::place_of(last), Value(value));
      ++built.size_;
    }
    return built;
  }

  // A vector whose entries are made when somebody looks for them (deferred.h), a stretch of
  // `deferred_numbers` at a time: of those the source has, `stretches` says which have an entry,
  // rising, and makes stretch k of the numbers k * deferred_numbers and on. `size` is that of all
  // together. O(stretches).
  static constexpr std::uint64_t deferred_numbers = radix::Tree<Value>::deferred_numbers;
  using Subtree = radix::Node;
  using Source = deferred::Source<Subtree>;
  using SubtreeBuilder = radix::SubtreeBuilder<Value>;
  [[nodiscard]] static PersistentVector from_source(const std::shared_ptr<const Source>& source,
                                                    std::span<const std::uint64_t> stretches,
                                                    std::size_t size) {
    PersistentVector made;
    made.size_ = size;
    if (stretches.empty()) return made;
    if (stretches.back() == 0) {
      made.root_ = source->make(0);
      Tree::lower(made.root_);
      return made;
    }
    made.root_ = Tree::make_for(stretches.back() * deferred_numbers);
    for (const std::uint64_t stretch : stretches) {
      auto* stub = new deferred::Stub<Node>(Tree::deferred_height, source, stretch);
      Tree::hang(made.root_, stretch * deferred_numbers, stub);
    }
    return made;
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  [[nodiscard]] const Value* find(Number number) const {
    const auto* leaf = Tree::find(root_, number.value);
    const std::size_t place = Tree::place_of(number.value);
    return leaf != nullptr && leaf->has(place) ? &leaf->values[place] : nullptr;
  }
  [[nodiscard]] bool contains(Number number) const { return find(number) != nullptr; }

  // Inserts an entry, or replaces the value of the one that is there.
  void set(Number number, Value value) noexcept {
    auto& leaf = Tree::own(root_, number.value);
    const std::size_t place = Tree::place_of(number.value);
    size_ += leaf.has(place) ? 0 : 1;
    leaf.put(place, std::move(value));
  }

  // The value to change in place, or nullptr. Looking for what is not there copies nothing.
  [[nodiscard]] Value* edit(Number number) noexcept {
    auto* leaf = Tree::own_existing(root_, number.value);
    return leaf == nullptr ? nullptr : &leaf->values[Tree::place_of(number.value)];
  }

  // True when there was something to erase. Looking for what is not there copies nothing.
  bool erase(Number number) noexcept {
    if (find(number) == nullptr) return false;
    Tree::erase(root_, number.value);
    --size_;
    return true;
  }

  void clear() noexcept {
    Tree::release(std::exchange(root_, nullptr));
    size_ = 0;
  }

  [[nodiscard]] Iterator begin() const { return {root_, 0}; }
  [[nodiscard]] Iterator end() const { return Iterator(root_); }
  // The first entry at or after a number, or end().
  [[nodiscard]] Iterator lower_bound(Number number) const { return {root_, number.value}; }

  // The entries with the smallest and the largest number; nullopt when there is none.
  [[nodiscard]] std::optional<Entry> first() const {
    if (empty()) return std::nullopt;
    return *begin();
  }
  [[nodiscard]] std::optional<Entry> last() const {
    if (empty()) return std::nullopt;
    return *--end();
  }

  // True when both are the same version; false tells nothing.
  [[nodiscard]] bool shares_root_with(const PersistentVector& other) const {
    return root_ == other.root_;
  }

  // Same entries, by == of values.
  [[nodiscard]] bool operator==(const PersistentVector& other) const
    requires std::equality_comparable<Value>
  {
    return size_ == other.size_ && same(root_, other.root_);
  }

 private:
  friend PersistentVectorInspector;
  template <class, class>
  friend struct PersistentVectorDiff;
  using Node = radix::Node;
  using Tree = radix::Tree<Value>;

  // Equal vectors have trees of one shape.
  [[nodiscard]] static bool same(const Node* one, const Node* other) {
    if (one == other) return true;
    if (one == nullptr || other == nullptr || one->height != other->height) return false;
    one = Tree::entered(one);
    other = Tree::entered(other);
    if (one == other) return true;
    if (one->height == 0) return same_values(Tree::leaf(one), Tree::leaf(other));
    for (std::size_t i = 0; i < radix::fan_out; ++i) {
      if (!same(Tree::inner(one).children[i], Tree::inner(other).children[i])) return false;
    }
    return true;
  }

  [[nodiscard]] static bool same_values(const radix::Leaf<Value>& one,
                                        const radix::Leaf<Value>& other) {
    if (one.taken != other.taken) return false;
    for (std::size_t i = 0; i < one.places; ++i) {
      if (one.has(i) && !(one.values[i] == other.values[i])) return false;
    }
    return true;
  }

  Node* root_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace almanac
