// Long and random histories of PersistentMap and PersistentSet beside the containers of the
// standard library, with several versions alive and with several threads.
#include <almanac/projections/persistent/map.h>
#include <almanac/projections/persistent/set.h>
#include <almanac/tests/projections/persistent_map_inspector.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace almanac {
namespace {

using NumberMap = PersistentMap<std::uint64_t, std::uint64_t>;

// Larger than tree::cheap_entry_bytes, so that leaves have their smaller capacity.
struct LargeValue {
  std::array<std::uint64_t, 12> words{};
  bool operator==(const LargeValue&) const = default;
};

template <class Map, class Model>
void expect_same_entries(const Map& map, const Model& model) {
  EXPECT_EQ(check_structure(map), "");
  EXPECT_EQ(map.size(), model.size());
  EXPECT_EQ(map.empty(), model.empty());
  const bool same = std::equal(
      map.begin(), map.end(), model.begin(), model.end(),
      [](const auto& a, const auto& b) { return a.key == b.first && a.value == b.second; });
  EXPECT_TRUE(same) << "iteration differs from the model";
}

std::vector<std::uint64_t> shuffled(std::uint64_t count, std::uint64_t seed) {
  std::vector<std::uint64_t> keys(count);
  std::iota(keys.begin(), keys.end(), std::uint64_t{0});
  std::ranges::shuffle(keys, std::mt19937_64(seed));
  return keys;
}

NumberMap rising(std::uint64_t count) {
  NumberMap map;
  for (std::uint64_t key = 0; key < count; ++key) map.set(key, key * 2);
  return map;
}

// --- Against std::map -------------------------------------------------------------------------

// Several versions, each beside its own model. Actions pick a version; copying lets versions share
// nodes, so a change that leaks from one to another shows as a difference from a model.
template <class Key, class Value>
class MapVersions {
 public:
  void act(std::uint64_t action, const Key& key, const Value& value) {
    auto& [map, model] = versions_[action % versions_.size()];
    const std::uint64_t kind = action / 8 % 128;
    if (kind < 60) {
      set(map, model, key, value);
    } else if (kind < 110) {
      RC_ASSERT(map.erase(key) == (model.erase(key) == 1));
    } else if (kind < 120) {
      edit(map, model, key, value);
    } else if (kind == 120) {
      erase_from(map, model, key, action / 1024 % 200);
    } else {
      versions_[action / 1024 % versions_.size()] = versions_[action % versions_.size()];
    }
    RC_ASSERT(map.size() == model.size());
    RC_ASSERT(map.contains(key) == model.contains(key));
  }

  // What the first version holds before the walk, so that walks start with several levels.
  void prepare(const Key& key, const Value& value) {
    set(versions_.front().first, versions_.front().second, key, value);
  }

  void check_all() const {
    for (const auto& [map, model] : versions_) {
      RC_ASSERT(check_structure(map) == "");
      RC_ASSERT(same(map, model));
      RC_ASSERT(same_backwards(map, model));
      for (const auto& [other, other_model] : versions_) {
        RC_ASSERT((map == other) == (model == other_model));
      }
    }
  }

  void check_bounds(const Key& key) const {
    for (const auto& [map, model] : versions_) {
      RC_ASSERT(points_at(map, map.lower_bound(key), model, model.lower_bound(key)));
      RC_ASSERT(points_at(map, map.upper_bound(key), model, model.upper_bound(key)));
    }
  }

 private:
  using Map = PersistentMap<Key, Value>;
  using Model = std::map<Key, Value>;

  static void set(Map& map, Model& model, const Key& key, const Value& value) {
    map.set(key, value);
    model.insert_or_assign(key, value);
  }

  static void edit(Map& map, Model& model, const Key& key, const Value& value) {
    Value* found = map.edit(key);
    const auto expected = model.find(key);
    RC_ASSERT((found != nullptr) == (expected != model.end()));
    if (found != nullptr) *found = expected->second = value;
  }

  // Erases a run of neighbours by keys that lie inside the map, which empties whole nodes.
  static void erase_from(Map& map, Model& model, const Key& key, std::uint64_t count) {
    for (; count > 0; --count) {
      const auto next = map.lower_bound(key);
      if (next == map.end()) return;
      model.erase(next->key);
      RC_ASSERT(map.erase(next->key));
    }
  }

  static bool same(const Map& map, const Model& model) {
    return std::equal(map.begin(), map.end(), model.begin(), model.end(), same_entry);
  }

  static bool same_backwards(const Map& map, const Model& model) {
    auto position = map.end();
    for (auto expected = model.rbegin(); expected != model.rend(); ++expected) {
      if (!same_entry(*--position, *expected)) return false;
    }
    return position == map.begin();
  }

  static bool same_entry(const typename Map::Entry& entry, const typename Model::value_type& pair) {
    return entry.key == pair.first && entry.value == pair.second;
  }

  static bool points_at(const Map& map, typename Map::Iterator position, const Model& model,
                        typename Model::const_iterator expected) {
    if (expected == model.end()) return position == map.end();
    return position != map.end() && same_entry(*position, *expected);
  }

  std::vector<std::pair<Map, Model>> versions_{5};
};

struct Step {
  std::uint64_t action;
  std::uint64_t key;
  std::uint64_t value;
};

// rapidcheck grows small inputs; a seed grows a long walk that fills several levels.
std::vector<Step> long_walk(std::uint64_t seed, std::size_t steps, std::uint64_t keys) {
  std::mt19937_64 random(seed);
  std::vector<Step> walk(steps);
  for (Step& step : walk) step = {random() >> 8, random() % keys, random()};
  return walk;
}

RC_GTEST_PROP(PersistentMapModel, short_walks_agree_with_std_map, ()) {
  using Walk = std::vector<std::tuple<std::uint64_t, std::uint8_t, std::uint8_t>>;
  MapVersions<std::uint64_t, std::uint64_t> versions;
  for (const auto& [action, key, value] : *rc::gen::arbitrary<Walk>()) {
    versions.act(action, key, value);
    versions.check_bounds(key);
  }
  versions.check_all();
}

RC_GTEST_PROP(PersistentMapModel, long_walks_over_numbers_agree_with_std_map, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  const auto keys = *rc::gen::inRange<std::uint64_t>(1, 4000);
  const auto prepared = *rc::gen::inRange<std::uint64_t>(0, keys);
  MapVersions<std::uint64_t, std::uint64_t> versions;
  for (std::uint64_t key = 0; key < prepared; ++key) versions.prepare(key, key);
  for (const Step& step : long_walk(seed, 6000, keys)) {
    versions.act(step.action, step.key, step.value);
    if (step.value % 64 == 0) versions.check_bounds(step.key);
    if (step.value % 1000 == 0) versions.check_all();
  }
  versions.check_all();
}

RC_GTEST_PROP(PersistentMapModel, long_walks_over_text_agree_with_std_map, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  MapVersions<std::string, std::string> versions;
  for (const Step& step : long_walk(seed, 3000, 1000)) {
    const std::string key = "a key too long for the short form " + std::to_string(step.key);
    versions.act(step.action, key, std::to_string(step.value));
  }
  versions.check_all();
}

RC_GTEST_PROP(PersistentMapModel, long_walks_over_large_values_agree_with_std_map, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  MapVersions<std::uint64_t, LargeValue> versions;
  for (const auto key : shuffled(1500, seed)) versions.prepare(key, LargeValue{{key}});
  for (const Step& step : long_walk(seed, 3000, 2000)) {
    versions.act(step.action, step.key, LargeValue{{step.value}});
  }
  versions.check_all();
}

RC_GTEST_PROP(PersistentSetModel, walks_agree_with_std_set, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  PersistentSet<std::uint64_t> set;
  std::set<std::uint64_t> model;
  for (const Step& step : long_walk(seed, 3000, 1500)) {
    if (step.action % 5 < 3) {
      RC_ASSERT(set.insert(step.key) == model.insert(step.key).second);
    } else {
      RC_ASSERT(set.erase(step.key) == (model.erase(step.key) == 1));
    }
  }
  RC_ASSERT(check_structure(set) == "");
  RC_ASSERT(std::ranges::equal(set, model));
}

// --- Many keys --------------------------------------------------------------------------------

constexpr std::uint64_t many_steps = 100'000;

void insert_and_erase_all(const std::vector<std::uint64_t>& inserted,
                          const std::vector<std::uint64_t>& erased) {
  NumberMap map;
  std::map<std::uint64_t, std::uint64_t> model;
  for (const auto key : inserted) map.set(key, key + 1), model.emplace(key, key + 1);
  expect_same_entries(map, model);
  const NumberMap full = map;
  std::size_t left = erased.size();
  for (const auto key : erased) {
    ASSERT_TRUE(map.erase(key));
    if (--left % 997 == 0) {
      ASSERT_EQ(check_structure(map), "");
    }
  }
  EXPECT_TRUE(map.empty());
  EXPECT_EQ(map.begin(), map.end());
  expect_same_entries(full, model);
}

TEST(PersistentMapModel, survives_rising_inserts_and_erases) {
  std::vector<std::uint64_t> keys(many_steps);
  std::iota(keys.begin(), keys.end(), std::uint64_t{0});
  insert_and_erase_all(keys, keys);
  insert_and_erase_all(keys, shuffled(many_steps, 1));
}

TEST(PersistentMapModel, survives_falling_inserts_and_erases) {
  std::vector<std::uint64_t> keys(many_steps);
  std::iota(keys.rbegin(), keys.rend(), std::uint64_t{0});
  insert_and_erase_all(keys, keys);
  insert_and_erase_all(shuffled(many_steps, 2), keys);
}

TEST(PersistentMapModel, survives_random_inserts_and_erases) {
  insert_and_erase_all(shuffled(many_steps, 3), shuffled(many_steps, 4));
}

TEST(PersistentMapModel, serves_as_a_queue_of_any_length) {
  NumberMap map;
  for (std::uint64_t key = 0; key < many_steps; ++key) {
    map.set(key, key);
    if (key % 5 != 0) {
      ASSERT_TRUE(map.erase(map.first()->key));
    }
  }
  EXPECT_EQ(check_structure(map), "");
  EXPECT_EQ(map.size(), many_steps / 5);
  EXPECT_EQ(map.last()->key, many_steps - 1);
}

// --- Threads ----------------------------------------------------------------------------------

TEST(PersistentMapThreads, lets_threads_change_copies_of_one_map) {
  NumberMap map = rising(5000);
  const auto churn = [](NumberMap own, std::uint64_t seed) {
    std::map<std::uint64_t, std::uint64_t> model;
    for (const auto& [key, value] : own) model.emplace(key, value);
    std::vector<NumberMap> kept;
    for (const Step& step : long_walk(seed, 5000, 6000)) {
      if (step.action % 3 == 0) {
        own.erase(step.key), model.erase(step.key);
      } else {
        own.set(step.key, step.value), model.insert_or_assign(step.key, step.value);
      }
      if (step.action % 64 == 0) kept.push_back(own);
      if (kept.size() > 4) kept.clear();
    }
    expect_same_entries(own, model);
  };
  // The copies are made first, so that no thread sees `map` itself while it dies here.
  std::thread one(churn, map, 1);
  std::thread two(churn, map, 2);
  map = NumberMap{};
  one.join();
  two.join();
}

TEST(PersistentMapThreads, hands_versions_from_a_writer_to_readers) {
  // A writer publishes a version per step into slots that each have one reader; readers drop the
  // last owner of nodes that the writer made, and the writer that of nodes the readers saw.
  constexpr std::size_t versions = 200;
  std::vector<NumberMap> published(versions);
  std::atomic<std::size_t> ready = 0;
  std::thread writer([&] {
    NumberMap map = rising(2000);
    for (std::size_t i = 0; i < versions; ++i) {
      for (std::uint64_t key = 0; key < 10; ++key) map.set(key * 200 + i, i);
      published[i] = map;
      ready.store(i + 1, std::memory_order_release);
      ready.notify_all();
    }
  });
  std::thread reader([&] {
    for (std::size_t i = 0; i < versions; ++i) {
      for (auto seen = ready.load(); seen <= i; seen = ready.load()) ready.wait(seen);
      const NumberMap own = std::move(published[i]);
      EXPECT_EQ(*own.find(std::uint64_t{i}), i);
      EXPECT_EQ(own.size(), 2000U);
    }
  });
  writer.join();
  reader.join();
}

}  // namespace
}  // namespace almanac
