// What is called later, and what containers hold, in memory of the pool.
#include <almanac/engine/pool_memory.h>

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace almanac::test {
namespace {

TEST(PoolMemory, CallsWhatItHoldsAndDropsItOnce) {
  const auto kept = std::make_shared<int>(1);
  {
    std::function<int(int)> call =
        pooled([kept, sum = 0](int more) mutable { return sum += more; });
    EXPECT_EQ(kept.use_count(), 2);
    EXPECT_EQ(call(2), 2);
    auto moved = std::move(call);
    EXPECT_EQ(moved(3), 5);
    const auto copied = moved;
    EXPECT_EQ(kept.use_count(), 3);
    EXPECT_EQ(moved(1), 6);
    EXPECT_EQ(copied(1), 6);  // has a sum of its own
  }
  EXPECT_EQ(kept.use_count(), 1);
}

TEST(PoolMemory, TakesWhatIsMovedAlone) {
  auto text = std::make_unique<std::string>("once");
  auto call = pooled([text = std::move(text)](std::string more) { return *text + more; });
  EXPECT_EQ(call(", and no more"), "once, and no more");
}

TEST(PoolMemory, IsOfContainersHoweverLargeAndOnWhicheverThreadTheyEnd) {
  using Entry = std::pair<const int, std::string>;
  std::map<int, std::string, std::less<>, PoolAllocator<Entry>> names;
  for (int i = 0; i < 1'000; ++i) names.emplace(i, std::to_string(i));
  std::vector<int, PoolAllocator<int>> numbers(100'000, 7);
  numbers.push_back(8);
  EXPECT_EQ(names.find(999)->second, "999");
  EXPECT_EQ(numbers.front() + numbers.back(), 15);
  std::thread([names = std::move(names), numbers = std::move(numbers)] {
    EXPECT_EQ(names.size(), 1'000U);
    EXPECT_EQ(numbers.size(), 100'001U);
  }).join();
}

}  // namespace
}  // namespace almanac::test
