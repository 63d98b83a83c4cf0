// Pools on the command line.
#include <almanac/engine/engine.h>
#include <almanac/engine/pool.h>
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using nlohmann::json;

class PoolCommandTest : public testing::Test {
 protected:
  [[nodiscard]] CommandOutput almanac(std::vector<std::string> words) const {
    words.insert(words.end(), {"--dir", "log"});
    return run_almanac({.arguments = std::move(words), .folder = folder_.path()});
  }
  // A program with a pool whose only instance is replaced once.
  void run_program() const {
    auto engine = Engine::open({.folder = folder_ / "log"});
    ASSERT_TRUE(engine) << describe(engine.error());
    auto options = (*engine)->on_record({.name = "reasoners", .size = 1});
    auto pool =
        Pool<int>::open(std::move(*options), {.create = [] { return std::make_unique<int>(1); }});
    ASSERT_TRUE(pool->warm_up(std::chrono::seconds(30)));
    pool->check_out()->discard("it has\nlost its mind");
    ASSERT_TRUE(pool->warm_up(std::chrono::seconds(30)));
  }
  TempFolder folder_;
};

TEST_F(PoolCommandTest, ShowsWhatBecameOfTheirInstances) {
  run_program();
  const auto shown = json::parse(almanac({"pool", "show", "reasoners", "--json"}).output);
  EXPECT_EQ(shown["pool"], "reasoners");
  EXPECT_EQ(shown["created"], 2);
  EXPECT_EQ(shown["alive"], 0);
  EXPECT_EQ(shown["retired"]["discarded"], 1);
  const std::string text = almanac({"pool", "show", "reasoners"}).output;
  EXPECT_NE(text.find("last wrong  discarded it has"), std::string::npos) << text;
  EXPECT_EQ(text.find("has\nlost"), std::string::npos) << "one line";
  EXPECT_NE(almanac({"pool", "list"}).output.find("reasoners"), std::string::npos);
}

TEST_F(PoolCommandTest, SaysWhereNothingIsKnown) {
  run_program();
  EXPECT_EQ(almanac({"pool", "show", "browsers"}).code, 3);
}

}  // namespace
}  // namespace almanac::test
