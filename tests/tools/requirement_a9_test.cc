// Requirement A9: instants compare safely whatever zone they were written in; everything is UTC,
// and a time that names no zone is read by one rule or refused.
#include <almanac/tests/support/past_commands.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

class RequirementA9 : public PastCommands {
 protected:
  int submit(const std::string& name, Words options) {
    Words words = {"submit", "--dir", "new", "-q", "press", "--name", name};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"--", "true"});
    return run(words).code;
  }
};

TEST_F(RequirementA9, DeadlinesOfDifferentZonesAreOrderedAsInstants) {
  (void)output({"queue", "set", "press", "--dir", "new", "--policy", "deadline"});
  ASSERT_EQ(submit("third", {"--deadline", "2099-01-01T12:00:00Z"}), 0);
  ASSERT_EQ(submit("first", {"--deadline", "2099-01-01T14:00:00+04:00"}), 0);
  ASSERT_EQ(submit("second", {"--deadline", "2099-01-01T06:00:00-05:00"}), 0);
  std::string order;
  for (const auto& line : lines_of(output({"recommend", "--dir", "new", "--json"}))) {
    const auto json = nlohmann::json::parse(line);
    order += json["label"].get<std::string>() + " " + json["deadline"].get<std::string>() + "\n";
  }
  EXPECT_EQ(order,
            "first 2099-01-01T10:00:00.000000Z\n"
            "second 2099-01-01T11:00:00.000000Z\n"
            "third 2099-01-01T12:00:00.000000Z\n");
}

TEST_F(RequirementA9, ATimeWithoutAZoneIsUtcForDeadlinesAndRefusedForStarts) {
  ASSERT_EQ(submit("plain", {"--deadline", "2099-01-01 12:00"}), 0);
  EXPECT_EQ(output_json({"show", "1", "--dir", "new"})["deadline"], "2099-01-01T12:00:00.000000Z");
  EXPECT_EQ(submit("naive", {"--run-at", "2099-01-01 12:00"}), 2);
}

}  // namespace
}  // namespace almanac::test
