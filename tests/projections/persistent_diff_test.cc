// diff() beside a naive one, over versions that share much, little and nothing; and what it costs.
#include <almanac/log/types.h>
#include <almanac/projections/persistent/diff.h>
#include <almanac/tests/projections/persistent_map_inspector.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace almanac {
namespace {

// A number that counts how often two of it are compared.
struct Watched {
  static inline std::atomic<std::uint64_t> comparisons = 0;
  std::uint64_t number = 0;
  bool operator==(const Watched& other) const {
    ++comparisons;
    return number == other.number;
  }
};

using Map = PersistentMap<std::uint64_t, Watched>;
using Vector = PersistentVector<TaskId, Watched>;
using Set = PersistentSet<std::uint64_t>;
using Model = std::map<std::uint64_t, std::uint64_t>;
// Key, value before, value after.
using Difference =
    std::tuple<std::uint64_t, std::optional<std::uint64_t>, std::optional<std::uint64_t>>;

std::optional<std::uint64_t> number_of(const Watched* value) {
  return value == nullptr ? std::nullopt : std::optional(value->number);
}

std::vector<Difference> differences(const Map& before, const Map& after) {
  std::vector<Difference> found;
  diff(before, after, [&](std::uint64_t key, const Watched* was, const Watched* is) {
    found.emplace_back(key, number_of(was), number_of(is));
  });
  return found;
}

std::vector<Difference> differences(const Vector& before, const Vector& after) {
  std::vector<Difference> found;
  diff(before, after, [&](TaskId key, const Watched* was, const Watched* is) {
    found.emplace_back(key.value, number_of(was), number_of(is));
  });
  return found;
}

std::vector<Difference> differences(const Model& before, const Model& after) {
  std::set<std::uint64_t> keys;
  for (const auto& [key, value] : before) keys.insert(key);
  for (const auto& [key, value] : after) keys.insert(key);
  const auto find = [](const Model& model, std::uint64_t key) {
    const auto found = model.find(key);
    return found == model.end() ? std::nullopt : std::optional(found->second);
  };
  std::vector<Difference> all;
  for (const std::uint64_t key : keys) {
    if (find(before, key) != find(after, key)) {
      all.emplace_back(key, find(before, key), find(after, key));
    }
  }
  return all;
}

// One history in all containers.
struct World {
  Map map;
  Vector vector;
  Set set;
  Model model;

  void set_number(std::uint64_t key, std::uint64_t value) {
    map.set(key, {value});
    vector.set(TaskId(key), {value});
    set.insert(key);
    model.insert_or_assign(key, value);
  }
  void erase(std::uint64_t key) {
    map.erase(key);
    vector.erase(TaskId(key));
    set.erase(key);
    model.erase(key);
  }
  // Runs of neighbours, so that whole nodes come and go, and single keys.
  void change(std::mt19937_64& random, std::uint64_t keys) {
    const std::uint64_t first = random() % keys;
    const std::uint64_t count = random() % 8 == 0 ? random() % 200 : 1;
    const bool erases = random() % 2 == 0;
    for (std::uint64_t key = first; key < first + count; ++key) {
      erases ? erase(key) : set_number(key, random() % 3);
    }
  }
};

void assert_same_differences(const World& before, const World& after) {
  const auto expected = differences(before.model, after.model);
  RC_ASSERT(differences(before.map, after.map) == expected);
  RC_ASSERT(differences(before.vector, after.vector) == expected);
  std::vector<std::pair<std::uint64_t, Change>> in_sets;
  for (const auto& [key, was, is] : expected) {
    if (!was) in_sets.emplace_back(key, Change::added);
    if (!is) in_sets.emplace_back(key, Change::removed);
  }
  std::vector<std::pair<std::uint64_t, Change>> found;
  diff(before.set, after.set,
       [&](std::uint64_t key, Change change) { found.emplace_back(key, change); });
  RC_ASSERT(found == in_sets);
}

RC_GTEST_PROP(Diff, agrees_with_a_naive_one, (std::uint64_t seed)) {
  const auto keys = *rc::gen::inRange<std::uint64_t>(1, 20'000);
  const auto changes = *rc::gen::inRange(0, 60);
  std::mt19937_64 random(seed);
  std::vector<World> versions(1);
  for (std::uint64_t key = 0; key < keys; key += 1 + random() % 3) {
    versions.back().set_number(key, 0);
  }
  for (int i = 0; i < 4; ++i) {
    versions.push_back(versions[random() % versions.size()]);
    for (int j = 0; j < changes; ++j) versions.back().change(random, keys);
  }
  for (const World& before : versions) {
    for (const World& after : versions) assert_same_differences(before, after);
  }
}

RC_GTEST_PROP(Diff, agrees_with_a_naive_one_where_nothing_is_shared, (std::uint64_t seed)) {
  std::mt19937_64 random(seed);
  World before;
  World after;
  for (int i = 0; i < 200; ++i) before.change(random, 2000);
  for (int i = 0; i < 200; ++i) after.change(random, 500);
  assert_same_differences(before, after);
  assert_same_differences(World(), after);
  assert_same_differences(before, World());
}

TEST(Diff, looks_at_what_is_not_shared_alone) {
  constexpr std::uint64_t many = 100'000;
  World before;
  for (std::uint64_t key = 0; key < many; ++key) before.set_number(key, 0);
  World after = before;
  for (std::uint64_t key = 0; key < many; key += many / 10) after.set_number(key, 1);
  Watched::comparisons = 0;
  EXPECT_EQ(differences(before.map, after.map).size(), 10U);
  EXPECT_LE(Watched::comparisons, 10 * (Map::leaf_entries_max));
  Watched::comparisons = 0;
  EXPECT_EQ(differences(before.vector, after.vector).size(), 10U);
  EXPECT_LE(Watched::comparisons, 10 * Vector::leaf_places);
}

TEST(Diff, stays_cheap_behind_a_split_and_a_removed_run) {
  constexpr std::uint64_t many = 100'000;
  World before;
  for (std::uint64_t key = 0; key < many; ++key) before.set_number(key * 10, 0);
  World after = before;
  for (std::uint64_t key = 1; key < 600; ++key) after.set_number(key * 1000 + key % 10, 1);
  for (std::uint64_t key = 500'000; key < 520'000; ++key) after.erase(key);
  Watched::comparisons = 0;
  (void)differences(before.map, after.map);
  // Every leaf that was split or emptied, and its neighbours.
  EXPECT_LE(Watched::comparisons, 2 * 650 * Map::leaf_entries_max);
}

// A first child may hold keys in front of the one that its parent remembers of it.
TEST(Diff, trusts_no_key_of_a_first_child) {
  World few;
  for (std::uint64_t key = 0; key < 5; ++key) few.set_number(key, 0);
  World many;
  for (std::uint64_t key = 20'000; key-- > 0;) many.set_number(key, 0);
  EXPECT_EQ(differences(few.map, many.map), differences(few.model, many.model));
  EXPECT_EQ(differences(many.map, few.map), differences(many.model, few.model));
}

// --- Bulk build ---------------------------------------------------------------------------------

RC_GTEST_PROP(FromSorted, builds_what_setting_one_by_one_builds, ()) {
  const auto count = *rc::gen::inRange<std::uint64_t>(0, 6000);
  std::vector<std::pair<std::uint64_t, Watched>> entries;
  std::vector<std::uint64_t> keys;
  for (std::uint64_t i = 0; i < count; ++i) {
    entries.emplace_back(i * 3, Watched{i});
    keys.push_back(i * 3);
  }
  auto map = Map::from_sorted(entries);
  auto set = Set::from_sorted(keys);
  RC_ASSERT(map && set);
  RC_ASSERT(check_structure(*map) == "");
  RC_ASSERT(check_structure(*set) == "");
  Map expected;
  for (const auto& [key, value] : entries) expected.set(key, value);
  RC_ASSERT(*map == expected);
  RC_ASSERT(std::ranges::equal(*set, keys));
  // It can be changed like any other.
  for (std::uint64_t key = 0; key < count * 3; key += 7) {
    map->set(key, {0});
    expected.set(key, {0});
    RC_ASSERT(map->erase(key + 2) == expected.erase(key + 2));
  }
  RC_ASSERT(check_structure(*map) == "");
  RC_ASSERT(*map == expected);
}

TEST(FromSorted, refuses_what_does_not_rise) {
  std::vector<std::pair<std::uint64_t, Watched>> entries;
  for (std::uint64_t i = 0; i < 1000; ++i) entries.emplace_back(i, Watched{i});
  EXPECT_TRUE(Map::from_sorted(entries));
  entries[Map::leaf_entries_max].first = 5;
  EXPECT_FALSE(Map::from_sorted(entries));
  EXPECT_FALSE(Set::from_sorted(std::vector<std::uint64_t>{1, 2, 2}));
}

}  // namespace
}  // namespace almanac
