// The state everyone sees: waited for without missing anything, until the engine ends.
#include <almanac/engine/published.h>

#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace almanac::test {
namespace {

using std::chrono::steady_clock;

State state_at(std::uint64_t position) {
  State state;
  state.position = Position(position);
  return state;
}

auto is_at(std::uint64_t position) {
  return [position](const State& state) { return state.position == Position(position); };
}

TEST(Published, StaysWithWhoTookIt) {
  Published published(state_at(1));
  auto taken = published.state();
  published.publish(state_at(2));
  EXPECT_EQ(taken->position, Position(1));
  EXPECT_EQ(published.state()->position, Position(2));
}

TEST(Published, IsFoundAtOnceWhenItIsAsWanted) {
  Published published(state_at(1));
  EXPECT_TRUE(published.wait(is_at(1), steady_clock::now()));
  EXPECT_FALSE(published.wait(is_at(2), steady_clock::now()));
}

TEST(Published, WakesWhoWaitsForIt) {
  Published published(state_at(1));
  std::promise<void> looked;
  auto found = std::async(std::launch::async, [&, first = true]() mutable {
    return published.wait(
        [&](const State& state) {
          if (std::exchange(first, false)) looked.set_value();
          return state.position == Position(3);
        },
        std::nullopt);
  });
  looked.get_future().wait();
  published.publish(state_at(2));
  published.publish(state_at(3));
  EXPECT_TRUE(found.get());
}

TEST(Published, EndsTheWaitOfEveryoneWhenItEnds) {
  Published published(state_at(1));
  auto found =
      std::async(std::launch::async, [&] { return published.wait(is_at(2), std::nullopt); });
  auto ended = std::async(std::launch::async, [&] { published.wait_for_end(); });
  published.end(Error{ErrorCode::io, "the disk is gone", ""});
  EXPECT_FALSE(found.get());
  ended.get();
  EXPECT_EQ(published.failure()->code, ErrorCode::io);
  EXPECT_TRUE(published.wait(is_at(1), std::nullopt));
}

TEST(Published, HasNoFailureWhileItGoesOnAndWhenItWasStopped) {
  Published published(state_at(1));
  EXPECT_FALSE(published.failure().has_value());
  published.end(std::nullopt);
  EXPECT_FALSE(published.failure().has_value());
}

// Many readers of a state that moves on: each sees positions that only rise, and the last.
TEST(Published, OnlyMovesForwardForEveryReader) {
  constexpr std::uint64_t last = 2'000;
  Published published(state_at(0));
  std::vector<std::jthread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      Position seen;
      EXPECT_TRUE(published.wait(
          [&](const State& state) {
            EXPECT_GE(state.position, seen);
            seen = state.position;
            return seen == Position(last);
          },
          std::nullopt));
    });
  }
  for (std::uint64_t position = 1; position <= last; ++position) {
    published.publish(state_at(position));
  }
}

}  // namespace
}  // namespace almanac::test
