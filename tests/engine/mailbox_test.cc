// The way into the loop: bounded, in order, woken when there is something new, nothing lost.
#include <almanac/engine/mailbox.h>

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <thread>

namespace almanac::test {
namespace {

const std::function<void()> no_wake = [] {};

TEST(Mailbox, IsTakenWholeAndInOrder) {
  Mailbox<int> mailbox(9, no_wake);
  for (int i : {1, 2, 3}) EXPECT_TRUE(mailbox.put(std::move(i)));
  EXPECT_EQ(mailbox.take(), (std::vector{1, 2, 3}));
  EXPECT_EQ(mailbox.take(), std::vector<int>());
}

TEST(Mailbox, RefusesWhenItIsFullAndLeavesTheItemAlone) {
  Mailbox<std::unique_ptr<int>> mailbox(1, no_wake);
  EXPECT_TRUE(mailbox.put(std::make_unique<int>(1)));
  auto second = std::make_unique<int>(2);
  EXPECT_FALSE(mailbox.put(std::move(second)));
  ASSERT_NE(second, nullptr);
  EXPECT_FALSE(mailbox.closed());
  EXPECT_EQ(mailbox.take().size(), 1U);
  EXPECT_TRUE(mailbox.put(std::move(second)));
}

TEST(Mailbox, TakesWhatTheEngineItselfMustHearHoweverFullItIs) {
  Mailbox<int> mailbox(1, no_wake);
  for (int i : {1, 2, 3}) EXPECT_TRUE(mailbox.put_always(std::move(i)));
  EXPECT_FALSE(mailbox.put(4));
  EXPECT_EQ(mailbox.take(), (std::vector{1, 2, 3}));
}

TEST(Mailbox, WakesWhenItStopsBeingEmptyAndOnlyThen) {
  int wakes = 0;
  Mailbox<int> mailbox(9, [&] { ++wakes; });
  EXPECT_TRUE(mailbox.put(1));
  EXPECT_TRUE(mailbox.put(2));
  EXPECT_TRUE(mailbox.put_always(3));
  EXPECT_EQ(wakes, 1);
  (void)mailbox.take();
  EXPECT_TRUE(mailbox.take().empty());
  EXPECT_TRUE(mailbox.put(4));
  EXPECT_EQ(wakes, 2);
}

TEST(Mailbox, DoesNotWakeWhoComesAgain) {
  int wakes = 0;
  Mailbox<int> mailbox(9, [&] { ++wakes; });
  EXPECT_TRUE(mailbox.put(1));
  (void)mailbox.take();
  EXPECT_TRUE(mailbox.put(2));
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(mailbox.take(), std::vector{2});
  mailbox.leave();
  EXPECT_EQ(wakes, 1) << "nothing was left";
  EXPECT_TRUE(mailbox.put(3));
  EXPECT_EQ(wakes, 2);
}

TEST(Mailbox, WakesForWhatIsLeft) {
  int wakes = 0;
  Mailbox<int> mailbox(9, [&] { ++wakes; });
  EXPECT_TRUE(mailbox.put(1));
  (void)mailbox.take();
  EXPECT_TRUE(mailbox.put(2));
  mailbox.leave();
  EXPECT_EQ(wakes, 2);
  EXPECT_EQ(mailbox.take(), std::vector{2});
}

TEST(Mailbox, GivesWhatIsLeftWhenItClosesAndTakesNothingMore) {
  int wakes = 0;
  Mailbox<int> mailbox(9, [&] { ++wakes; });
  EXPECT_TRUE(mailbox.put(1));
  EXPECT_EQ(mailbox.close(), std::vector{1});
  EXPECT_TRUE(mailbox.closed());
  EXPECT_FALSE(mailbox.put(2));
  EXPECT_FALSE(mailbox.put_always(3));
  EXPECT_EQ(wakes, 1);
  EXPECT_TRUE(mailbox.take().empty());
}

// The taker looks twice, and then only when it was woken: a wake too few would leave it waiting for
// ever.
TEST(Mailbox, LosesNothingBetweenEightThreads) {
  constexpr int threads = 8;
  constexpr int each = 20'000;
  std::atomic<int> wakes = 0;
  Mailbox<std::pair<int, int>> mailbox(threads * each, [&] {
    ++wakes;
    wakes.notify_one();
  });
  std::vector<std::jthread> senders;
  for (int sender = 0; sender < threads; ++sender) {
    senders.emplace_back([&mailbox, sender] {
      for (int i = 0; i < each; ++i) EXPECT_TRUE(mailbox.put({sender, i}));
    });
  }
  std::map<int, int> next;
  int seen = 0;
  for (int taken = 0; taken < threads * each;) {
    wakes.wait(seen);
    seen = wakes;
    for (int i = 0; i < 2; ++i) {
      for (auto [sender, number] : mailbox.take()) {
        EXPECT_EQ(next[sender]++, number);
        ++taken;
      }
    }
    mailbox.leave();
  }
  for (int sender = 0; sender < threads; ++sender) EXPECT_EQ(next[sender], each);
}

}  // namespace
}  // namespace almanac::test
