// The file of tokens: what is in it, who may read it, and how it changes.
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>

#include <almanac/daemon/access_tokens.h>
#include <almanac/daemon/token_file.h>
#include <almanac/engine/engine.h>
#include <almanac/log/hash.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sys/stat.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

using std::chrono::hours;

class AccessTokensTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path file() const { return folder / "tokens"; }
  std::string add(const std::string& name, std::string_view scopes = "read", Time expires = {}) {
    auto made = add_token(
        file(),
        {.name = name, .scopes = *scopes_from(scopes), .made = Time(hours(1)), .expires = expires});
    EXPECT_TRUE(made) << describe(made.error());
    return made.value_or("");
  }
  Result<AccessTokens> load(const std::string& text, unsigned mode = 0600) {
    write_file(file(), text);
    ::chmod(file().c_str(), mode);
    return AccessTokens::load(file());
  }
  TempFolder folder;
};

TEST_F(AccessTokensTest, HaveDigestsInTheirFileAndAreShownOnce) {
  const std::string token = add("ci", "read,submit", Time(hours(100)));
  EXPECT_EQ(token.size(), 8 + 64U);
  const std::string text = read_file(file());
  EXPECT_EQ(text.find(token.substr(8)), std::string::npos);
  EXPECT_NE(text.find("hash=" + to_hex(blake2b(as_bytes(token)))), std::string::npos);
  const auto tokens = AccessTokens::load(file());
  ASSERT_TRUE(tokens) << describe(tokens.error());
  const AccessToken* found = tokens->find(token);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->name, "ci");
  EXPECT_EQ(text_of(found->scopes), "read,submit");
  EXPECT_EQ(found->made, Time(hours(1)));
  EXPECT_FALSE(found->has_expired(Time(hours(99))));
  EXPECT_TRUE(found->has_expired(Time(hours(100))));
  EXPECT_EQ(tokens->find(token + "0"), nullptr);
  EXPECT_EQ(tokens->find(token.substr(0, 71)), nullptr);
  EXPECT_EQ(tokens->find(""), nullptr);
  struct stat found_file{};
  ASSERT_EQ(::stat(file().c_str(), &found_file), 0);
  EXPECT_EQ(found_file.st_mode & 0777, 0600U);
  EXPECT_NE(make_access_token(), make_access_token());
}

TEST_F(AccessTokensTest, KeepWhatElseIsInTheirFile) {
  const std::string by_hand = make_access_token();
  write_file(file(), "# of the board\n" + by_hand + " read\n");
  ::chmod(file().c_str(), 0600);
  const std::string token = add("ci");
  ASSERT_TRUE(remove_token(file(), "ci"));
  EXPECT_EQ(read_file(file()), "# of the board\n" + by_hand + " read\n");
  add("other");
  const auto tokens = AccessTokens::load(file());
  ASSERT_TRUE(tokens);
  EXPECT_EQ(tokens->find(by_hand)->name, "line 2");
  EXPECT_EQ(tokens->find(token), nullptr);
  ASSERT_TRUE(remove_token(file(), "line 2"));
  EXPECT_EQ(AccessTokens::load(file())->find(by_hand), nullptr);
}

TEST_F(AccessTokensTest, CanBeRevokedHoweverTheirLinesEnd) {
  const std::string by_hand = make_access_token();
  const std::string named = add("ci");
  const std::string line = lines_of(read_file(file())).back();
  write_file(file(), "# of the board\r\n  " + line + "\r\n\t" + by_hand + " read \r\n");
  ASSERT_NE(AccessTokens::load(file())->find(named), nullptr);
  ASSERT_NE(AccessTokens::load(file())->find(by_hand), nullptr);
  const auto revoked = remove_token(file(), "ci");
  EXPECT_TRUE(revoked) << describe(revoked.error());
  EXPECT_EQ(AccessTokens::load(file())->find(named), nullptr);
  EXPECT_TRUE(remove_token(file(), "line 2"));
  EXPECT_EQ(AccessTokens::load(file())->find(by_hand), nullptr);
  EXPECT_EQ(read_file(file()), "# of the board\r\n");
}

TEST_F(AccessTokensTest, HaveANameEach) {
  add("ci");
  EXPECT_EQ(add_token(file(), {.name = "ci", .scopes = AccessScopes::all()}).error().code,
            ErrorCode::conflict);
  EXPECT_EQ(remove_token(file(), "other").error().code, ErrorCode::not_found);
  for (const std::string& name :
       {std::string(), std::string("a b"), std::string("a\nb"), std::string("a=b"),
        std::string(65, 'a'), std::string("größer"), std::string("../x")}) {
    EXPECT_EQ(add_token(file(), {.name = name, .scopes = AccessScopes::all()}).error().code,
              ErrorCode::invalid)
        << name;
  }
}

TEST_F(AccessTokensTest, AreRefusedWhenOthersCanReadThemOrALineIsNone) {
  const std::string token = make_access_token();
  const std::string hash = to_hex(blake2b(as_bytes(token)));
  EXPECT_TRUE(load(token));
  EXPECT_TRUE(load("# nothing\n"));
  EXPECT_EQ(load(token, 0644).error().code, ErrorCode::refused);
  const std::vector<std::string> wrong = {
      "secret",
      token + " everything",
      token + "0",
      "name=a",
      "name=a hash=" + hash,
      "name=a may=all hash=" + hash,
      "name= may=read hash=" + hash,
      "name=a may=read hash=" + hash.substr(1),
      "name=a may=read hash=" + hash + " x=1",
      "name=a may=read expires=never hash=" + hash,
      "name=a may=read",
      "name=a may=read hash=" + hash + "\nname=a may=read hash=" + hash};
  for (const std::string& text : wrong) {
    const auto loaded = load(text + "\n");
    ASSERT_FALSE(loaded) << text;
    EXPECT_EQ(loaded.error().code, ErrorCode::invalid);
    EXPECT_EQ(loaded.error().message.find(token), std::string::npos);
    EXPECT_EQ(loaded.error().message.find(hash), std::string::npos);
  }
}

TEST_F(AccessTokensTest, AreThoseOfTheFileAsItIsNow) {
  auto opened = AccessTokenFile::open(file());
  ASSERT_TRUE(opened) << describe(opened.error());
  AccessTokenFile& tokens = **opened;
  EXPECT_TRUE(tokens.now()->all().empty());
  const std::string one = add("one");
  EXPECT_NE(tokens.now()->find(one), nullptr);
  const std::string two = add("two");
  ASSERT_TRUE(remove_token(file(), "one"));
  EXPECT_EQ(tokens.now()->find(one), nullptr);
  EXPECT_NE(tokens.now()->find(two), nullptr);
  write_file(file(), "this is no token\n");
  EXPECT_NE(tokens.now()->find(two), nullptr) << "what is wrong changes nothing";
  std::filesystem::remove(file());
  EXPECT_EQ(tokens.now()->find(two), nullptr) << "nor does it stay when the file goes";
}

TEST_F(AccessTokensTest, AreWholeToWhoeverReadsWhileOthersChangeThem) {
  add("always");
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::thread reader([&] {
    while (!done) {
      const auto tokens = AccessTokens::load(file());
      if (!tokens || tokens->all().empty() || tokens->all().front().name != "always") ++wrong;
    }
  });
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([&, i] {
      for (int k = 0; k < 5; ++k) add("of-" + std::to_string(i) + "-" + std::to_string(k));
    });
  }
  for (std::thread& writer : writers) writer.join();
  done = true;
  reader.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(AccessTokens::load(file())->all().size(), 21U) << "no change is lost";
}

TEST_F(AccessTokensTest, CanBeSeenInAText) {
  const std::string token = make_access_token();
  EXPECT_TRUE(shows_access_token("/v1/tasks/" + token + "/x"));
  EXPECT_TRUE(shows_access_token("almanac_almanac_" + token));
  EXPECT_FALSE(shows_access_token(token.substr(0, 71)));
  EXPECT_FALSE(shows_access_token("/v1/almanac_tasks"));
}

CommandOutput token_command(const TempFolder& folder, std::vector<std::string> words) {
  words.insert(words.begin(), "token");
  return run_almanac({.arguments = std::move(words), .folder = folder.path(), .input = {}});
}

TEST(TokenCommand, MakesListsAndRevokes) {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "log");
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"--dir", "log"});
    return token_command(folder, std::move(words));
  };
  const CommandOutput made =
      run({"create", "--name", "ci", "--scopes", "read,submit", "--expires", "30d"});
  ASSERT_EQ(made.code, 0) << made.errors;
  const std::string token = made.output.substr(0, made.output.find('\n'));
  EXPECT_TRUE(shows_access_token(token));
  const CommandOutput json = run({"create", "--name", "all", "--json"});
  EXPECT_TRUE(shows_access_token(nlohmann::json::parse(json.output)["token"].get<std::string>()));
  const CommandOutput listed = run({"list"});
  EXPECT_NE(listed.output.find("read,submit,work,operate"), std::string::npos) << listed.output;
  EXPECT_EQ(listed.output.find(token), std::string::npos);
  const auto lines = lines_of(run({"list", "--json"}).output);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(nlohmann::json::parse(lines[0])["scopes"], "read,submit");
  EXPECT_FALSE(nlohmann::json::parse(lines[0])["expires"].is_null());
  EXPECT_EQ(run({"revoke", "ci"}).code, 0);
  const CommandOutput again = run({"revoke", "ci"});
  EXPECT_EQ(again.code, 3);
  EXPECT_NE(again.errors.find("almanac token list"), std::string::npos);
  EXPECT_EQ(lines_of(run({"list", "--json"}).output).size(), 1U);
}

TEST(TokenCommand, SaysWhatIsWrong) {
  const TempFolder folder;
  const auto create = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"create", "--name", "ci", "--file", "tokens"});
    return token_command(folder, std::move(words));
  };
  EXPECT_EQ(create({"--scopes", "read,everything"}).code, 2);
  EXPECT_EQ(create({"--expires", "soon"}).code, 2);
  EXPECT_EQ(create({"--expires", "0s"}).code, 2);
  EXPECT_FALSE(std::filesystem::exists(folder / "tokens"));
  EXPECT_EQ(create({}).code, 0);
  EXPECT_EQ(create({}).code, 4);
  EXPECT_EQ(token_command(folder, {"list", "--dir", "nowhere"}).code, 3);
}

}  // namespace
}  // namespace almanac::test
