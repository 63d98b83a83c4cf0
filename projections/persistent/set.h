// An ordered set that is a value: a PersistentMap without values. What map.h says of threads, of
// how long results live and of costs holds here too. Inserting a key that is there already and
// erasing one that is not change nothing and copy nothing.
#pragma once

#include <almanac/projections/persistent/map.h>

#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace almanac {

template <class Key>
class PersistentSetIterator {
 public:
  using value_type = Key;
  using reference = const Key&;
  using pointer = const Key*;
  using difference_type = std::ptrdiff_t;
  using iterator_category = std::bidirectional_iterator_tag;
  using Position = PersistentMapIterator<Key, tree::Nothing>;

  PersistentSetIterator() = default;
  explicit PersistentSetIterator(const Position& position) : position_(position) {}

  [[nodiscard]] const Key& operator*() const { return (*position_).key; }
  [[nodiscard]] const Key* operator->() const { return &(*position_).key; }
  PersistentSetIterator& operator++() {
    ++position_;
    return *this;
  }
  PersistentSetIterator& operator--() {
    --position_;
    return *this;
  }
  PersistentSetIterator operator++(int) { return PersistentSetIterator(position_++); }
  PersistentSetIterator operator--(int) { return PersistentSetIterator(position_--); }
  bool operator==(const PersistentSetIterator& other) const = default;

 private:
  Position position_;
};

template <class Key, class Compare = std::less<>>
class PersistentSet {
 public:
  using Iterator = PersistentSetIterator<Key>;
  using const_iterator = Iterator;

  [[nodiscard]] std::size_t size() const { return keys_.size(); }
  [[nodiscard]] bool empty() const { return keys_.empty(); }

  template <LookupKey<Key, Compare> K = Key>
  [[nodiscard]] bool contains(const K& key) const {
    return keys_.contains(key);
  }

  // From keys that rise: O(keys). nullopt when they do not.
  template <class Keys>
  [[nodiscard]] static std::optional<PersistentSet> from_sorted(Keys&& keys) {
    tree::Builder<Key, tree::Nothing, Compare> builder;
    for (auto&& key : keys) {
      if (!builder.add(Key(key), {})) return std::nullopt;
    }
    PersistentSet built;
    built.keys_ = PersistentMap<Key, tree::Nothing, Compare>(std::move(builder));
    return built;
  }

  // As PersistentMap::from_source().
  static constexpr std::size_t deferred_entries =
      PersistentMap<Key, tree::Nothing, Compare>::deferred_entries;
  using Subtree = tree::Node;
  using Source = deferred::Source<Subtree>;
  using SubtreeBuilder = tree::SubtreeBuilder<Key, tree::Nothing>;
  [[nodiscard]] static PersistentSet from_source(const std::shared_ptr<const Source>& source,
                                                 std::vector<Key> firsts) {
    PersistentSet built;
    built.keys_ =
        PersistentMap<Key, tree::Nothing, Compare>::from_source(source, std::move(firsts));
    return built;
  }

  // True when the key was not there before.
  bool insert(Key key) noexcept { return keys_.insert(std::move(key), {}); }

  // True when there was something to erase.
  template <LookupKey<Key, Compare> K = Key>
  bool erase(const K& key) noexcept {
    return keys_.erase(key);
  }

  void clear() noexcept { keys_.clear(); }

  [[nodiscard]] Iterator begin() const { return Iterator(keys_.begin()); }
  [[nodiscard]] Iterator end() const { return Iterator(keys_.end()); }

  // The first key that does not come before `key`, or end().
  template <LookupKey<Key, Compare> K = Key>
  [[nodiscard]] Iterator lower_bound(const K& key) const {
    return Iterator(keys_.lower_bound(key));
  }

  // The first key that comes after `key`, or end().
  template <LookupKey<Key, Compare> K = Key>
  [[nodiscard]] Iterator upper_bound(const K& key) const {
    return Iterator(keys_.upper_bound(key));
  }

  // The smallest and the largest key; nullptr when there is none.
  [[nodiscard]] const Key* first() const { return empty() ? nullptr : &keys_.first()->key; }
  [[nodiscard]] const Key* last() const { return empty() ? nullptr : &keys_.last()->key; }

  // True when both are the same version; false tells nothing.
  [[nodiscard]] bool shares_root_with(const PersistentSet& other) const {
    return keys_.shares_root_with(other.keys_);
  }

  [[nodiscard]] bool operator==(const PersistentSet& other) const = default;

 private:
  friend PersistentMapInspector;
  template <class K, class C, class Visit>
  friend void diff(const PersistentSet<K, C>& before, const PersistentSet<K, C>& after,
                   Visit visit);

  PersistentMap<Key, tree::Nothing, Compare> keys_;
};

}  // namespace almanac
