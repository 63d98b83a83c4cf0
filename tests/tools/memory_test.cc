// What programs remember, on the command line.
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tools/memory_file.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr Time right_now{std::chrono::seconds(1'800'000'000)};

std::string message_of(std::string_view line) {
  const auto parsed = parse_memory(line, right_now);
  return parsed ? "" : parsed.error().message;
}

TEST(MemoryLine, IsAnEntryWithAnyOfItsFields) {
  const auto parsed = parse_memory(
      R"({"kind":"fact","user":"ann","content":"x","summary":"y","embedding":[0.5,-1],)"
      R"("tags":["a"],"metadata":{"n":1,"b":true},"significance":0.25,"time_to_live":"2h"})",
      right_now);
  ASSERT_TRUE(parsed) << describe(parsed.error());
  const MemorySpec& spec = **parsed;
  EXPECT_EQ(spec.kind, "fact");
  EXPECT_EQ(spec.user, "ann");
  EXPECT_EQ(spec.content, "x");
  EXPECT_EQ(spec.summary, "y");
  EXPECT_EQ(spec.embedding, (std::vector<float>{0.5F, -1}));
  EXPECT_EQ(spec.tags, std::vector<std::string>{"a"});
  EXPECT_EQ(spec.metadata, (Metadata{{"b", true}, {"n", std::int64_t{1}}}));
  EXPECT_EQ(spec.significance, 0.25);
  EXPECT_EQ(spec.time_to_live, 2h);
}

TEST(MemoryLine, WhatIsWrongIsNamed) {
  EXPECT_EQ(message_of("7"), "it is no JSON object");
  EXPECT_EQ(message_of("{\"content\":\"\xff\"}"), "it is no JSON object");
  EXPECT_EQ(message_of(R"({"content":7})"), "content: it is not a text");
  EXPECT_EQ(message_of(R"({"embedding":["x"]})"), "embedding: it is not a list of numbers");
  EXPECT_EQ(message_of(R"({"tags":"x"})"), "tags: it is not a list of texts");
  EXPECT_EQ(message_of(R"({"significance":"x"})"), "significance: it is not a number from 0 to 1");
  EXPECT_EQ(message_of(R"({"mood":1})"), "'mood' is no field of an entry");
  EXPECT_EQ(message_of(R"({"metadata":{"a":[]}})").substr(0, 10), "metadata.a");
}

TEST(MemoryLine, WhatHasExpiredIsLeftOut) {
  EXPECT_FALSE(*parse_memory(R"({"content":"x","expires_at":"2027-01-15T08:00:00Z"})", right_now));
  EXPECT_EQ((*parse_memory(R"({"content":"x","expires_at":"2027-01-15T09:00:00Z"})", right_now))
                ->time_to_live,
            1h);
}

class MemoryCommandTest : public testing::Test {
 protected:
  [[nodiscard]] CommandOutput almanac(std::vector<std::string> words,
                                      std::string log = "log") const {
    words.insert(words.begin(), "memory");
    words.insert(words.end(), {"--dir", std::move(log)});
    return run_almanac({.arguments = std::move(words), .folder = folder_.path()});
  }
  // The numbers in the lines of JSON that a command prints.
  [[nodiscard]] std::vector<int> ids(std::vector<std::string> words) const {
    words.emplace_back("--json");
    std::istringstream lines(almanac(std::move(words)).output);
    std::vector<int> found;
    for (std::string line; std::getline(lines, line);) {
      found.push_back(json::parse(line)["memory"].get<int>());
    }
    return found;
  }
  TempFolder folder_;
};

TEST_F(MemoryCommandTest, StoresFindsAndForgets) {
  EXPECT_EQ(almanac({"add", "She likes the sea", "--kind", "fact", "--user", "ann", "--tag", "a",
                     "--embedding", "[0.1, 0.9]", "--metadata", "{\"turn\": 3}"})
                .output,
            "memory 1\n");
  (void)almanac({"add", "Rome", "--kind", "fact", "--embedding", "[0.9, 0.1]"});
  (void)almanac({"add", "brief\nnote", "--ttl", "30d", "--significance", "0.9"});
  EXPECT_EQ(ids({"list"}), (std::vector{3, 2, 1}));
  EXPECT_EQ(ids({"list", "--significance", "0.8"}), std::vector{3});
  EXPECT_EQ(ids({"list", "--kind", "fact"}), (std::vector{2, 1}));
  EXPECT_EQ(ids({"list", "--user", "ann"}), std::vector{1});
  EXPECT_EQ(ids({"list", "--tag", "a"}), std::vector{1});
  EXPECT_EQ(ids({"list", "--limit", "1"}), std::vector{3});
  EXPECT_EQ(ids({"search", "SEA"}), std::vector{1});
  EXPECT_EQ(ids({"search", "SEA", "--user", "ann", "--tag", "a"}), std::vector{1});
  EXPECT_EQ(ids({"search", "--embedding", "[1, 0]"}), (std::vector{2, 1}));
  EXPECT_EQ(ids({"search", "--like", "1"}), (std::vector{1, 2}));
  const auto shown = json::parse(almanac({"get", "1", "--json"}).output);
  EXPECT_EQ(shown["metadata"]["turn"], 3);
  EXPECT_EQ(shown["user"], "ann");
  EXPECT_EQ(almanac({"get", "3"}).output.find("brief\nnote"), std::string::npos) << "one line";
  EXPECT_EQ(almanac({"forget", "1", "9"}).code, 3) << "all or none";
  EXPECT_EQ(ids({"list"}).size(), 3U);
  EXPECT_EQ(almanac({"forget", "1", "--reason", "enough"}).code, 0);
  EXPECT_EQ(almanac({"get", "1"}).code, 3);
  EXPECT_EQ(almanac({"get", "1", "--at", "4"}).code, 0);
  EXPECT_EQ(almanac({"search", "--like", "3"}).code, 2) << "it has no embedding";
  EXPECT_EQ(almanac({"add", "x", "--kind", "fact", "--embedding", "[1]"}).code, 2);
}

TEST_F(MemoryCommandTest, ImportsWhatItExportsOrNothing) {
  (void)almanac({"add", "One", "--kind", "fact", "--embedding", "[0.1, 0.7]", "--tag", "a"});
  (void)almanac({"add", "größer", "--ttl", "30d", "--metadata", "{\"pi\": 3.14}", "--summary",
                 "more", "--significance", "0.75"});
  const std::string lines = almanac({"export"}).output;
  std::ofstream(folder_ / "entries.jsonl") << lines << "\n";
  std::ofstream(folder_ / "bad.jsonl") << lines << R"({"content": "x", "tags": [1]})" << "\n";
  const CommandOutput refused = almanac({"import", "bad.jsonl"}, "other");
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.errors.find("line 3: tags: it is not a list of texts"), std::string::npos)
      << refused.errors;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "other"));
  EXPECT_EQ(almanac({"import", "entries.jsonl"}, "other").output, "2 entries stored\n");
  const auto before = lines_of(lines);
  const auto after = lines_of(almanac({"export"}, "other").output);
  ASSERT_EQ(before.size(), 2U);
  ASSERT_EQ(after.size(), 2U);
  for (std::size_t i = 0; i < before.size(); ++i) {
    const json one = json::parse(before[i]);
    const json other = json::parse(after[i]);
    for (const char* field :
         {"kind", "content", "summary", "embedding", "tags", "metadata", "significance"}) {
      EXPECT_EQ(one[field], other[field]) << field;
    }
    // It lives until then, as far as a time to live tells that.
    const auto day = [](const json& expires) {
      return expires.is_string() ? expires.get<std::string>().substr(0, 10) : "never";
    };
    EXPECT_EQ(day(one["expires_at"]), day(other["expires_at"]));
  }
  EXPECT_NE(json::parse(before[0])["expires_at"], json::parse(before[1])["expires_at"]);
}

TEST_F(MemoryCommandTest, ForgetsAUserNowAndInThePast) {
  (void)almanac({"add", "She likes the sea", "--user", "ann", "--embedding", "[0.1, 0.9]", "--tag",
                 "travel"});
  (void)almanac({"add", "He likes the sea", "--user", "bob", "--embedding", "[0.2, 0.9]"});
  const auto shown = json::parse(almanac({"get", "1", "--json"}).output);
  EXPECT_EQ(shown["content"], "She likes the sea");
  EXPECT_EQ(shown["tags"], json::array({"travel"}));
  const std::string then = std::to_string(shown["changed"].get<int>());
  EXPECT_EQ(almanac({"forget"}).code, 2);
  EXPECT_EQ(almanac({"forget", "2", "--user", "ann"}).code, 2) << "one of the two";
  EXPECT_EQ(almanac({"forget", "--user", "eve"}).code, 3);
  const auto forgotten = almanac({"forget", "--user", "ann"});
  EXPECT_EQ(forgotten.code, 0) << forgotten.errors;
  EXPECT_EQ(almanac({"get", "1"}).code, 7);
  EXPECT_EQ(almanac({"get", "1", "--at", then}).code, 7) << "in the past too";
  EXPECT_EQ(almanac({"search", "--like", "1"}).code, 7);
  EXPECT_EQ(ids({"search", "sea"}), std::vector{2});
  EXPECT_EQ(ids({"search", "sea", "--at", then}), std::vector<int>());
  EXPECT_EQ(ids({"search", "--embedding", "[0.1, 0.9]"}), std::vector{2});
  EXPECT_EQ(ids({"list"}), (std::vector{2, 1}));
  const std::string table = almanac({"list"}).output;
  EXPECT_NE(table.find("(forgotten with the user)"), std::string::npos) << table;
  const auto listed = json::parse(almanac({"list", "--user", "ann", "--json"}).output);
  EXPECT_EQ(listed["forgotten"], true);
  EXPECT_FALSE(listed.contains("content"));
  const auto exported = json::parse(almanac({"export"}).output);
  EXPECT_EQ(exported["memory"], 2) << "and nothing else";
  EXPECT_EQ(almanac({"forget", "1"}).code, 0) << "what is left of it";
  EXPECT_EQ(ids({"list"}), std::vector{2});
}

TEST_F(MemoryCommandTest, WithoutTheKeysSaysHowToBringThem) {
  (void)almanac({"add", "She likes the sea", "--user", "ann"});
  (void)almanac({"add", "Rome"});
  const auto context = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "context");
    words.insert(words.end(), {"--dir", "log"});
    return run_almanac({.arguments = std::move(words), .folder = folder_.path()});
  };
  EXPECT_EQ(context({"export-keys", "carried"}).output, "1 key written, 0 destroyed on record\n");
  EXPECT_EQ(context({"export-keys", "carried"}).code, 4) << "it is there";
  std::filesystem::rename(folder_ / "log/keys", folder_ / "keys");
  const auto got = almanac({"get", "1"});
  EXPECT_EQ(got.code, 3);
  EXPECT_NE(got.errors.find("almanac context import-keys"), std::string::npos) << got.errors;
  const auto searched = almanac({"search", "sea"});
  EXPECT_EQ(searched.code, 0);
  EXPECT_NE(searched.errors.find("1 entry cannot be read"), std::string::npos) << searched.errors;
  EXPECT_NE(almanac({"list"}).output.find("(the user's key is not here)"), std::string::npos);
  const auto exported = almanac({"export"});
  EXPECT_EQ(exported.code, 3);
  EXPECT_TRUE(exported.output.empty()) << "no part of it either";
  EXPECT_EQ(almanac({"add", "x", "--user", "ann"}).code, 3);
  EXPECT_EQ(context({"import-keys", "carried"}).output, "1 key brought\n");
  EXPECT_EQ(ids({"search", "sea"}), std::vector{1});
  EXPECT_TRUE(almanac({"search", "sea"}).errors.empty());
  ASSERT_EQ(almanac({"forget", "--user", "ann"}).code, 0);
  EXPECT_EQ(context({"import-keys", "carried"}).code, 7) << "destroyed is destroyed";
}

TEST_F(MemoryCommandTest, ARestoredLogReadsWithTheKeysThatAreBrought) {
  (void)almanac({"add", "She likes the sea", "--user", "ann"});
  const auto run = [&](std::vector<std::string> words) {
    const auto done = run_almanac({.arguments = std::move(words), .folder = folder_.path()});
    EXPECT_EQ(done.code, 0) << done.errors;
    return done.output;
  };
  run({"snapshot", "create", "--dir", "log", "--repository", "backup"});
  run({"context", "export-keys", "carried", "--dir", "log"});
  run({"snapshot", "restore", "--repository", "backup", "--to", "bare"});
  EXPECT_EQ(almanac({"get", "1"}, "bare").code, 3) << "no snapshot has keys";
  const auto restored = run(
      {"snapshot", "restore", "--repository", "backup", "--to", "whole", "--user-keys", "carried"});
  EXPECT_NE(restored.find("1 key brought"), std::string::npos) << restored;
  EXPECT_EQ(almanac({"get", "1"}, "whole").code, 0);
}

TEST_F(MemoryCommandTest, ListsDuplicatesAndSumsUp) {
  (void)almanac(
      {"add", "It rains", "--kind", "fact", "--embedding", "[1, 0]", "--significance", "0.1"});
  (void)almanac({"add", "it rains ", "--kind", "fact", "--significance", "0.1"});
  (void)almanac({"add", "Rain", "--kind", "fact", "--embedding", "[1, 0.1]"});
  EXPECT_EQ(ids({"duplicates"}), std::vector{2});
  EXPECT_EQ(ids({"duplicates", "--similarity", "0.9"}), (std::vector{2, 3}));
  EXPECT_EQ(almanac({"duplicates", "--similarity", "2"}).code, 2);
  EXPECT_EQ(almanac({"duplicates", "--kind", "note"}).output, "no duplicates\n");
  const auto shown = almanac({"consolidate", "--kind", "fact", "--dry-run"});
  EXPECT_EQ(shown.output, "memory 1  It rains\nmemory 2  it rains \n");
  EXPECT_EQ(ids({"list"}).size(), 3U) << "nothing was changed";
  EXPECT_EQ(almanac({"consolidate", "--kind", "fact"}).code, 2) << "it says nothing";
  EXPECT_EQ(almanac({"consolidate", "x", "--kind", "fact", "--older", "30d"}).code, 3);
  EXPECT_EQ(almanac({"consolidate", "It rained", "--kind", "fact", "--tag", "summary"}).output,
            "memory 4 stands for 2\n");
  EXPECT_EQ(ids({"list"}), (std::vector{4, 3}));
  EXPECT_EQ(ids({"list", "--tag", "summary"}), std::vector{4});
}

}  // namespace
}  // namespace almanac::test
