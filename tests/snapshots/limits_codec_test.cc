// What tasks ask for, what lanes wait for and the limits, stored with a state and read again.
#include <almanac/engine/limits.h>
#include <almanac/projections/invariants.h>
#include <almanac/projections/lane_claims.h>
#include <almanac/snapshots/state_codec.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>

#include <algorithm>

namespace almanac::test {
namespace {

// Some run, some are ready with demands and without, a lane's reason is on record, a bucket is not
// full, and a family and a kind have limits.
State full_state() {
  Desk desk({.slots = 6});
  for (const auto& [name, setting] :
       std::vector<std::pair<std::string, LimitSetting>>{{"memory", {.units = 8}},
                                                         {"api", {.per_minute = 60, .burst = 3}},
                                                         {"customer:*", {.units = 1}},
                                                         {"kind:video", {.units = 2}}}) {
    ALMANAC_CHECK(desk.ask(ConfigureLimit{name, setting}).has_value());
  }
  for (int i = 0; i < 3; ++i) {
    desk.submit({.kind = "video", .demands = {{"memory", 4}, {"api", 1}}});
    desk.submit({.kind = "mail", .demands = {{"customer:1", 1}}});
    desk.submit({.kind = "plain"});
  }
  desk.start();
  desk.now += limits::reasons_interval;
  desk.record_reasons();
  return desk.state();
}

TEST(LimitsCodec, KeepsAllOfIt) {
  const State state = full_state();
  ASSERT_FALSE(state.tasks.in_use.empty() || state.tasks.blocked.empty() ||
               state.limits.buckets.empty());
  const auto read = decode_state(encode(state));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(digest(*read), digest(state));
  EXPECT_EQ(broken_invariants(*read), std::vector<std::string>());
  EXPECT_TRUE(std::ranges::equal(read->tasks.ready, state.tasks.ready));
  EXPECT_EQ(read->tasks.in_use, state.tasks.in_use);
  EXPECT_EQ(read->tasks.blocked, state.tasks.blocked);
  EXPECT_EQ(read->limits.kinds, state.limits.kinds);
  EXPECT_EQ(read->limits.families, state.limits.families);
}

TEST(LimitsCodec, LetsWorkGoOnAsIfItHadNotBeenStored) {
  Desk kept(full_state());
  Desk read(decode_state(encode(full_state())).value());
  EXPECT_EQ(read.start(), kept.start());
  EXPECT_EQ(digest(read.state()), digest(kept.state()));
}

TEST(LimitsCodec, GivesAnErrorOrSomeStateForBytesThatAreNotIts) {
  const auto bytes = encode(full_state());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto damaged = bytes;
    damaged[i] ^= std::byte{0x11};
    const auto read = decode_state(damaged);
    if (read) (void)broken_invariants(*read, 1);
  }
}

}  // namespace
}  // namespace almanac::test
