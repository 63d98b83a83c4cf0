// What changed between two states, whichever comes first.
#include <almanac/tests/support/full_story.h>

#include <almanac/tools/state_changes.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace almanac::test {
namespace {

std::vector<std::string> changed_parts(const nlohmann::ordered_json& changes) {
  std::vector<std::string> parts;
  for (const auto& [part, entries] : changes.items()) {
    for (const auto& [key, fields] : entries.items()) parts.push_back(part + " " + key);
  }
  return parts;
}

// A name that the earlier state does not know is one of the later: it once ended the program.
TEST(StateChanges, AreTheSameThingsBackwards) {
  const Story story = full_story(21);
  const State before;
  const auto forwards = changed_parts(state_changes(before, story.state()));
  EXPECT_GT(forwards.size(), 30U);
  EXPECT_EQ(changed_parts(state_changes(story.state(), before)), forwards);
}

}  // namespace
}  // namespace almanac::test
