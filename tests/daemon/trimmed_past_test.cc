// A daemon whose log was trimmed: what can be shown still, and what it says of the rest.
#include <almanac/tests/daemon/daemon_fixture.h>
#include <almanac/tests/support/past_commands.h>
#include <almanac/tests/support/trimmed_log.h>

#include <almanac/daemon/event_feed.h>

#include <string>

namespace almanac::test {
namespace {

class TrimmedPast : public DaemonTest {
 protected:
  // As often as it takes: the front goes as far as the last checkpoint but one.
  std::uint64_t trim_some() {
    std::uint64_t first = 0;
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < 20; ++i) submit(R"({"kind": "a"})");
      EXPECT_EQ(client().ask("POST", "/v1/tasks/cancel", R"({"where": "true"})").status, 200);
      const HttpAnswer trimmed = client().ask("POST", "/v1/log/trim", R"({"before": 1000})");
      EXPECT_EQ(trimmed.status, 200) << trimmed.body;
      first = trimmed.json().value("first", std::uint64_t{0});
    }
    EXPECT_GT(first, 2U);
    return first;
  }
};

TEST_F(TrimmedPast, BeginsWhereTheTimelineSays) {
  open();
  const std::uint64_t first = trim_some();
  const auto line = client().ask("GET", "/v1/timeline").json();
  EXPECT_EQ(line["first"], first);
  const auto shown = line["first_state"].get<std::uint64_t>();
  EXPECT_GE(shown + 1, first);
  const auto at = [&](std::uint64_t position) {
    return client().ask("GET", "/v1/tasks?at=" + std::to_string(position));
  };
  EXPECT_EQ(at(shown).status, 200);
  const std::string advice = "name a moment from position " + std::to_string(shown) + " on";
  const HttpAnswer early = at(first - 2);
  EXPECT_EQ(early.status, 422) << early.body;
  EXPECT_EQ(early.json()["next"], advice) << early.body;
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
