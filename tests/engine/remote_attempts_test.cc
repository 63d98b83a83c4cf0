// What is known of attempts at workers elsewhere: until when each may be silent.
#include <almanac/engine/remote_attempts.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

class RemoteAttemptsTest : public ::testing::Test {
 protected:
  // Told and followed.
  void tell(const EventBody& body) {
    ASSERT_TRUE(story.tell(body));
    follow();
  }
  void follow() {
    remote.follow(story.state(), std::span(story.events()).subspan(followed), now);
    followed = story.events().size();
  }
  void begin(std::uint64_t id, Duration lease_time, Duration timeout = 0s) {
    tell(TaskEnqueued{.id = TaskId(id), .kind = "render", .queue = "q", .timeout = timeout});
    tell(TaskStarted{.id = TaskId(id), .attempt = 1, .worker = "w", .lease_time = lease_time});
  }
  LeaseStatus heard(std::uint64_t id) { return remote.heard(TaskId(id), story.lease(id), now); }
  // The one that is over; 0 = none is.
  std::uint64_t over() {
    const auto one = remote.remove_over(story.state().time, now);
    return one ? one->id.value : 0;
  }

  Story story;
  RemoteAttempts remote;
  SteadyTime now{5min};
  std::size_t followed = 0;
};

TEST_F(RemoteAttemptsTest, MayBeSilentForTheirTimeAndNoLonger) {
  begin(1, 10s);
  begin(2, 4s);
  EXPECT_EQ(remote.next_silence(), now + 4s);
  now += 4s - 1us;
  EXPECT_EQ(over(), 0U);
  now += 1us;
  EXPECT_EQ(over(), 2U);
  EXPECT_EQ(over(), 0U) << "each once";
  EXPECT_EQ(heard(2), LeaseStatus::gone);
  now += 6s;
  EXPECT_EQ(over(), 1U);
  EXPECT_TRUE(remote.empty());
}

TEST_F(RemoteAttemptsTest, GetTheirWholeTimeAnewByEverySignOfLife) {
  begin(1, 4s);
  for (int i = 0; i < 5; ++i) {
    now += 4s - 1us;
    EXPECT_EQ(heard(1), LeaseStatus::held);
    EXPECT_EQ(over(), 0U);
  }
  EXPECT_EQ(remote.next_silence(), now + 4s);
}

TEST_F(RemoteAttemptsTest, AllGetTheirWholeTimeAnewWhereNobodyCouldBeHeard) {
  begin(1, 10s);
  begin(2, 4s);
  now += 1h;
  remote.renew(now);
  EXPECT_EQ(over(), 0U);
  now += 4s;
  EXPECT_EQ(over(), 2U);
  EXPECT_EQ(remote.next_silence(), now + 6s);
}

TEST_F(RemoteAttemptsTest, AreKnownByTaskAndLease) {
  begin(1, 4s);
  begin(2, 4s);
  EXPECT_EQ(remote.heard(TaskId(1), story.lease(2), now), LeaseStatus::gone);
  EXPECT_EQ(remote.heard(TaskId(1), story.lease(1).next(), now), LeaseStatus::gone);
  EXPECT_TRUE(remote.holds(TaskId(1), story.lease(1)));
}

TEST_F(RemoteAttemptsTest, ThatAreToStopHaveOneLeaseTimeWhateverIsHeard) {
  begin(1, 4s);
  now += 3s;
  tell(TaskCancelRequested{TaskId(1), "no"});
  now += 3s;
  EXPECT_EQ(heard(1), LeaseStatus::cancelled);
  EXPECT_EQ(over(), 0U);
  now += 1s;
  EXPECT_EQ(over(), 1U);
}

TEST_F(RemoteAttemptsTest, AreForgottenWhenTheyEnd) {
  for (std::uint64_t id = 1; id <= 5; ++id) begin(id, 4s);
  tell(TaskSucceeded{TaskId(1), story.lease(1), {}});
  tell(TaskAttemptFailed{TaskId(2), story.lease(2), story.now(), {}});
  tell(TaskHandedBack{TaskId(3), story.lease(3)});
  tell(TaskSnoozed{TaskId(4), story.lease(4), story.now()});
  tell(TaskProgressed{TaskId(5), story.lease(5), 500, "half", {}});
  now += 1h;
  EXPECT_EQ(over(), 5U);
  EXPECT_EQ(over(), 0U);
}

TEST_F(RemoteAttemptsTest, AreLateAtTheirDeadlineHoweverAliveTheyAre) {
  begin(1, 4s, 1h);
  const Time deadline = story.task(1).started_at + 1h;
  EXPECT_EQ(remote.next_deadline(), deadline);
  EXPECT_FALSE(remote.remove_over(deadline - 1us, now));
  const auto late = remote.remove_over(deadline, now);
  ASSERT_TRUE(late);
  EXPECT_TRUE(late->is_late);
  EXPECT_FALSE(remote.next_deadline());
  EXPECT_FALSE(remote.next_silence());
}

TEST_F(RemoteAttemptsTest, OfEnginesBeforeGetTheirWholeTimeFromTheStartOn) {
  begin(1, 4s, 1h);
  begin(2, 7s);
  story.tell(TaskCancelRequested{TaskId(2), "no"});
  story.enqueue({.id = 3});
  story.start(3);
  RemoteAttempts next;
  now += 1h;
  story.tell(EngineStarted{.version = "next", .slots = 1});
  next.follow(story.state(), std::span(story.events()).last(1), now);
  EXPECT_EQ(next.next_silence(), now + 4s);
  EXPECT_EQ(next.next_deadline(), story.task(1).started_at + 1h);
  EXPECT_TRUE(next.holds(TaskId(1), story.lease(1)));
  EXPECT_EQ(next.heard(TaskId(2), story.lease(2), now + 1s), LeaseStatus::cancelled);
  EXPECT_FALSE(next.holds(TaskId(3), story.lease(3))) << "it was the engine's own";
}

}  // namespace
}  // namespace almanac::test
