// The ready order against a plain set of its keys.
#include <almanac/projections/ready_order.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <vector>

namespace almanac::test {
namespace {

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

ReadyKey draw_key() {
  const std::vector<std::int64_t> ranks = {lowest, -1, 0, 1, highest};
  return {{{*rc::gen::inRange(0U, 2U)}, {*rc::gen::inRange(0U, 2U)}},
          {*rc::gen::elementOf(ranks), TaskId(*rc::gen::inRange<std::uint64_t>(1, 4))}};
}

// An order and the set that it must be.
struct KeyPair {
  ReadyOrder order;
  std::set<ReadyKey> keys;

  void change() {
    for (int i = *rc::gen::inRange(0, 100); i > 0; --i) {
      const ReadyKey drawn = draw_key();
      if (*rc::gen::arbitrary<bool>()) {
        RC_ASSERT(order.insert(drawn) == keys.insert(drawn).second);
      } else {
        RC_ASSERT(order.erase(drawn) == (keys.erase(drawn) == 1));
      }
    }
  }

  void check() const {
    RC_ASSERT(std::ranges::equal(std::vector(order.begin(), order.end()), keys));
    RC_ASSERT(order.size() == keys.size());
    RC_ASSERT(order.empty() == keys.empty());
    for (const auto& [lane, places] : order.lanes()) RC_ASSERT(!places.empty());
    const ReadyKey drawn = draw_key();
    RC_ASSERT(order.contains(drawn) == keys.contains(drawn));
  }
};

TEST(ReadyOrder, ComparesPlacesByRankAndThenByNumber) {
  const std::vector<LanePlace> rising = {{lowest, TaskId(9)}, {-1, TaskId(9)},
                                         {0, TaskId(1)},      {0, TaskId(2)},
                                         {1, TaskId(1)},      {highest, TaskId(1)}};
  for (std::size_t i = 0; i < rising.size(); ++i) {
    for (std::size_t j = 0; j < rising.size(); ++j) {
      EXPECT_EQ(rising[i] < rising[j], i < j);
      EXPECT_EQ(rising[i] <=> rising[j], i <=> j);
    }
  }
}

RC_GTEST_PROP(ReadyOrder, IsTheSetOfItsKeys, ()) {
  KeyPair pair;
  pair.change();
  const KeyPair copy = pair;
  pair.change();
  pair.check();
  copy.check();
}

RC_GTEST_PROP(ReadyOrder, IsBuiltOfKeysThatRiseAndOfNoOthers, ()) {
  KeyPair pair;
  pair.change();
  std::vector<ReadyKey> keys(pair.keys.begin(), pair.keys.end());
  auto built = ReadyOrder::from_sorted(keys);
  RC_ASSERT(built.has_value());
  pair.order = *std::move(built);
  pair.check();
  if (keys.size() < 2) return;
  const auto at = *rc::gen::inRange<std::size_t>(1, keys.size());
  if (*rc::gen::arbitrary<bool>()) {
    keys[at] = keys[at - 1];
  } else {
    std::swap(keys[at], keys[at - 1]);
  }
  RC_ASSERT(!ReadyOrder::from_sorted(keys));
}

RC_GTEST_PROP(ReadyOrder, DiffersInWhatOnlyOneHas, ()) {
  KeyPair before;
  before.change();
  KeyPair after = before;
  after.change();
  std::set<ReadyKey> keys = before.keys;
  std::vector<ReadyKey> visited;
  diff(before.order, after.order, [&](const ReadyKey& each, Change change) {
    visited.push_back(each);
    RC_ASSERT((change == Change::added ? keys.insert(each).second : keys.erase(each) == 1));
  });
  RC_ASSERT(keys == after.keys);
  RC_ASSERT(std::ranges::is_sorted(visited));
}

}  // namespace
}  // namespace almanac::test
