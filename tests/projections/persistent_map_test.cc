// PersistentMap and PersistentSet, one promise at a time.
#include <almanac/projections/persistent/map.h>
#include <almanac/projections/persistent/set.h>
#include <almanac/tests/projections/persistent_map_inspector.h>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <iterator>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace almanac {
namespace {

using NumbersMap = PersistentMap<std::uint64_t, std::uint64_t>;

static_assert(std::bidirectional_iterator<NumbersMap::Iterator>);
static_assert(std::bidirectional_iterator<PersistentSet<std::string>::Iterator>);
static_assert(std::ranges::bidirectional_range<const NumbersMap>);
static_assert(std::is_nothrow_move_constructible_v<NumbersMap>);
static_assert(sizeof(NumbersMap) == 2 * sizeof(void*));

// A value that counts how many of it live and how often one was copied.
struct CountedCopies {
  static inline std::atomic<long> alive = 0;
  static inline std::atomic<long> copies = 0;

  explicit CountedCopies(int start) : number(start) { ++alive; }
  CountedCopies(const CountedCopies& other) : number(other.number) { ++alive, ++copies; }
  CountedCopies(CountedCopies&& other) noexcept : number(std::exchange(other.number, -1)) {
    ++alive;
  }
  CountedCopies& operator=(const CountedCopies& other) = default;
  CountedCopies& operator=(CountedCopies&& other) noexcept = default;
  ~CountedCopies() { --alive; }
  bool operator==(const CountedCopies&) const = default;

  int number;
};

constexpr std::uint64_t many_entries = 100'000;

NumbersMap rising_map(std::uint64_t count) {
  NumbersMap map;
  for (std::uint64_t key = 0; key < count; ++key) map.set(key, key * 2);
  return map;
}

// Every number below `count` once, in an order that jumps about.
std::vector<std::uint64_t> scattered(std::uint64_t count) {
  std::vector<std::uint64_t> keys(count);
  for (std::uint64_t i = 0; i < count; ++i) keys[i] = i * 7919 % count;
  return keys;
}

// --- One operation at a time --------------------------------------------------------------------

TEST(PersistentMap, is_empty_at_first_and_after_clear) {
  NumbersMap map;
  EXPECT_TRUE(map.empty());
  EXPECT_EQ(map.begin(), map.end());
  EXPECT_EQ(map.lower_bound(std::uint64_t{1}), map.end());
  EXPECT_FALSE(map.first() || map.last());
  EXPECT_FALSE(map.erase(std::uint64_t{1}));
  EXPECT_EQ(map.edit(std::uint64_t{1}), nullptr);
  map = rising_map(100);
  const NumbersMap copy = map;
  map.clear();
  EXPECT_EQ(map, NumbersMap{});
  EXPECT_EQ(copy, rising_map(100));
}

TEST(PersistentMap, leaves_a_moved_from_map_empty_and_usable) {
  NumbersMap map = rising_map(1000);
  const NumbersMap taken = std::move(map);
  EXPECT_EQ(taken.size(), 1000U);
  EXPECT_TRUE(map.empty());
  map.set(1, 2);
  EXPECT_EQ(map.size(), 1U);
  const NumbersMap& itself = map;
  map = itself;
  EXPECT_EQ(map.size(), 1U);
}

TEST(PersistentMap, binds_keys_and_values_by_name) {
  std::uint64_t expected = 0;
  for (const auto& [key, value] : rising_map(100)) {
    EXPECT_EQ(key, expected++);
    EXPECT_EQ(value, key * 2);
  }
  EXPECT_EQ(expected, 100U);
}

TEST(PersistentMap, walks_backwards_with_standard_adaptors) {
  const NumbersMap map = rising_map(1000);
  std::uint64_t expected = 1000;
  for (auto i = std::make_reverse_iterator(map.end()); (*i).key != 0; ++i) {
    EXPECT_EQ((*i).key, --expected);
  }
  EXPECT_EQ(std::prev(map.end())->key, 999U);
  EXPECT_EQ(std::next(map.begin(), 500)->key, 500U);
}

TEST(PersistentMap, looks_up_what_compares_with_a_key) {
  PersistentMap<std::string, int> map;
  map.set("b", 1);
  map.set("d", 2);
  EXPECT_EQ(*map.find("b"), 1);
  EXPECT_EQ(map.find(std::string_view("c")), nullptr);
  EXPECT_EQ(map.lower_bound(std::string_view("c"))->key, "d");
  EXPECT_EQ(map.upper_bound("b")->key, "d");
  *map.edit("b") = 7;
  EXPECT_EQ(*map.find("b"), 7);
  EXPECT_TRUE(map.erase("d"));
  EXPECT_FALSE(map.contains("d"));
}

TEST(PersistentMap, orders_by_its_comparison) {
  PersistentMap<int, int, std::greater<>> map;
  for (int key = 0; key < 500; ++key) map.set(key, key);
  EXPECT_EQ(check_structure(map), "");
  EXPECT_EQ(map.first()->key, 499);
  EXPECT_EQ(map.lower_bound(250)->key, 250);
  EXPECT_EQ(map.upper_bound(250)->key, 249);
}

TEST(PersistentMap, accepts_a_key_that_lies_in_the_map_itself) {
  PersistentMap<std::string, int> map;
  for (int i = 1000; i < 2000; ++i) map.set("a rather long key, number " + std::to_string(i), i);
  while (map.size() > 10) {
    const auto copy = map;
    *map.edit(std::next(map.begin(), 5)->key) = 0;
    EXPECT_EQ(*map.find(std::next(map.begin(), 5)->key), 0);
    EXPECT_TRUE(map.erase(std::next(map.begin(), 5)->key));
  }
  EXPECT_EQ(check_structure(map), "");
}

TEST(PersistentMap, compares_content_and_not_shape) {
  NumbersMap grown;
  for (const auto key : scattered(5000)) grown.set(key, key * 2);
  NumbersMap rising = rising_map(5000);
  EXPECT_EQ(grown, rising);
  *rising.edit(std::uint64_t{4999}) = 1;
  EXPECT_NE(grown, rising);
  rising.erase(std::uint64_t{4999});
  EXPECT_NE(grown, rising);
}

TEST(PersistentMap, fills_its_leaves_when_keys_only_rise) {
  const std::size_t leaves =
      (many_entries + NumbersMap::leaf_entries_max - 1) / NumbersMap::leaf_entries_max;
  const auto nodes = PersistentMapInspector::nodes(rising_map(many_entries));
  EXPECT_LE(nodes.size(), leaves + leaves / 13);
}

// --- What is shared and what is copied -----------------------------------------------------------

TEST(PersistentMap, shares_its_root_with_a_copy_until_either_changes) {
  const NumbersMap map = rising_map(1000);
  NumbersMap copy = map;
  EXPECT_TRUE(copy.shares_root_with(map));
  EXPECT_FALSE(copy.erase(std::uint64_t{5000}));
  EXPECT_EQ(copy.edit(std::uint64_t{5000}), nullptr);
  EXPECT_TRUE(copy.shares_root_with(map));
  copy.set(3, 3);
  EXPECT_FALSE(copy.shares_root_with(map));
}

TEST(PersistentMap, copies_one_node_per_level_when_a_copy_changes) {
  const NumbersMap map = rising_map(many_entries);
  const std::size_t levels = PersistentMapInspector::levels(map);
  EXPECT_GE(levels, 3U);
  NumbersMap copy = map;
  copy.set(many_entries / 2, 0);
  EXPECT_EQ(count_own_nodes(copy, map), levels);
  copy.set(many_entries / 2, 1);
  EXPECT_EQ(count_own_nodes(copy, map), levels);
  NumbersMap smaller = map;
  smaller.erase(many_entries / 2);
  EXPECT_LE(count_own_nodes(smaller, map), 2 * levels);
}

TEST(PersistentMap, compares_versions_without_visiting_what_they_share) {
  const NumbersMap map = rising_map(many_entries);
  NumbersMap copy = map;
  copy.set(many_entries / 2, many_entries);
  std::size_t visited = 0;
  std::size_t skipped = 0;
  auto one = map.begin();
  auto other = copy.begin();
  while (one != map.end()) {
    if (NumbersMap::Iterator::skip_shared(one, other)) {
      ++skipped;
    } else {
      ++visited, ++one, ++other;
    }
  }
  EXPECT_EQ(other, copy.end());
  EXPECT_EQ(visited, NumbersMap::leaf_entries_max) << "one leaf";
  EXPECT_LE(skipped, 16 * PersistentMapInspector::levels(map)) << "its siblings on each level";
}

TEST(PersistentMap, skips_only_from_the_first_entry_of_a_shared_node) {
  const NumbersMap map = rising_map(many_entries);
  auto one = map.begin();
  auto other = std::next(map.begin());
  EXPECT_FALSE(NumbersMap::Iterator::skip_shared(one, other));
  EXPECT_EQ(other->key, 1U);
  other = map.begin();
  EXPECT_TRUE(NumbersMap::Iterator::skip_shared(one, other));
  EXPECT_EQ(one, map.end());
  EXPECT_EQ(other, map.end());
}

TEST(PersistentMap, edit_copies_values_only_while_their_leaf_is_shared) {
  PersistentMap<int, CountedCopies> map;
  for (int key = 0; key < 10'000; ++key) map.set(key, CountedCopies(key));
  const long before = CountedCopies::copies;
  map.edit(77)->number = 0;
  EXPECT_EQ(CountedCopies::copies, before) << "nothing was shared";
  {
    auto copy = map;
    map.edit(77)->number = 1;
    EXPECT_GT(CountedCopies::copies, before);
    EXPECT_LE(CountedCopies::copies, before + 16) << "one leaf";
    const long after = CountedCopies::copies;
    map.edit(77)->number = 2;
    map.edit(78)->number = 2;
    EXPECT_EQ(CountedCopies::copies, after) << "the leaf is the map's own by now";
    EXPECT_EQ(copy.find(77)->number, 0);
  }
  const long after = CountedCopies::copies;
  map.edit(5000)->number = 1;
  EXPECT_EQ(CountedCopies::copies, after) << "the copy is gone";
}

TEST(PersistentMap, destroys_every_value_it_creates) {
  const long before = CountedCopies::alive;
  {
    std::vector<PersistentMap<int, CountedCopies>> versions(1);
    for (const auto key : scattered(5000)) {
      auto& map = versions.back();
      map.set(static_cast<int>(key), CountedCopies(1));
      if (key % 3 == 0) map.erase(static_cast<int>(key / 2));
      if (key % 50 == 0) versions.push_back(map);
    }
    EXPECT_GT(CountedCopies::alive, before);
    versions.erase(versions.begin(), versions.begin() + 50);
  }
  EXPECT_EQ(CountedCopies::alive, before);
}

TEST(PersistentSet, spends_no_byte_on_values) {
  using MapLeaf = tree::Tree<std::uint64_t, std::uint64_t>::Leaf;
  using SetLeaf = tree::Tree<std::uint64_t, tree::Nothing>::Leaf;
  EXPECT_EQ(SetLeaf::capacity, MapLeaf::capacity);
  EXPECT_EQ(sizeof(SetLeaf), sizeof(MapLeaf) - MapLeaf::capacity * sizeof(std::uint64_t));
}

TEST(PersistentSet, keeps_keys_in_order_and_copies_as_a_value) {
  PersistentSet<std::string> set;
  EXPECT_EQ(set.first(), nullptr);
  EXPECT_TRUE(set.insert("b"));
  EXPECT_TRUE(set.insert("a"));
  const auto copy = set;
  EXPECT_FALSE(set.insert("a"));
  EXPECT_TRUE(set.shares_root_with(copy));
  EXPECT_TRUE(set.erase("a"));
  EXPECT_EQ(*set.first(), "b");
  EXPECT_EQ(*copy.first(), "a");
  EXPECT_EQ(*copy.last(), "b");
  EXPECT_EQ(*copy.lower_bound("aa"), "b");
  EXPECT_EQ(copy.upper_bound("b"), copy.end());
  EXPECT_NE(set, copy);
}

}  // namespace
}  // namespace almanac
