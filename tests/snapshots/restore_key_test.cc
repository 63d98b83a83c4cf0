// The moment behind the event with an idempotency key.
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/restore_key.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace almanac::test {
namespace {

class RestoreKey : public ::testing::Test {
 protected:
  RestoreKey() {
    TestLog log(folder / "log");
    for (const std::string part : {"a", "b"}) {
      std::vector<Event> events = numbered_events(part == "a" ? 1 : 9, 8);
      std::vector<std::string> keys;
      for (std::size_t i = 0; i < events.size(); ++i) keys.push_back(part + std::to_string(i));
      for (std::size_t i = 0; i < events.size(); i += 2) events[i].idempotency_key = keys[i];
      EXPECT_TRUE(log.append(events));
      auto to = Repository::open(folder / "backup", Access::write);
      EXPECT_TRUE(create_snapshot(*log, folder / "log", *to, {.made_at = Time()}));
    }
  }
  Result<Position> find(std::string_view key, std::optional<std::uint64_t> snapshot = {},
                        const RestoreOptions& options = {}) const {
    const auto from = Repository::open(folder / "backup", Access::read);
    return find_key(*from, {.snapshot = snapshot, .moment = {}}, key, options);
  }

  TempFolder folder;
};

TEST_F(RestoreKey, IsFoundWhereItsEventIs) {
  EXPECT_EQ(find("a0").value(), Position(1));
  EXPECT_EQ(find("a6").value(), Position(7));
  EXPECT_EQ(find("b2").value(), Position(11));
  EXPECT_EQ(find("a6", 1).value(), Position(7));
}

TEST_F(RestoreKey, IsRefusedWhereNoEventHasIt) {
  const auto missing = find("a1");
  EXPECT_EQ(code_of(missing), "not_found");
  EXPECT_NE(missing.error().message.find("position 1 to 16"), std::string::npos)
      << missing.error().message;
  EXPECT_EQ(code_of(find("a", 1)), "not_found") << "it is not a part of one";
  EXPECT_EQ(code_of(find("b2", 1)), "not_found") << "that is behind the snapshot";
}

TEST_F(RestoreKey, IsNoLongerLookedForWhenToldToStop) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(code_of(find("b2", {}, {.stop = stop.get_token()})), "stopped");
}

}  // namespace
}  // namespace almanac::test
