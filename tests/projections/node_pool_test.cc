// What the pool says of the memory it manages.
#include <almanac/projections/persistent/node_pool.h>
#include <almanac/projections/persistent/vector.h>
#include <almanac/projections/text_table.h>

#include <gtest/gtest.h>

#include <thread>

namespace almanac::test {
namespace {

using Numbers = PersistentVector<TextNumber, std::uint64_t>;

Numbers many_numbers(std::uint32_t count) {
  Numbers numbers;
  for (std::uint32_t i = 0; i < count; ++i) numbers.set({i}, i);
  return numbers;
}

TEST(NodePool, TellsWhatNodesUseAndWhatIsFreeAgain) {
  constexpr std::uint32_t count = 1'000'000;
  const std::size_t before = node_pool::used_bytes();
  std::size_t during = 0;
  // A thread that ends keeps nothing at hand.
  std::thread([&] {
    const Numbers numbers = many_numbers(count);
    during = node_pool::used_bytes();
  }).join();
  if (during == 0) return;  // nothing is pooled under the address sanitizer
  EXPECT_GE(during, before + count * sizeof(std::uint64_t));
  EXPECT_LT(node_pool::used_bytes(), before + (during - before) / 10);  // ends of chunks
  EXPECT_GE(node_pool::held_bytes(), during);
}

}  // namespace
}  // namespace almanac::test
