// Following a log, beside its writer and from another process.
#include <almanac/log/log.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto long_enough = 1h;

std::vector<std::string> follower(const fs::path& folder, std::uint64_t from, std::uint64_t until) {
  return {program_path("log_follower"), folder, std::to_string(from), std::to_string(until)};
}

// What the next call gives, at most `count_max`.
std::vector<std::uint64_t> take(Subscription& subscription, std::uint64_t count_max = UINT64_MAX) {
  std::vector<std::uint64_t> positions;
  auto given = subscription.next(
      [&](const RecordedEvent& recorded) -> Result<bool> {
        positions.push_back(recorded.position.value);
        return positions.size() < count_max;
      },
      0ms);
  EXPECT_TRUE(given) << given.error().message;
  EXPECT_EQ(given && *given, !positions.empty());
  return positions;
}

using Positions = std::vector<std::uint64_t>;

TEST(Subscription, CatchesUpAndThenGivesWhatIsNew) {
  TempFolder folder;
  TestLog log(folder / "log");
  ASSERT_TRUE(log.append(numbered_events(1, 3)));
  auto subscription = log->subscribe(Position(2));
  EXPECT_EQ(subscription.position(), Position(2));
  EXPECT_EQ(take(subscription), (Positions{2, 3}));
  EXPECT_EQ(take(subscription), Positions{});
  EXPECT_EQ(subscription.position(), Position(4));
  ASSERT_TRUE(log.append(numbered_events(4, 2)));
  EXPECT_EQ(take(subscription), (Positions{4, 5}));
}

TEST(Subscription, BeginsAtTheFirstEventWhereNoPositionIsSaid) {
  TempFolder folder;
  TestLog log(folder / "log");
  auto subscription = log->subscribe(Position());
  EXPECT_EQ(take(subscription), Positions{});
  ASSERT_TRUE(log.append(numbered_events(1, 2)));
  EXPECT_EQ(take(subscription), (Positions{1, 2}));
}

TEST(Subscription, CanBeginBehindTheEnd) {
  TempFolder folder;
  TestLog log(folder / "log");
  auto subscription = log->subscribe(Position(3));
  ASSERT_TRUE(log.append(numbered_events(1, 2)));
  EXPECT_EQ(take(subscription), Positions{});
  ASSERT_TRUE(log.append(numbered_events(3, 1)));
  EXPECT_EQ(take(subscription), Positions{3});
}

TEST(Subscription, TakesNoMoreThanItWants) {
  TempFolder folder;
  TestLog log(folder / "log");
  ASSERT_TRUE(log.append(numbered_events(1, 5)));
  auto subscription = log->subscribe(Position(1));
  for (std::uint64_t i = 1; i <= 5; ++i) EXPECT_EQ(take(subscription, 1), Positions{i});
  EXPECT_EQ(take(subscription, 1), Positions{});
}

TEST(Subscription, GivesAnEventAgainThatWasAnsweredWithAnError) {
  TempFolder folder;
  TestLog log(folder / "log");
  ASSERT_TRUE(log.append(numbered_events(1, 3)));
  auto subscription = log->subscribe(Position(1));
  for (int round = 0; round < 3; ++round) {
    auto given = subscription.next(
        [](const RecordedEvent& recorded) -> Result<bool> {
          if (recorded.position == Position(2)) return fail(ErrorCode::busy, "later");
          return true;
        },
        0ms);
    EXPECT_EQ(code_of(given), "busy");
    EXPECT_EQ(subscription.position(), Position(2));
  }
  EXPECT_EQ(take(subscription), (Positions{2, 3}));
}

TEST(Subscription, WaitsNoLongerThanItWasTold) {
  TempFolder folder;
  TestLog log(folder / "log");
  auto subscription = log->subscribe(Position(1));
  const auto began = std::chrono::steady_clock::now();
  auto given = subscription.next([](const RecordedEvent&) -> Result<bool> { return true; }, 20ms);
  EXPECT_EQ(given, false);
  EXPECT_GE(std::chrono::steady_clock::now() - began, 20ms);
}

TEST(Subscription, MissesAndRepeatsNothingBesideTheWriter) {
  TempFolder folder;
  TestLog log(folder / "log");
  constexpr std::uint64_t last = 3'000;
  std::vector<std::jthread> followers;
  for (int i = 0; i < 3; ++i) {
    followers.emplace_back([&] {
      auto subscription = log->subscribe(Position(1));
      Position expected(1);
      while (expected <= Position(last)) {
        auto given = subscription.next(
            [&](const RecordedEvent& recorded) -> Result<bool> {
              EXPECT_EQ(recorded.position, expected);
              expected = expected.next();
              return true;
            },
            long_enough);
        ASSERT_TRUE(given) << given.error().message;
      }
    });
  }
  for (std::uint64_t next = 1; next <= last; next += 10) {
    ASSERT_TRUE(log->append(make_batch(numbered_events(next, 10))));
  }
  EXPECT_FALSE(log.wait_for(Position(last)).error);
}

TEST(Subscription, SaysThatTheNextEventWasTrimmed) {
  TempFolder folder;
  const std::string data(700 * limits::kibibyte, 'x');  // a value of the store of its own
  const Event large{.at = {}, .body = CustomEvent{"", as_bytes(data)}};
  {
    TestLog log(folder / "log");
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(log.append({large}));
  }
  TestLog log(folder / "log");
  auto early = log->subscribe(Position(1));
  auto late = log->subscribe(Position(1));
  EXPECT_EQ(take(early, 1), Positions{1});
  EXPECT_EQ(take(late), (Positions{1, 2, 3, 4}));
  ASSERT_TRUE(log->set_checkpoint(Position(3)));
  auto trimmed = log->trim({.before = Position(4)});
  ASSERT_TRUE(trimmed);
  ASSERT_GT(trimmed->first, Position(2));
  auto given = early.next([](const RecordedEvent&) -> Result<bool> { return true; }, 0ms);
  ASSERT_FALSE(given);
  EXPECT_EQ(code_of(given), "not_found");
  EXPECT_TRUE(given.error().message.starts_with("the event at position 2 was removed"))
      << given.error().message;
  EXPECT_EQ(early.position(), Position(2));
  ASSERT_TRUE(log.append({large}));
  EXPECT_EQ(take(late), Positions{5});
  auto first = log->subscribe(Position());
  EXPECT_EQ(take(first, 1), Positions{trimmed->first.value});
}

TEST(Subscription, LetsTheFileGrowNoFurtherHoweverSlowItIs) {
  TempFolder folder;
  TestLog log(folder / "log");
  auto slow = log->subscribe(Position(1));
  ChildProcess other(follower(folder / "log", 1, 400));
  ASSERT_TRUE(other.read_line().starts_with("open "));
  std::uint64_t seen = 0;
  for (std::uint64_t i = 1; i <= 400; ++i) {
    ASSERT_TRUE(log.append(numbered_events(i, 1)));
    if (i % 10 == 0) seen += take(slow, 1).size();
  }
  EXPECT_EQ(seen, 40U);
  EXPECT_EQ(other.read_line(), "followed 1 through 400");
  // 400 frames take 0.2 MB; every commit's old pages, kept for good, would take megabytes.
  EXPECT_LT(fs::file_size(folder / "log/log/data.mdb"), limits::mebibyte);
}

TEST(SubscriptionOfAnotherProcess, MissesAndRepeatsNothingWhileTheWriterComesAndGoes) {
  TempFolder folder;
  { TestLog log(folder / "log"); }
  constexpr std::uint64_t rounds = 5;
  constexpr std::uint64_t each = 50;
  ChildProcess other(follower(folder / "log", 1, rounds * each));
  ASSERT_EQ(other.read_line(), "open 0");
  for (std::uint64_t round = 0; round < rounds; ++round) {
    TestLog log(folder / "log");
    for (std::uint64_t i = 1; i <= each; ++i) {
      ASSERT_TRUE(log.append(numbered_events(round * each + i, 1)));
    }
  }
  EXPECT_EQ(other.read_line(), "followed 1 through 250");
  EXPECT_EQ(other.wait(), 0);
}

TEST(SubscriptionOfAnotherProcess, MissesAndRepeatsNothingWhenTheWriterIsKilled) {
  TempFolder folder;
  { TestLog log(folder / "log"); }
  ChildProcess other(follower(folder / "log", 1, 60));
  ASSERT_EQ(other.read_line(), "open 0");
  for (std::uint64_t round = 1; round <= 3; ++round) {
    ChildProcess writer({program_path("log_peer"), "write", folder / "log"});
    ASSERT_EQ(writer.read_line(), "open " + std::to_string(20 * (round - 1)));
    ASSERT_EQ(writer.ask("append 20"), "appended through " + std::to_string(20 * round));
    writer.kill(SIGKILL);
    EXPECT_EQ(writer.wait(), -SIGKILL);
  }
  EXPECT_EQ(other.read_line(), "followed 1 through 60");
  EXPECT_EQ(other.wait(), 0);
}

}  // namespace
}  // namespace almanac::test
