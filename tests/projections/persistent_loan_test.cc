// A node that was copied borrows its children from the node it was copied from. What versions hold
// is theirs however loans are made and paid back, and nothing is left when they are gone.
#include <almanac/log/types.h>
#include <almanac/projections/persistent/map.h>
#include <almanac/projections/persistent/vector.h>
#include <almanac/tests/projections/persistent_map_inspector.h>
#include <almanac/tests/projections/persistent_vector_inspector.h>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <random>
#include <thread>
#include <utility>
#include <vector>

namespace almanac {
namespace {

// A value that counts how many of it live.
struct Counted {
  static inline std::atomic<long> alive = 0;

  explicit Counted(std::uint64_t start) : number(start) { ++alive; }
  Counted(const Counted& other) : number(other.number) { ++alive; }
  Counted(Counted&& other) noexcept : number(other.number) { ++alive; }
  Counted& operator=(const Counted& other) = default;
  Counted& operator=(Counted&& other) noexcept = default;
  ~Counted() { --alive; }

  std::uint64_t number;
};

// One history in both trees; every entry holds its key plus a version.
struct Pair {
  PersistentMap<std::uint64_t, Counted> map;
  PersistentVector<TaskId, Counted> vector;

  void set(std::uint64_t key, std::uint64_t number) {
    map.set(key, Counted(number));
    vector.set(TaskId(key), Counted(number));
  }
  void edit(std::uint64_t key, std::uint64_t number) {
    map.edit(key)->number = number;
    vector.edit(TaskId(key))->number = number;
  }
  [[nodiscard]] bool has(std::uint64_t key, std::uint64_t number) const {
    return map.find(key)->number == number && vector.find(TaskId(key))->number == number;
  }
  [[nodiscard]] std::string check() const { return check_structure(map) + check_structure(vector); }
};

constexpr std::uint64_t many_loans = 20'000;

Pair make_pair_of(std::uint64_t count) {
  Pair pair;
  for (std::uint64_t key = 0; key < count; ++key) pair.set(key, key);
  return pair;
}

TEST(Loans, are_paid_back_when_versions_go_in_any_order) {
  const long before = Counted::alive;
  {
    std::mt19937_64 random(7);
    std::vector<Pair> versions = {make_pair_of(many_loans)};
    for (std::uint64_t i = 1; i < 300; ++i) {
      versions.push_back(versions[random() % versions.size()]);
      for (int j = 0; j < 20; ++j) versions.back().edit(random() % many_loans, i);
      if (versions.size() > 12) versions.erase(versions.begin() + random() % versions.size());
      ASSERT_EQ(versions.back().check(), "");
    }
  }
  EXPECT_EQ(Counted::alive, before);
}

TEST(Loans, leave_every_version_as_it_was) {
  std::vector<Pair> versions = {make_pair_of(many_loans)};
  for (std::uint64_t i = 1; i <= 50; ++i) {
    versions.push_back(versions.back());
    for (std::uint64_t key = 0; key < many_loans; key += 100)
      versions.back().edit(key + i, many_loans + i);
  }
  for (std::uint64_t i = 0; i <= 50; ++i) {
    for (std::uint64_t changed = 1; changed <= 50; ++changed) {
      ASSERT_TRUE(versions[i].has(changed, changed <= i ? many_loans + changed : changed));
    }
  }
}

TEST(Loans, in_a_long_row_end_without_a_deep_stack) {
  const long before = Counted::alive;
  {
    Pair pair = make_pair_of(1'000);
    std::vector<Pair> kept;
    for (std::uint64_t i = 0; i < 100'000; ++i) {
      kept.push_back(pair);
      pair.edit(500, i);
    }
    kept.clear();  // each version's nodes are kept by those that borrowed from them
    EXPECT_TRUE(pair.has(500, 99'999));
  }
  EXPECT_EQ(Counted::alive, before);
}

TEST(Loans, give_back_what_a_dropped_version_held_when_its_node_is_changed_again) {
  Pair pair = make_pair_of(many_loans);
  const long alone = Counted::alive;
  {
    const Pair copy = pair;
    for (std::uint64_t key = 0; key < many_loans; ++key) pair.edit(key, key + 1);
    EXPECT_GE(Counted::alive, 2 * alone) << "two versions that share nothing";
  }
  EXPECT_EQ(Counted::alive, alone) << "nothing was borrowed any more";
  {
    const Pair copy = pair;
    pair.edit(5, 0);
  }
  pair.edit(1'000, 0);
  pair.edit(5, 1);
  Pair copy = pair;
  copy.edit(5, 2);
  copy = Pair();
  EXPECT_LE(Counted::alive, alone + 2 * 64) << "no more than a leaf of each tree";
}

TEST(Loans, are_taken_over_by_one_of_many_threads) {
  const long before = Counted::alive;
  for (std::uint64_t round = 0; round < 50; ++round) {
    Pair first = make_pair_of(2'000);
    Pair second = first;
    second.edit(700, 1);  // borrows from what `first` alone keeps
    const auto change = [](Pair own, std::uint64_t seed) {
      for (std::uint64_t i = 0; i < 20; ++i) {
        const Pair kept = own;
        own.edit((seed * 37 + i * 101) % 2'000, seed);
        EXPECT_TRUE(kept.map.size() == own.map.size());
      }
      EXPECT_EQ(own.check(), "");
    };
    std::thread one(change, second, 1);
    std::thread two(change, second, 2);
    std::thread three([drop = std::move(first)]() mutable { drop = Pair(); });
    second = Pair();
    one.join();
    two.join();
    three.join();
  }
  EXPECT_EQ(Counted::alive, before);
}

}  // namespace
}  // namespace almanac
