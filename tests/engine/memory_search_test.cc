// Finding what is remembered, and requirement E4 of it.
#include <almanac/engine/embedding_index.h>
#include <almanac/engine/embedding_table.h>
#include <almanac/engine/memory_index.h>
#include <almanac/snapshots/state_codec.h>
#include <almanac/tests/support/desk.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <random>
#include <semaphore>
#include <string>
#include <utility>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

std::vector<std::uint64_t> ids(const Result<std::vector<MemoryHit>>& hits) {
  std::vector<std::uint64_t> found;
  if (!hits) ADD_FAILURE() << describe(hits.error());
  for (const MemoryHit& hit : hits ? *hits : std::vector<MemoryHit>()) {
    found.push_back(hit.id.value);
  }
  return found;
}

using Ids = std::vector<std::uint64_t>;

// Four entries, an hour apart, of which the last has a short life.
struct Weather {
  Weather() {
    for (const char* user : {"ann", "bob"}) {
      const auto id = keys->create();
      desk.keys[user] = {*id, keys->find(*id)};
    }
    store({.kind = "dialogue",
           .user = "ann",
           .content = "It rains in ROME",
           .embedding = {1, 0},
           .tags = {"rain", "city"},
           .significance = 0.9});
    store({.kind = "dialogue", .user = "bob", .content = "Snow", .embedding = {3, 1}});
    store({.kind = "note", .content = "x", .summary = "rome", .tags = {"city"}});
    store({.kind = "sound", .content = "thunder", .embedding = {0, 2}, .time_to_live = 10min});
  }
  void store(MemorySpec spec) {
    times.push_back(desk.now);
    EXPECT_TRUE(desk.ask(ChangeMemories{{.store = {std::move(spec)}}}));
    desk.now += 1h;
  }
  // Both ways of searching.
  [[nodiscard]] Ids find(const MemoryQuery& query) const {
    Ids found = ids(search_memories(desk.state(), query, keys.get()));
    MemoryIndex index({.keys = keys.get()});
    index.follow(desk.state());
    EXPECT_EQ(ids(index.search(query)), found);
    return found;
  }
  TempFolder folder;
  std::unique_ptr<UserKeys> keys = std::move(*UserKeys::open(folder.path()));
  Desk desk;
  std::vector<Time> times;
};

TEST(RequirementE4, TheMostSimilarComeFirst) {
  const Weather weather;
  EXPECT_EQ(weather.find({.embedding = {1, 0}}), (Ids{1, 2, 4}));
  EXPECT_EQ(weather.find({.embedding = {0, 0.1F}}), (Ids{4, 2, 1}));
  EXPECT_EQ(weather.find({.embedding = {1, 1, 1}}), Ids()) << "of other sizes there are none";
  const auto hits =
      search_memories(weather.desk.state(), {.embedding = {2, 0}, .limit = 2}, weather.keys.get());
  ASSERT_EQ(hits->size(), 2U);
  EXPECT_NEAR(hits->at(0).similarity, 1, 1e-9);
  EXPECT_NEAR(hits->at(1).similarity, 3 / std::sqrt(10.0), 1e-6);
  EXPECT_EQ(content_of(*hits->at(1).memory).content, "Snow");
}

TEST(MemorySearch, EveryPropertyIsAFilterAndAllHoldTogether) {
  const Weather weather;
  EXPECT_EQ(weather.find({}), (Ids{4, 3, 2, 1})) << "the newest first";
  EXPECT_EQ(weather.find({.limit = 2}), (Ids{4, 3}));
  EXPECT_EQ(weather.find({.kind = "dialogue"}), (Ids{2, 1}));
  EXPECT_EQ(weather.find({.user = "ann"}), Ids{1});
  EXPECT_EQ(weather.find({.tags = {"city"}}), (Ids{3, 1}));
  EXPECT_EQ(weather.find({.tags = {"city", "rain"}}), Ids{1});
  EXPECT_EQ(weather.find({.tags = {"city", "unheard-of"}}), Ids());
  EXPECT_EQ(weather.find({.text = "Rome"}), (Ids{3, 1})) << "in contents and summaries";
  EXPECT_EQ(weather.find({.from = weather.times[1], .until = weather.times[3]}), (Ids{3, 2}));
  EXPECT_EQ(weather.find({.significance_min = 0.9}), Ids{1});
  EXPECT_EQ(weather.find({.embedding = {1, 0}, .user = "bob", .limit = 1}), Ids{2});
  EXPECT_EQ(weather.find({.embedding = {1, 0}, .kind = "sound"}), Ids{4});
  EXPECT_EQ(weather.find({.now = weather.times[3] + 10min}), (Ids{3, 2, 1})) << "it has expired";
}

TEST(MemorySearch, AWrongQuestionNamesItsField) {
  const Weather weather;
  const State& state = weather.desk.state();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto message = [&](const MemoryQuery& query) {
    MemoryIndex index;
    index.follow(state);
    const auto found = search_memories(state, query);
    EXPECT_EQ(index.search(query).error().message, found.error().message);
    return found.error().message;
  };
  EXPECT_EQ(message({.limit = 0}), "limit: it is 0");
  EXPECT_EQ(message({.embedding = {nan, 0}}), "embedding: number 1 is NaN");
  EXPECT_EQ(message({.embedding = {1, 0, 0}, .kind = "dialogue"}),
            "embedding: it has 3 numbers, those of kind 'dialogue' have 2");
}

TEST(MemorySearch, APastStateKnowsWhatWasKnownThen) {
  Weather weather;
  const State then = weather.desk.state();
  ASSERT_TRUE(weather.desk.ask(
      ChangeMemories{{.update = {{.id = MemoryId(2), .embedding = std::vector<float>{0, 1}}},
                      .forget = {MemoryId(1)}}}));
  EXPECT_EQ(weather.find({.embedding = {1, 0}, .kind = "dialogue"}), Ids{2});
  EXPECT_EQ(
      ids(search_memories(then, {.embedding = {1, 0}, .kind = "dialogue"}, weather.keys.get())),
      (Ids{1, 2}));
  MemoryIndex index;
  index.follow(weather.desk.state());
  index.follow(then);
  EXPECT_EQ(index.position(), weather.desk.state().position) << "it does not go back";
}

TEST(MemorySearch, WhatCannotBeOpenedIsNotFoundButCanBeListed) {
  Weather weather;
  const State& state = weather.desk.state();
  MemoryIndex index({.keys = weather.keys.get()});
  index.follow(state);
  const Ids all = {4, 3, 2, 1};
  EXPECT_EQ(ids(index.search({})), all);
  EXPECT_EQ(ids(search_memories(state, {})), (Ids{4, 3})) << "without keys";
  ASSERT_TRUE(weather.keys->destroy(weather.desk.keys["ann"].id));
  index.drop_forgotten();
  EXPECT_EQ(ids(index.search({})), (Ids{4, 3, 2}));
  EXPECT_EQ(ids(index.search({.embedding = {1, 0}})), (Ids{2, 4}));
  EXPECT_EQ(ids(index.search({.text = "rome"})), Ids{3});
  EXPECT_EQ(ids(index.search({.tags = {"city"}})), Ids{3});
  EXPECT_EQ(ids(index.search({.unreadable = true})), all);
  EXPECT_EQ(ids(index.search({.user = "ann", .unreadable = true})), Ids{1});
  EXPECT_EQ(ids(index.search({.tags = {"city"}, .unreadable = true})), Ids{3});
  EXPECT_EQ(weather.find({.unreadable = true}), all);
  EXPECT_EQ(weather.find({.embedding = {1, 0}, .unreadable = true}), (Ids{2, 4}));
  index.wait_until_built();
  EXPECT_EQ(ids(index.search({.embedding = {1, 0}})), (Ids{2, 4})) << "built anew without it";
  const auto hits = index.search({.user = "ann", .unreadable = true});
  EXPECT_FALSE(hits->front().memory->is_readable()) << "nothing of it is in memory";
}

// Entries of one kind around some directions, as embeddings are.
class Crowd {
 public:
  explicit Crowd(std::size_t dimension = 32, std::size_t centers = 20) : centers_(centers) {
    for (auto& center : centers_) center = draw(dimension, 1);
  }
  void store(std::size_t entries) {
    while (entries > 0) {
      MemoryTransaction transaction;
      for (; entries > 0 && transaction.store.size() < 500; --entries) {
        transaction.store.push_back({.kind = "crowd",
                                     .content = "x",
                                     .embedding = near(),
                                     .tags = {++stored_ % 100 == 0 ? "rare" : "common"}});
      }
      ASSERT_TRUE(desk.ask(ChangeMemories{std::move(transaction)}));
    }
  }
  std::vector<float> near() {
    auto vector = draw(centers_.front().size(), 0.4F);
    const auto& center = centers_[random_() % centers_.size()];
    std::ranges::transform(vector, center, vector.begin(), std::plus());
    return vector;
  }
  Desk desk;

 private:
  std::vector<float> draw(std::size_t dimension, float width) {
    std::normal_distribution<float> normal(0, width);
    std::vector<float> vector(dimension);
    std::ranges::generate(vector, [&] { return normal(random_); });
    return vector;
  }
  std::mt19937 random_{7};
  std::vector<std::vector<float>> centers_;
  std::uint64_t stored_ = 0;
};

// Of length 1. With `spike` one number is so many times as large as it was.
std::vector<float> direction(std::mt19937& random, std::size_t dimension, float spike = 1) {
  std::normal_distribution<float> normal;
  std::vector<float> numbers(dimension);
  std::ranges::generate(numbers, [&] { return normal(random); });
  numbers.front() *= spike;
  const double squares = std::inner_product(numbers.begin(), numbers.end(), numbers.begin(), 0.0);
  for (float& each : numbers) each = static_cast<float>(each / std::sqrt(squares));
  return numbers;
}

double exact_cosine(const std::vector<float>& one, const std::vector<float>& other) {
  return std::inner_product(one.begin(), one.end(), other.begin(), 0.0);
}

double squared_distance(const std::vector<float>& one, const std::vector<float>& other) {
  return exact_cosine(one, one) + exact_cosine(other, other) - 2 * exact_cosine(one, other);
}

// As every processor is to add it up.
float distance_in_order(const std::vector<float>& one, const std::vector<float>& other) {
  std::array<float, 32> sums{};
  for (std::size_t i = 0; i < one.size(); ++i) {
    const float away = one[i] - other[i];
    sums[i % sums.size()] += away * away;
  }
  for (std::size_t half = sums.size() / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) sums[i] += sums[i + half];
  }
  return sums[0];
}

TEST(EmbeddingTable, TheTrueCosineIsNoFartherAwayThanIsSaid) {
  std::mt19937 random(5);
  for (const std::size_t dimension : {1, 3, 31, 32, 33, 384, 1'000}) {
    std::vector<std::vector<float>> all;
    for (const float spike : {1.0F, 1.0F, -3.0F, 50.0F, 1e4F}) {
      all.push_back(direction(random, dimension, spike));
    }
    all.emplace_back(dimension, 0.0F);
    EmbeddingTable table(static_cast<std::uint32_t>(dimension));
    for (const auto& each : all) table.add(each);
    for (const auto& asked : all) {
      const auto query = table.asked(asked);
      std::vector<EmbeddingTable::Similarity> similar(all.size());
      table.compare(query, 0, similar);
      for (std::uint32_t slot = 0; slot < all.size(); ++slot) {
        EXPECT_LE(std::abs(similar[slot].cosine - exact_cosine(asked, all[slot])),
                  similar[slot].error)
            << dimension << ", " << slot;
        EXPECT_LE(similar[slot].error, 0.05) << "it would say nothing";
        EXPECT_EQ(table.compare(query, slot).cosine, similar[slot].cosine);
        EXPECT_NEAR(table.distance(query, slot), squared_distance(asked, all[slot]), 1e-5);
        EXPECT_EQ(table.distance(query, slot), distance_in_order(asked, all[slot]));
      }
    }
  }
}

TEST(EmbeddingTable, TheLongestEmbeddingsAreNotTooMuchForASum) {
  const auto dimension = static_cast<std::uint32_t>(limits::embedding_dimension_max);
  const std::vector<float> even(dimension, 1 / std::sqrt(static_cast<float>(dimension)));
  std::vector<float> opposite = even;
  for (float& each : opposite) each = -each;
  EmbeddingTable table(dimension);
  table.add(even);
  table.add(opposite);
  EXPECT_NEAR(table.compare(table.asked(even), 0).cosine, 1, 1e-4);
  EXPECT_NEAR(table.compare(table.asked(even), 1).cosine, -1, 1e-4);
  EXPECT_NEAR(table.distance(0, 1), 4, 1e-4);
}

// As near to the center as codes can tell.
std::vector<float> close_to(const std::vector<float>& center, std::mt19937& random) {
  std::vector<float> numbers = direction(random, center.size());
  for (std::size_t i = 0; i < center.size(); ++i) numbers[i] = center[i] + numbers[i] * 0.01F;
  return numbers;
}

TEST(EmbeddingIndex, FindsTheNearestWhereCodesCannotTellThemApart) {
  constexpr std::uint32_t dimension = 96;
  constexpr std::size_t count = 12;
  std::mt19937 random(9);
  const auto center = direction(random, dimension);
  EmbeddingIndex index(dimension);
  std::vector<std::pair<double, EmbeddingIndex::Slot>> all;
  for (EmbeddingIndex::Slot slot = 0; slot < 2'000; ++slot) {
    const auto numbers = close_to(center, random);
    index.add(numbers);
    const double length = std::sqrt(exact_cosine(numbers, numbers));
    all.emplace_back(-exact_cosine(center, numbers) / length, slot);
  }
  for (const EmbeddingIndex::Slot among : {1U, 3U}) {  // without a filter and with one
    auto nearest = all;
    std::erase_if(nearest, [&](const auto& each) { return each.second % among != 0; });
    std::ranges::sort(nearest);
    EmbeddingIndex::Wanted wanted;
    if (among > 1) wanted = [&](EmbeddingIndex::Slot slot) { return slot % among == 0; };
    const auto found = index.search(center, count, wanted);
    ASSERT_EQ(found.size(), count);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(found[i] % among, 0U);
      EXPECT_NEAR(all[found[i]].first, nearest[i].first, 2e-7) << "but for 32 bits";
    }
  }
}

TEST(EmbeddingGraph, FindsNearlyAllOfTheNearestWhereCodesCannotTellThemApart) {
  constexpr std::uint32_t dimension = 32;
  std::mt19937 random(9);
  const auto center = direction(random, dimension);
  EmbeddingIndex all(dimension);
  EmbeddingIndex graph(dimension);
  for (int i = 0; i < 2'000; ++i) {
    const auto numbers = close_to(center, random);
    all.add(numbers);
    graph.add(numbers);
  }
  ASSERT_TRUE(graph.build_graph([] { return true; }));
  constexpr std::size_t count = 10;
  constexpr int questions = 20;
  std::ptrdiff_t found = 0;
  for (int i = 0; i < questions; ++i) {
    const auto query = close_to(center, random);
    const auto nearest = all.search(query, count, {});
    for (const auto slot : graph.search(query, count, {})) {
      found += std::ranges::count(nearest, slot);
    }
  }
  EXPECT_GE(double(found), 0.95 * questions * count);
}

TEST(MemoryIndex, FollowsWhatIsStoredChangedAndForgotten) {
  Crowd crowd;
  MemoryIndex index;
  for (std::uint64_t round = 0; round < 6; ++round) {
    crowd.store(500);
    index.follow(crowd.desk.state());
    MemoryTransaction changes;
    for (std::uint64_t i = 1; i <= 400; ++i) {
      changes.forget.emplace_back(round * 500 + i);
    }
    changes.update.push_back({.id = MemoryId(round * 500 + 450), .embedding = crowd.near()});
    changes.update.push_back({.id = MemoryId(round * 500 + 451), .significance = 1});
    ASSERT_TRUE(crowd.desk.ask(ChangeMemories{std::move(changes)}));
    index.follow(crowd.desk.state());
    if (round == 4) index.wait_until_built();
    for (int i = 0; i < 5; ++i) {
      const MemoryQuery query{.embedding = crowd.near(), .limit = 20};
      const auto found = index.search(query);
      const auto all = search_memories(crowd.desk.state(), query);
      ASSERT_EQ(ids(found), ids(all));
      for (std::size_t hit = 0; hit < all->size(); ++hit) {
        EXPECT_TRUE(found->at(hit).memory == all->at(hit).memory);
      }
    }
  }
}

struct Graph : ::testing::Test {
  Graph() {
    crowd.store(3'000);
    index.follow(crowd.desk.state());
    index.wait_until_built();
  }
  [[nodiscard]] double recall(MemoryQuery query) {
    constexpr int questions = 40;
    std::size_t found = 0;
    std::size_t wanted = 0;
    for (int i = 0; i < questions; ++i) {
      query.embedding = crowd.near();
      const Ids all = ids(search_memories(crowd.desk.state(), query));
      const Ids some = ids(index.search(query));
      wanted += all.size();
      EXPECT_EQ(some.size(), all.size());
      for (const auto id : some) found += std::ranges::count(all, id);
    }
    return double(found) / double(wanted);
  }
  Crowd crowd;
  MemoryIndex index{{.exact_max = 1'000}};
};

TEST_F(Graph, FindsNearlyAllOfTheNearest) {
  EXPECT_GE(recall({.limit = 10}), 0.95);
  EXPECT_GE(recall({.tags = {"common"}, .limit = 10}), 0.95) << "the filter is in the search";
  EXPECT_EQ(recall({.tags = {"rare"}, .limit = 10}), 1) << "of few all are compared";
}

TEST_F(Graph, HoldsWhatComesLaterAndNothingThatWasForgotten) {
  crowd.store(200);
  MemoryTransaction changes;
  for (std::uint64_t id = 2'500; id < 2'600; ++id) changes.forget.emplace_back(id);
  ASSERT_TRUE(crowd.desk.ask(ChangeMemories{std::move(changes)}));
  index.follow(crowd.desk.state());
  EXPECT_GE(recall({.limit = 10}), 0.95);
  for (const auto id : ids(index.search({.embedding = crowd.near(), .limit = 1'000}))) {
    EXPECT_FALSE(id >= 2'500 && id < 2'600) << id;
  }
}

TEST_F(Graph, TakesInWhatComesWhileItIsBuilt) {
  std::binary_semaphore is_built{0};
  std::binary_semaphore has_come{0};
  MemoryIndex another({.exact_max = 1'000, .on_built = [&] {
                         is_built.release();
                         has_come.acquire();
                       }});
  another.follow(crowd.desk.state());
  is_built.acquire();
  for (int i = 0; i < 50; ++i) {
    crowd.store(1);
    another.follow(crowd.desk.state());
  }
  MemoryTransaction changes{.forget = {MemoryId(7)}};
  ASSERT_TRUE(crowd.desk.ask(ChangeMemories{std::move(changes)}));
  another.follow(crowd.desk.state());
  has_come.release();
  another.wait_until_built();
  const auto all = another.search({.embedding = crowd.near(), .limit = 3'100});
  EXPECT_EQ(std::ranges::count(ids(all), 7U), 0) << "it was forgotten meanwhile";
  for (std::uint64_t id = 3'001; id <= 3'050; ++id) {
    const auto direction = embedding_of(**crowd.desk.state().memories.all.find(MemoryId(id)));
    const auto hits = another.search({.embedding = {direction.begin(), direction.end()}});
    EXPECT_EQ(hits->front().id, MemoryId(id));
  }
}

// In so many directions a graph misses some of the nearest: which, says how it was made.
TEST(EmbeddingGraph, AnswersTheSameHoweverItWasMade) {
  Crowd crowd(128, 2'000);
  crowd.store(1'500);
  MemoryIndex index({.exact_max = 1'000});
  index.follow(crowd.desk.state());
  index.wait_until_built();
  crowd.store(500);
  index.follow(crowd.desk.state());  // added one by one to a graph that there was
  const auto read = decode_state(encode(crowd.desk.state()));
  ASSERT_TRUE(read);
  MemoryIndex again({.exact_max = 1'000});  // built at once, from what a checkpoint holds
  again.follow(*read);
  again.wait_until_built();
  bool misses = false;
  for (int i = 0; i < 40; ++i) {
    const MemoryQuery query{.embedding = crowd.near(), .limit = 100};
    const auto one = index.search(query);
    const auto other = again.search(query);
    ASSERT_EQ(ids(one), ids(other));
    EXPECT_EQ(one->front().similarity, other->front().similarity);
    misses = misses || ids(one) != ids(search_memories(*read, query));
  }
  EXPECT_TRUE(misses) << "it would not show";
}

struct EngineMemorySearch : EngineTest {};

TEST_F(EngineMemorySearch, RequirementE4FindsTheSameAfterARestart) {
  open_on_manual_clock();
  Crowd crowd;
  MemoryTransaction transaction;
  for (int i = 0; i < 300; ++i) {
    transaction.store.push_back({.kind = "crowd", .content = "x", .embedding = crowd.near()});
  }
  transaction.store.front().time_to_live = 1h;
  ASSERT_TRUE(engine->change_memories(transaction));
  const MemoryQuery query{.embedding = transaction.store.front().embedding};
  const Ids before = ids(engine->search_memories(query));
  EXPECT_EQ(before.size(), 10U);
  EXPECT_EQ(before.front(), 1U);
  close();
  open_on_manual_clock();
  EXPECT_EQ(ids(engine->search_memories(query)), before);
  clock.advance(1h);  // the engine need not have decided that its time has come
  EXPECT_NE(ids(engine->search_memories(query)).front(), 1U);
}

}  // namespace
}  // namespace almanac::test
