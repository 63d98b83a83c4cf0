// What is known of users, on the command line.
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace almanac::test {
namespace {

using nlohmann::json;

class ContextCommandTest : public testing::Test {
 protected:
  [[nodiscard]] CommandOutput almanac(std::vector<std::string> words) const {
    words.insert(words.end(), {"--dir", "log"});
    return run_almanac({.arguments = std::move(words), .folder = folder_.path()});
  }
  [[nodiscard]] json get(std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {"context", "get", "--user", "ann", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const auto outcome = almanac(words);
    return json::parse(outcome.output, nullptr, false);
  }
  TempFolder folder_;
};

TEST_F(ContextCommandTest, ShowsWhatWasSetNowAndAsItWas) {
  ASSERT_EQ(almanac({"context", "set", "--user", "ann", "--preference", "language=en",
                     "--preference", "code=\"1\"", "--field", "visits=2", "--field", "is_new=true",
                     "--friendship", "0.5", "--turn", "user:Hello: \x1b[2Jyou"})
                .code,
            0);
  const json first = get();
  EXPECT_EQ(first["preferences"], (json{{"language", "en"}, {"code", "1"}}));
  EXPECT_EQ(first["fields"], (json{{"visits", 2.0}, {"is_new", true}}));
  EXPECT_EQ(first["friendship"], 0.5);
  EXPECT_EQ(first["turns"][0]["role"], "user");
  EXPECT_EQ(first["turns"][0]["text"], "Hello: \x1b[2Jyou");
  const std::string version = std::to_string(first["version"].get<int>());
  ASSERT_EQ(almanac({"context", "set", "--user", "ann", "--preference", "language=", "--turn",
                     "assistant:Hi", "--version", version})
                .code,
            0);
  EXPECT_EQ(get()["preferences"], (json{{"code", "1"}}));
  EXPECT_EQ(get()["turns_added"], 2);
  EXPECT_EQ(get({"--at", version}), first);
  const std::string text = almanac({"context", "get", "--user", "ann", "--turns", "1"}).output;
  EXPECT_NE(text.find("assistant  Hi"), std::string::npos) << text;
  EXPECT_EQ(text.find("Hello"), std::string::npos) << text;
  const auto history = almanac({"context", "history", "--user", "ann"});
  EXPECT_NE(history.output.find("preference language = en"), std::string::npos) << history.output;
  EXPECT_NE(history.output.find("assistant: Hi"), std::string::npos) << history.output;
  EXPECT_EQ(history.output.find('\x1b'), std::string::npos) << "shown as text";
  const auto cat = almanac({"log", "cat"}).output;
  EXPECT_NE(cat.find("ConversationTurnAdded"), std::string::npos);
  EXPECT_EQ(cat.find("Hello"), std::string::npos) << "sealed";
}

TEST_F(ContextCommandTest, RefusesWhatCannotBeAndMakesNoLogOfIt) {
  const auto refused = [&](std::vector<std::string> more) {
    std::vector<std::string> words = {"context", "set", "--user", "ann"};
    words.insert(words.end(), more.begin(), more.end());
    const auto outcome = almanac(words);
    EXPECT_EQ(outcome.code, 2) << outcome.errors;
    EXPECT_TRUE(outcome.output.empty());
    return outcome.errors;
  };
  EXPECT_NE(refused({}).find("nothing to change"), std::string::npos);
  EXPECT_NE(refused({"--preference", "language"}).find("NAME=VALUE"), std::string::npos);
  EXPECT_NE(refused({"--preference", "a b=c"}).find("preference 'a b'"), std::string::npos);
  EXPECT_NE(refused({"--friendship", "2"}).find("friendship is 2"), std::string::npos);
  EXPECT_NE(refused({"--friendship", "much"}).find("'much'"), std::string::npos);
  EXPECT_NE(refused({"--turn", "nobody:Hello"}).find("'nobody'"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "log"));
  EXPECT_EQ(almanac({"context", "get", "--user", "ann"}).code, 3);
  EXPECT_EQ(almanac({"context", "forget", "--user", "ann"}).code, 3);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "log"));
  ASSERT_EQ(almanac({"context", "set", "--user", "ann", "--friendship", "1"}).code, 0);
  EXPECT_EQ(
      almanac({"context", "set", "--user", "ann", "--friendship", "0", "--version", "1"}).code, 4);
  EXPECT_EQ(almanac({"context", "get", "--user", "bob"}).code, 3);
  EXPECT_EQ(almanac({"context", "history", "--user", "bob"}).code, 3);
}

TEST_F(ContextCommandTest, ForgetsAlsoWhatWas) {
  ASSERT_EQ(almanac({"context", "set", "--user", "ann", "--turn", "user:Hello"}).code, 0);
  const std::string version = std::to_string(get()["version"].get<int>());
  ASSERT_EQ(almanac({"context", "forget", "--user", "ann"}).code, 0);
  EXPECT_EQ(almanac({"context", "get", "--user", "ann"}).code, 3);
  EXPECT_EQ(almanac({"context", "get", "--user", "ann", "--at", version}).code, 7);
  const auto history = almanac({"context", "history", "--user", "ann"}).output;
  EXPECT_NE(history.find("nobody can read"), std::string::npos) << history;
  EXPECT_NE(history.find("the user was forgotten"), std::string::npos) << history;
  EXPECT_EQ(almanac({"log", "verify"}).code, 0);
}

}  // namespace
}  // namespace almanac::test
