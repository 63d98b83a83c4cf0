// A daemon whose log was trimmed: what can be shown still, and what it says of the rest.
#include <almanac/tests/daemon/daemon_fixture.h>
#include <almanac/tests/support/past_commands.h>
#include <almanac/tests/support/trimmed_log.h>

#include <almanac/daemon/event_feed.h>
#include <almanac/snapshots/checkpoints.h>

#include <string>

namespace almanac::test {
namespace {

using TrimmedPast = DaemonTest;

// Events from 6 on, and a state as of 8.
TEST_F(TrimmedPast, BeginsWhereTheTimelineSays) {
  const auto events = told_events();
  write_trimmed(log_folder(), events, Position(5));
  {
    auto log = Log::open(log_folder(), {.access = Access::read});
    ASSERT_TRUE(log) << describe(log.error());
    State state;
    for (std::uint64_t i = 0; i < 8; ++i) {
      state = fold(std::move(state), {Position(i + 1), events[i]});
    }
    ASSERT_TRUE(keep_checkpoint(**log, log_folder(), state));
  }
  open();
  const auto line = client().ask("GET", "/v1/timeline").json();
  EXPECT_EQ(line["first"], 6);
  EXPECT_EQ(line["first_state"], 8);
  const auto at = [&](int position) {
    return client().ask("GET", "/v1/tasks?at=" + std::to_string(position));
  };
  EXPECT_EQ(at(8).status, 200);
  for (const int early : {2, 6, 7}) {
    const HttpAnswer refused = at(early);
    EXPECT_EQ(refused.status, 422) << refused.body;
    EXPECT_EQ(refused.json()["next"], "name a moment from position 8 on") << refused.body;
  }
}

TEST_F(TrimmedPast, EndsAStreamThatHasFallenBehindItsFrontAndSaysSo) {
  write_trimmed(folder / "trimmed", told_events(), Position(5));
  auto log = Log::open(folder / "trimmed", {.access = Access::read});
  ASSERT_TRUE(log) << describe(log.error());
  const auto end = (*log)->tail()->last;
  EventFeed feed(**log, [&] { return end; });
  EventStream behind(feed, Position(3), {});
  const auto told = behind.next(100'000);
  ASSERT_TRUE(told);
  EXPECT_TRUE(told->starts_with("event: error\ndata: {")) << *told;
  EXPECT_NE(told->find("the next event was trimmed"), std::string::npos) << *told;
  EXPECT_FALSE(behind.next(100'000)) << "it is over";
  EventStream at_front(feed, Position(6), {});
  EXPECT_TRUE(at_front.next(100'000)->starts_with("id: 6\n"));
}

}  // namespace
}  // namespace almanac::test
