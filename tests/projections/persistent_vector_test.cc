// PersistentVector, one promise at a time and in random histories beside std::map.
#include <almanac/log/types.h>
#include <almanac/projections/persistent/vector.h>
#include <almanac/tests/projections/persistent_vector_inspector.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace almanac {
namespace {

using NumberVector = PersistentVector<TaskId, std::uint64_t>;
using TextVector = PersistentVector<TaskId, std::string>;

static_assert(std::bidirectional_iterator<NumberVector::Iterator>);
static_assert(std::is_nothrow_move_constructible_v<NumberVector>);
static_assert(sizeof(NumberVector) == 2 * sizeof(void*));

constexpr std::uint64_t many_items = 100'000;
constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();

// As large as a task, so that leaves have their smallest number of places.
struct Large {
  std::array<std::uint64_t, 14> words{};
  bool operator==(const Large&) const = default;
};

// A value that counts how many of it live and how often one was copied.
struct CountedItems {
  static inline std::atomic<long> alive = 0;
  static inline std::atomic<long> copies = 0;

  explicit CountedItems(int start) : number(start) { ++alive; }
  CountedItems(const CountedItems& other) : number(other.number) { ++alive, ++copies; }
  CountedItems(CountedItems&& other) noexcept : number(std::exchange(other.number, -1)) { ++alive; }
  CountedItems& operator=(const CountedItems& other) = default;
  CountedItems& operator=(CountedItems&& other) noexcept = default;
  ~CountedItems() { --alive; }

  int number;
};

NumberVector make_rising(std::uint64_t count) {
  NumberVector vector;
  for (std::uint64_t number = 1; number <= count; ++number) vector.set(TaskId(number), number * 2);
  return vector;
}

std::vector<std::uint64_t> numbers_of(const NumberVector& vector) {
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, value] : vector) numbers.push_back(number.value);
  return numbers;
}

// --- One operation at a time --------------------------------------------------------------------

TEST(PersistentVector, is_empty_at_first_and_after_its_last_erase) {
  NumberVector vector;
  EXPECT_TRUE(vector.empty());
  EXPECT_EQ(vector.begin(), vector.end());
  EXPECT_EQ(vector.edit(TaskId(1)), nullptr);
  EXPECT_FALSE(vector.erase(TaskId(1)));
  EXPECT_FALSE(vector.first() || vector.last());
  vector.set(TaskId(5'000'000), 1);
  EXPECT_TRUE(vector.erase(TaskId(5'000'000)));
  EXPECT_EQ(check_structure(vector), "");
  EXPECT_EQ(vector, NumberVector());
}

TEST(PersistentVector, keeps_numbers_however_far_apart) {
  const std::vector<std::uint64_t> numbers = {0, 1, 31, 32, 511, 512, 1ULL << 40, largest};
  NumberVector vector;
  for (auto number = numbers.rbegin(); number != numbers.rend(); ++number) {
    vector.set(TaskId(*number), *number);
    EXPECT_EQ(check_structure(vector), "");
  }
  EXPECT_EQ(numbers_of(vector), numbers);
  EXPECT_EQ(vector.first()->key, TaskId(0));
  EXPECT_EQ(vector.last()->value, largest);
  EXPECT_EQ(vector.lower_bound(TaskId(513))->key, TaskId(1ULL << 40));
  EXPECT_EQ(vector.find(TaskId(30)), nullptr);
  EXPECT_TRUE(vector.erase(TaskId(largest)));
  EXPECT_TRUE(vector.erase(TaskId(1ULL << 40)));
  EXPECT_EQ(check_structure(vector), "") << "the root is lower again";
  EXPECT_EQ(vector.lower_bound(TaskId(513)), vector.end());
}

TEST(PersistentVector, walks_backwards_over_gaps) {
  NumberVector vector;
  for (std::uint64_t number = 7; number < 100'000; number = number * 3 / 2) {
    vector.set(TaskId(number), number);
  }
  std::vector<std::uint64_t> backwards;
  for (auto i = vector.end(); i != vector.begin();) backwards.push_back((--i)->key.value);
  std::ranges::reverse(backwards);
  EXPECT_EQ(backwards, numbers_of(vector));
}

TEST(PersistentVector, has_a_shape_that_depends_on_its_numbers_alone) {
  NumberVector one = make_rising(3000);
  NumberVector other;
  for (std::uint64_t number = 6000; number > 0; --number) other.set(TaskId(number), number * 2);
  for (std::uint64_t number = 6000; number > 3000; --number) other.erase(TaskId(number));
  EXPECT_EQ(one, other);
  other.set(TaskId(7), 0);
  EXPECT_NE(one, other);
}

TEST(PersistentVector, is_built_from_entries_that_rise) {
  std::vector<std::pair<TaskId, std::uint64_t>> entries;
  for (const auto& [number, value] : make_rising(5000)) entries.emplace_back(number, value);
  const auto built = NumberVector::from_sorted(entries);
  ASSERT_TRUE(built);
  EXPECT_EQ(check_structure(*built), "");
  EXPECT_EQ(*built, make_rising(5000));
  std::swap(entries[70], entries[71]);
  EXPECT_FALSE(NumberVector::from_sorted(entries));
  entries[70] = entries[71];
  EXPECT_FALSE(NumberVector::from_sorted(entries)) << "one number twice";
}

// --- What is shared and what is copied ----------------------------------------------------------

TEST(PersistentVector, copies_one_node_per_level_when_a_copy_changes) {
  const NumberVector vector = make_rising(many_items);
  NumberVector copy = vector;
  EXPECT_TRUE(copy.shares_root_with(vector));
  EXPECT_EQ(copy.edit(TaskId(many_items + 1)), nullptr);
  EXPECT_FALSE(copy.erase(TaskId(largest)));
  EXPECT_TRUE(copy.shares_root_with(vector)) << "looking copies nothing";
  *copy.edit(TaskId(many_items / 2)) = 0;
  const std::size_t levels = 4;  // 100,000 numbers, 32 to a leaf, 16 leaves to a node
  EXPECT_EQ(count_own_nodes(copy, vector), levels);
  *copy.edit(TaskId(many_items / 2 + 1)) = 0;
  EXPECT_EQ(count_own_nodes(copy, vector), levels);
  EXPECT_EQ(*vector.find(TaskId(many_items / 2)), many_items);
}

TEST(PersistentVector, edit_copies_values_only_while_their_leaf_is_shared) {
  PersistentVector<TaskId, CountedItems> vector;
  for (std::uint64_t number = 0; number < 10'000; ++number)
    vector.set(TaskId(number), CountedItems(1));
  const long before = CountedItems::copies;
  vector.edit(TaskId(77))->number = 0;
  EXPECT_EQ(CountedItems::copies, before) << "nothing was shared";
  {
    auto copy = vector;
    vector.edit(TaskId(77))->number = 1;
    const long after = CountedItems::copies;
    EXPECT_GT(after, before);
    EXPECT_LE(after, before + 32) << "one leaf";
    vector.edit(TaskId(77))->number = 2;
    EXPECT_EQ(CountedItems::copies, after) << "the leaf is the vector's own by now";
    EXPECT_EQ(copy.find(TaskId(77))->number, 0);
  }
  const long after = CountedItems::copies;
  vector.edit(TaskId(5000))->number = 1;
  EXPECT_EQ(CountedItems::copies, after) << "the copy is gone";
}

TEST(PersistentVector, destroys_every_value_it_creates) {
  const long before = CountedItems::alive;
  {
    std::vector<PersistentVector<TaskId, CountedItems>> versions(1);
    std::mt19937_64 random(1);
    for (int i = 0; i < 20'000; ++i) {
      auto& vector = versions.back();
      vector.set(TaskId(random() % 5000), CountedItems(i));
      vector.erase(TaskId(random() % 5000));
      if (i % 50 == 0) versions.push_back(vector);
    }
    EXPECT_GT(CountedItems::alive, before);
    versions.erase(versions.begin(), versions.begin() + 50);
  }
  EXPECT_EQ(CountedItems::alive, before);
}

// --- Against std::map ---------------------------------------------------------------------------

// Several versions that share nodes, each beside its own model.
template <class Value>
class Versions {
 public:
  void act(std::uint64_t action, std::uint64_t number, const Value& value) {
    auto& [vector, model] = versions_[action % versions_.size()];
    switch (action / 8 % 16) {
      case 0:
        versions_[action / 1024 % versions_.size()] = versions_[action % versions_.size()];
        break;
      case 1:
      case 2:
        if (Value* found = vector.edit(TaskId(number))) *found = model.at(number) = value;
        break;
      case 3:
      case 4:
      case 5:
      case 6:
      case 7: RC_ASSERT(vector.erase(TaskId(number)) == (model.erase(number) == 1)); break;
      default: vector.set(TaskId(number), value); model.insert_or_assign(number, value);
    }
    RC_ASSERT(vector.size() == model.size());
    RC_ASSERT(vector.contains(TaskId(number)) == model.contains(number));
    const auto bound = vector.lower_bound(TaskId(number));
    const auto expected = model.lower_bound(number);
    RC_ASSERT((bound == vector.end()) == (expected == model.end()));
    if (bound != vector.end()) RC_ASSERT(bound->key == TaskId(expected->first));
  }

  void check_all() const {
    for (const auto& [vector, model] : versions_) {
      RC_ASSERT(check_structure(vector) == "");
      const auto same_entry = [](const auto& a, const auto& b) {
        return a.key.value == b.first && a.value == b.second;
      };
      RC_ASSERT(std::equal(vector.begin(), vector.end(), model.begin(), model.end(), same_entry));
      auto position = vector.end();
      for (auto expected = model.rbegin(); expected != model.rend(); ++expected) {
        RC_ASSERT(same_entry(*--position, *expected));
      }
      for (const auto& [other, other_model] : versions_) {
        RC_ASSERT((vector == other) == (model == other_model));
      }
    }
  }

 private:
  using Vector = PersistentVector<TaskId, Value>;
  std::vector<std::pair<Vector, std::map<std::uint64_t, Value>>> versions_{5};
};

template <class Value, class Make>
void walk(std::uint64_t seed, std::uint64_t numbers, Make make) {
  std::mt19937_64 random(seed);
  Versions<Value> versions;
  for (int i = 0; i < 4000; ++i) {
    // Mostly neighbours, now and then one that is far away.
    const std::uint64_t number = random() % 64 == 0 ? random() : random() % numbers;
    versions.act(random() >> 8, number, make(random()));
    if (i % 500 == 0) versions.check_all();
  }
  versions.check_all();
}

RC_GTEST_PROP(PersistentVectorModel, agrees_with_std_map, (std::uint64_t seed)) {
  const auto numbers = *rc::gen::inRange<std::uint64_t>(1, 3000);
  walk<std::uint64_t>(seed, numbers, [](std::uint64_t draw) { return draw; });
}

RC_GTEST_PROP(PersistentVectorModel, agrees_with_std_map_over_large_values, (std::uint64_t seed)) {
  walk<Large>(seed, 1000, [](std::uint64_t draw) { return Large{{draw}}; });
}

RC_GTEST_PROP(PersistentVectorModel, agrees_with_std_map_over_text, (std::uint64_t seed)) {
  walk<std::string>(seed, 1000, [](std::uint64_t draw) {
    return "a text too long for the short form " + std::to_string(draw);
  });
}

// --- Threads ------------------------------------------------------------------------------------

TEST(PersistentVectorThreads, lets_threads_change_copies_of_one_vector) {
  TextVector vector;
  for (std::uint64_t number = 0; number < 5000; ++number) {
    vector.set(TaskId(number), "a text too long for the short form " + std::to_string(number));
  }
  const auto churn = [](TextVector own, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<TextVector> kept;
    std::size_t size = own.size();
    for (int i = 0; i < 5000; ++i) {
      const TaskId number(random() % 6000);
      if (random() % 3 == 0) {
        size -= own.erase(number) ? 1U : 0U;
      } else {
        size += own.contains(number) ? 0U : 1U;
        own.set(number, std::to_string(i));
      }
      if (i % 64 == 0) kept.push_back(own);
      if (kept.size() > 4) kept.clear();
    }
    EXPECT_EQ(own.size(), size);
    EXPECT_EQ(check_structure(own), "");
  };
  std::thread one(churn, vector, 1);
  std::thread two(churn, vector, 2);
  vector = TextVector();
  one.join();
  two.join();
}

}  // namespace
}  // namespace almanac
