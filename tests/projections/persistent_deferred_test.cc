// Containers whose entries are made when somebody looks for them: nobody can tell but by how much
// was made.
#include <almanac/log/types.h>
#include <almanac/projections/persistent/diff.h>
#include <almanac/projections/persistent/map.h>
#include <almanac/projections/persistent/set.h>
#include <almanac/projections/persistent/vector.h>
#include <almanac/tests/projections/persistent_map_inspector.h>
#include <almanac/tests/projections/persistent_vector_inspector.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace almanac::deferred_test {
namespace {

using Map = PersistentMap<std::uint64_t, std::uint64_t>;
using TextMap = PersistentMap<std::string, std::string>;
using Set = PersistentSet<std::uint64_t>;
using Vector = PersistentVector<TaskId, std::uint64_t>;
using Model = std::map<std::uint64_t, std::uint64_t>;

constexpr std::uint64_t value_of(std::uint64_t number) { return number * 7 + 1; }
std::string text_of(std::uint64_t number) {
  std::string text = std::to_string(number);
  return std::string(20 - text.size(), '0') + text;
}

// Counts what it makes; every second number is there, so that there are gaps to fill.
struct Counted {
  std::atomic<std::size_t> made = 0;
  std::atomic<std::size_t> alive = 0;
};

class MapSource final : public Map::Source {
 public:
  explicit MapSource(std::shared_ptr<Counted> counted) : counted_(std::move(counted)) {
    ++counted_->alive;
  }
  ~MapSource() override { --counted_->alive; }
  [[nodiscard]] Map::Subtree* make(std::uint64_t which) const noexcept override {
    ++counted_->made;
    Map::SubtreeBuilder builder;
    for (std::uint64_t i = 0; i < Map::deferred_entries; ++i) {
      const std::uint64_t number = 2 * (which * Map::deferred_entries + i);
      builder.add(std::uint64_t{number}, value_of(number));
    }
    return builder.finish();
  }

 private:
  const std::shared_ptr<Counted> counted_;
};

class TextSource final : public TextMap::Source {
 public:
  [[nodiscard]] TextMap::Subtree* make(std::uint64_t which) const noexcept override {
    TextMap::SubtreeBuilder builder;
    for (std::uint64_t i = 0; i < TextMap::deferred_entries; ++i) {
      const std::uint64_t number = 2 * (which * TextMap::deferred_entries + i);
      builder.add(text_of(number), text_of(value_of(number)));
    }
    return builder.finish();
  }
};

class VectorSource final : public Vector::Source {
 public:
  explicit VectorSource(std::shared_ptr<Counted> counted) : counted_(std::move(counted)) {
    ++counted_->alive;
  }
  ~VectorSource() override { --counted_->alive; }
  [[nodiscard]] Vector::Subtree* make(std::uint64_t which) const noexcept override {
    ++counted_->made;
    const std::uint64_t first = which * Vector::deferred_numbers;
    Vector::SubtreeBuilder builder(first);
    for (std::uint64_t i = 0; i < Vector::deferred_numbers; i += 2) {
      builder.put(first + i, value_of(first + i));
    }
    return builder.finish();
  }

 private:
  const std::shared_ptr<Counted> counted_;
};

Map deferred_map(std::size_t subtrees, const std::shared_ptr<Counted>& counted) {
  std::vector<std::uint64_t> firsts;
  for (std::uint64_t k = 0; k < subtrees; ++k) firsts.push_back(2 * k * Map::deferred_entries);
  return Map::from_source(std::make_shared<const MapSource>(counted), std::move(firsts));
}
TextMap deferred_texts(std::size_t subtrees) {
  std::vector<std::string> firsts;
  for (std::uint64_t k = 0; k < subtrees; ++k) {
    firsts.push_back(text_of(2 * k * TextMap::deferred_entries));
  }
  return TextMap::from_source(std::make_shared<const TextSource>(), std::move(firsts));
}
Vector deferred_vector(const std::vector<std::uint64_t>& stretches,
                       const std::shared_ptr<Counted>& counted) {
  return Vector::from_source(std::make_shared<const VectorSource>(counted), stretches,
                             stretches.size() * Vector::deferred_numbers / 2);
}

Model model_of(std::uint64_t first, std::uint64_t count) {
  Model model;
  for (std::uint64_t i = 0; i < count; ++i) model[first + 2 * i] = value_of(first + 2 * i);
  return model;
}

template <class Container>
void expect_equal(const Container& container, const Model& model) {
  ASSERT_EQ(check_structure(container), "");
  ASSERT_EQ(container.size(), model.size());
  auto expected = model.begin();
  for (const auto& [key, value] : container) {
    if constexpr (requires { key.value; }) {
      ASSERT_EQ(key.value, expected->first);
    } else {
      ASSERT_EQ(key, expected->first);
    }
    ASSERT_EQ(value, expected->second);
    ++expected;
  }
}

TEST(DeferredMap, HasItsEntriesAndMakesOnlyWhatIsLookedFor) {
  const auto counted = std::make_shared<Counted>();
  const Map map = deferred_map(40, counted);
  EXPECT_EQ(map.size(), 40 * Map::deferred_entries);
  EXPECT_EQ(counted->made, 0U);
  const std::uint64_t number = 2 * (7 * Map::deferred_entries + 5);
  ASSERT_NE(map.find(number), nullptr);
  EXPECT_EQ(*map.find(number), value_of(number));
  EXPECT_EQ(map.find(number + 1), nullptr);
  EXPECT_EQ(counted->made, 1U);
  EXPECT_EQ((*map.lower_bound(number + 1)).key, number + 2);
  EXPECT_EQ(counted->made, 1U);
  EXPECT_EQ(map.last()->key, 2 * (40 * Map::deferred_entries - 1));
  EXPECT_EQ(counted->made, 2U);
  expect_equal(map, model_of(0, 40 * Map::deferred_entries));
  EXPECT_EQ(counted->made, 40U) << "each once";
}

TEST(DeferredMap, OfOneSubtreeIsWhole) {
  const auto counted = std::make_shared<Counted>();
  expect_equal(deferred_map(1, counted), model_of(0, Map::deferred_entries));
  EXPECT_TRUE(deferred_map(0, counted).empty());
}

TEST(DeferredMap, WhatOneVersionMadeTheOthersHave) {
  const auto counted = std::make_shared<Counted>();
  const Map map = deferred_map(20, counted);
  Map changed = map;
  *changed.edit(10) = 3;
  EXPECT_EQ(counted->made, 1U);
  EXPECT_EQ(*map.find(std::uint64_t{10}), value_of(10));
  EXPECT_EQ(*changed.find(std::uint64_t{10}), 3U);
  EXPECT_EQ(counted->made, 1U);
  std::size_t visited = 0;
  diff(map, changed, [&](std::uint64_t key, const std::uint64_t* was, const std::uint64_t* is) {
    EXPECT_EQ(key, 10U);
    EXPECT_EQ(*was, value_of(10));
    EXPECT_EQ(*is, 3U);
    ++visited;
  });
  EXPECT_EQ(visited, 1U);
  EXPECT_EQ(counted->made, 1U) << "what both share is not looked into";
}

TEST(DeferredMap, LetsGoOfItsSourceWithTheLastVersion) {
  const auto counted = std::make_shared<Counted>();
  {
    Map kept;
    {
      Map map = deferred_map(6, counted);
      map.set(1, 1);
      kept = map;
      for (std::uint64_t k = 0; k < 6 * Map::deferred_entries; k += 3) map.erase(2 * k);
    }
    EXPECT_EQ(counted->alive, 1U);
    EXPECT_EQ(*kept.find(std::uint64_t{6}), value_of(6));
  }
  EXPECT_EQ(counted->alive, 0U);
}

// One step of a random history, the same on the container and on the model.
template <class Container, class Key>
void step(Container& container, Model& model, std::uint64_t number, std::mt19937_64& random) {
  const Key key{number};
  switch (random() % 4) {
    case 0:
      container.set(key, number);
      model[number] = number;
      break;
    case 1: ASSERT_EQ(container.erase(key), model.erase(number) > 0); break;
    case 2: {
      std::uint64_t* value = container.edit(key);
      ASSERT_EQ(value != nullptr, model.contains(number));
      if (value != nullptr) *value = model[number] = random();
      break;
    }
    default: {
      const std::uint64_t* value = container.find(key);
      ASSERT_EQ(value != nullptr, model.contains(number));
      if (value != nullptr) {
        ASSERT_EQ(*value, model.at(number));
      }
    }
  }
}

// Changes close to each other, so that whole stretches go, and versions that are kept meanwhile.
template <class Container, class Key>
void live_through(const Container& start, const Model& entries, std::uint64_t largest) {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    std::mt19937_64 random(seed);
    Container container = start;
    Model model = entries;
    std::vector<std::pair<Container, Model>> kept;
    for (int round = 0; round < 30; ++round) {
      const std::uint64_t from = random() % largest;
      for (int i = 0; i < 400; ++i) {
        step<Container, Key>(container, model, from + random() % 600, random);
      }
      if (round % 3 == 0) {
        for (std::uint64_t k = from; k < from + 20'000; ++k) {
          ASSERT_EQ(container.erase(Key{k}), model.erase(k) > 0);
        }
      }
      if (round % 10 == 0) kept.emplace_back(container, model);
    }
    expect_equal(container, model);
    for (const auto& [version, expected] : kept) expect_equal(version, expected);
    expect_equal(start, entries);
  }
}

TEST(DeferredMap, LivesLikeAnyOther) {
  const auto counted = std::make_shared<Counted>();
  live_through<Map, std::uint64_t>(deferred_map(12, counted),
                                   model_of(0, 12 * Map::deferred_entries),
                                   2 * 12 * Map::deferred_entries + 500);
}

TEST(DeferredMap, OfTextsLivesLikeAnyOther) {
  std::mt19937_64 random(5);
  TextMap map = deferred_texts(15);
  std::map<std::string, std::string> model;
  for (std::uint64_t i = 0; i < 15 * TextMap::deferred_entries; ++i) {
    model[text_of(2 * i)] = text_of(value_of(2 * i));
  }
  for (int i = 0; i < 20'000; ++i) {
    const std::string key = text_of(random() % (2 * 15 * TextMap::deferred_entries));
    if (random() % 2 == 0) {
      map.set(key, "new");
      model[key] = "new";
    } else {
      ASSERT_EQ(map.erase(key), model.erase(key) > 0);
    }
  }
  ASSERT_EQ(check_structure(map), "");
  EXPECT_TRUE(std::ranges::equal(map, model, [](const auto& one, const auto& other) {
    return one.key == other.first && one.value == other.second;
  }));
}

TEST(DeferredVector, HasItsEntriesAndMakesOnlyWhatIsLookedFor) {
  const auto counted = std::make_shared<Counted>();
  const Vector vector = deferred_vector({3, 4, 9, 300}, counted);
  EXPECT_EQ(vector.size(), 2 * Vector::deferred_numbers);
  EXPECT_EQ(counted->made, 0U);
  const std::uint64_t number = 9 * Vector::deferred_numbers + 6;
  ASSERT_NE(vector.find(TaskId(number)), nullptr);
  EXPECT_EQ(*vector.find(TaskId(number)), value_of(number));
  EXPECT_EQ(vector.find(TaskId(number + 1)), nullptr);
  EXPECT_EQ(vector.find(TaskId(5)), nullptr);
  EXPECT_EQ(vector.find(TaskId(200 * Vector::deferred_numbers)), nullptr);
  EXPECT_EQ(counted->made, 1U);
  EXPECT_EQ((*vector.lower_bound(TaskId(5 * Vector::deferred_numbers))).key.value,
            9 * Vector::deferred_numbers);
  EXPECT_EQ(counted->made, 1U);
  Model model;
  for (const std::uint64_t stretch : {3, 4, 9, 300}) {
    model.merge(model_of(stretch * Vector::deferred_numbers, Vector::deferred_numbers / 2));
  }
  expect_equal(vector, model);
  EXPECT_EQ(counted->made, 4U) << "each once";
}

TEST(DeferredVector, OfTheFirstStretchIsWholeAndNoHigherThanItMustBe) {
  const auto counted = std::make_shared<Counted>();
  expect_equal(deferred_vector({0}, counted), model_of(0, Vector::deferred_numbers / 2));
  EXPECT_TRUE(deferred_vector({}, counted).empty());
}

TEST(DeferredVector, GetsLowerToWhatWasNeverLookedAt) {
  const auto counted = std::make_shared<Counted>();
  Vector vector = deferred_vector({0, 1}, counted);
  for (std::uint64_t i = 0; i < Vector::deferred_numbers; i += 2) {
    ASSERT_TRUE(vector.erase(TaskId(Vector::deferred_numbers + i)));
  }
  expect_equal(vector, model_of(0, Vector::deferred_numbers / 2));
}

TEST(DeferredVector, LivesLikeAnyOther) {
  const auto counted = std::make_shared<Counted>();
  const std::vector<std::uint64_t> stretches = {0, 1, 2, 5, 17, 18};
  Model model;
  for (const std::uint64_t stretch : stretches) {
    model.merge(model_of(stretch * Vector::deferred_numbers, Vector::deferred_numbers / 2));
  }
  live_through<Vector, TaskId>(deferred_vector(stretches, counted), model,
                               20 * Vector::deferred_numbers);
  EXPECT_EQ(counted->alive, 0U);
}

TEST(DeferredVector, EqualsWhatWasMadeAnotherWay) {
  const auto counted = std::make_shared<Counted>();
  const Vector vector = deferred_vector({0, 2}, counted);
  const Vector copy = vector;
  EXPECT_TRUE(vector == copy);
  EXPECT_EQ(counted->made, 0U);
  Vector whole;
  for (const auto& [key, value] : deferred_vector({0, 2}, counted)) whole.set(key, value);
  EXPECT_TRUE(vector == whole);
  Vector touched = vector;
  *touched.edit(TaskId(4)) = value_of(4);
  EXPECT_TRUE(touched == vector) << "one has the stub, the other what was behind it";
  std::size_t visited = 0;
  const auto count = [&](TaskId, const std::uint64_t*, const std::uint64_t*) { ++visited; };
  diff(vector, touched, count);
  diff(vector, whole, count);
  EXPECT_EQ(visited, 0U);
  whole.erase(TaskId(6));
  diff(whole, vector, count);
  EXPECT_EQ(visited, 1U);
  EXPECT_FALSE(vector == whole);
}

TEST(DeferredSet, HasItsKeys) {
  class SetSource final : public Set::Source {
    [[nodiscard]] Set::Subtree* make(std::uint64_t which) const noexcept override {
      Set::SubtreeBuilder builder;
      for (std::uint64_t i = 0; i < Set::deferred_entries; ++i) {
        builder.add(which * Set::deferred_entries + i, {});
      }
      return builder.finish();
    }
  };
  Set set = Set::from_source(std::make_shared<const SetSource>(), {0, Set::deferred_entries});
  EXPECT_TRUE(set.contains(Set::deferred_entries + 3));
  EXPECT_TRUE(set.erase(std::uint64_t{3}));
  EXPECT_FALSE(set.insert(4));
  EXPECT_EQ(set.size(), 2 * Set::deferred_entries - 1);
  EXPECT_EQ(*set.last(), 2 * Set::deferred_entries - 1);
  EXPECT_EQ(check_structure(set), "");
}

// A value that can be counted: how many there are is how many share the token.
using Token = std::shared_ptr<const int>;
using TokenMap = PersistentMap<std::uint64_t, Token>;
using TokenVector = PersistentVector<TaskId, Token>;

class TokenMapSource final : public TokenMap::Source {
 public:
  explicit TokenMapSource(Token token) : token_(std::move(token)) {}
  [[nodiscard]] TokenMap::Subtree* make(std::uint64_t which) const noexcept override {
    TokenMap::SubtreeBuilder builder;
    for (std::uint64_t i = 0; i < TokenMap::deferred_entries; ++i) {
      builder.add(which * TokenMap::deferred_entries + i, Token(token_));
    }
    return builder.finish();
  }

 private:
  const Token token_;
};
class TokenVectorSource final : public TokenVector::Source {
 public:
  explicit TokenVectorSource(Token token) : token_(std::move(token)) {}
  [[nodiscard]] TokenVector::Subtree* make(std::uint64_t which) const noexcept override {
    const std::uint64_t first = which * TokenVector::deferred_numbers;
    TokenVector::SubtreeBuilder builder(first);
    for (std::uint64_t i = 0; i < TokenVector::deferred_numbers; ++i) {
      builder.put(first + i, Token(token_));
    }
    return builder.finish();
  }

 private:
  const Token token_;
};

// Every second version is changed where the first one has a stub.
template <class Container, class Key>
void change_and_drop(const Container& start, std::uint64_t stride) {
  std::vector<Container> versions = {start};
  for (std::uint64_t i = 0; i < 12; ++i) {
    Container next = versions.back();
    next.set(Key{i * stride + 1}, nullptr);
    ASSERT_NE(next.edit(Key{i * stride + 2}), nullptr);
    ASSERT_TRUE(next.erase(Key{(11 - i) * stride + 3}));
    versions.push_back(i % 2 == 0 ? next : start);
    versions.push_back(std::move(next));
  }
  while (!versions.empty()) versions.erase(versions.begin() + versions.size() / 2);
}

TEST(Deferred, LeavesNothingBehind) {
  const Token token = std::make_shared<const int>(1);
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t k = 0; k < 12; ++k) numbers.push_back(k);
  {
    auto firsts = numbers;
    for (auto& first : firsts) first *= TokenMap::deferred_entries;
    change_and_drop<TokenMap, std::uint64_t>(
        TokenMap::from_source(std::make_shared<const TokenMapSource>(token), firsts),
        TokenMap::deferred_entries);
  }
  EXPECT_EQ(token.use_count(), 1);
  change_and_drop<TokenVector, TaskId>(
      TokenVector::from_source(std::make_shared<const TokenVectorSource>(token), numbers,
                               numbers.size() * TokenVector::deferred_numbers),
      TokenVector::deferred_numbers);
  EXPECT_EQ(token.use_count(), 1);
}

TEST(Deferred, KeepsOneOfWhatManyThreadsMake) {
  const Token token = std::make_shared<const int>(1);
  for (int round = 0; round < 50; ++round) {
    const auto map = TokenMap::from_source(std::make_shared<const TokenMapSource>(token),
                                           {0, TokenMap::deferred_entries});
    std::atomic<int> ready = 0;
    std::array<const Token*, 2> found{};
    {
      std::vector<std::jthread> threads;
      for (auto& each : found) {
        threads.emplace_back([&] {
          for (++ready; ready < 2;) {}
          each = map.find(TokenMap::deferred_entries + 3);
        });
      }
    }
    EXPECT_EQ(found[0], found[1]);
  }
  EXPECT_EQ(token.use_count(), 1);
}

// Readers of one version, and writers of their own, all at the same stubs.
TEST(DeferredMap, IsEnteredByManyThreadsAtOnce) {
  for (int round = 0; round < 20; ++round) {
    const auto counted = std::make_shared<Counted>();
    {
      const Map map = deferred_map(4, counted);
      const Vector vector = deferred_vector({0, 1, 2}, counted);
      std::atomic<int> ready = 0;
      std::atomic<std::uint64_t> wrong = 0;
      std::vector<std::jthread> threads;
      for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
          Map own = map;
          Vector mine = vector;
          for (++ready; ready < 4;) std::this_thread::yield();
          for (std::uint64_t k = 0; k < 4; ++k) {
            const std::uint64_t number = 2 * k * Map::deferred_entries;
            wrong += *map.find(number) == value_of(number) ? 0 : 1;
            if (t % 2 == 0) own.set(number, static_cast<std::uint64_t>(t));
            if (k == 3) continue;
            const TaskId id(k * Vector::deferred_numbers);
            wrong += *vector.find(id) == value_of(id.value) ? 0 : 1;
            if (t % 2 == 0) mine.set(id, 0);
          }
          wrong += check_structure(own).empty() && check_structure(mine).empty() ? 0 : 1;
        });
      }
      threads.clear();
      EXPECT_EQ(wrong, 0U);
    }
    EXPECT_EQ(counted->alive, 0U);
  }
}

}  // namespace
}  // namespace almanac::deferred_test
