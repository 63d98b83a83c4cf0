// Tasks of which no second one is wanted, as they are typed and as a workload says them.
#include <almanac/tools/workload.h>

#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using Words = std::vector<std::string>;

class UniqueTasksTest : public testing::Test {
 protected:
  CommandOutput run(Words words) {
    return run_almanac({.arguments = std::move(words),
                        .folder = folder_.path(),
                        .environment = {{"ALMANAC_DIR", "log"}}});
  }
  // `almanac submit …` of one command.
  std::string submit(Words options, int code = 0) {
    options.insert(options.begin(), "submit");
    options.insert(options.end(), {"--", "/bin/true"});
    const auto done = run(std::move(options));
    EXPECT_EQ(done.code, code) << done.errors;
    return code == 0 ? done.output : done.errors;
  }
  // What the first task of a workload in JSON Lines says of it.
  std::optional<UniqueSpec> loaded(std::string_view unique) {
    const auto path = folder_ / "work.jsonl";
    write_file(path, R"({"shell": "true", "unique": )" + std::string(unique) + "}\n");
    auto workload = load_workload(path, Time(1h));
    EXPECT_TRUE(workload) << describe(workload.error());
    return workload ? workload->tasks.front().spec.unique : std::nullopt;
  }
  std::string refused(std::string_view unique) {
    const auto path = folder_ / "work.jsonl";
    write_file(path, R"({"shell": "true", "unique": )" + std::string(unique) + "}\n");
    auto workload = load_workload(path, Time(1h));
    EXPECT_FALSE(workload);
    return workload ? "" : describe(workload.error());
  }

  TempFolder folder_;
};

TEST_F(UniqueTasksTest, AreTyped) {
  EXPECT_EQ(submit({"--unique"}), "task 1\n");
  EXPECT_EQ(submit({"--unique"}), "task 1 (the same work, which is there already)\n");
  EXPECT_EQ(submit({"--unique", "--on-conflict", "skip"}), "task 1 is the same work: skipped\n");
  EXPECT_NE(submit({"--on-conflict", "refuse"}, 4).find("task 1, which is ready"),
            std::string::npos);
  EXPECT_EQ(submit({"--unique", "--on-conflict", "replace"}), "task 2 (replaces task 1)\n");
  EXPECT_EQ(submit({"--unique-key", "x", "--queue", "a", "--unique-in-queue"}), "task 3\n");
  EXPECT_EQ(submit({"--unique-key", "x", "--queue", "b", "--unique-in-queue"}), "task 4\n");
  EXPECT_EQ(submit({}), "task 5\n");
  const auto replaced = json::parse(submit({"--unique", "--on-conflict", "replace", "--json"}));
  EXPECT_EQ(replaced, (json{{"id", 6}, {"existed", false}, {"replaced", 2}}));
  const auto skipped = json::parse(submit({"--unique", "--on-conflict", "skip", "--json"}));
  EXPECT_EQ(skipped, (json{{"id", 6}, {"existed", true}, {"skipped", true}}));
}

TEST_F(UniqueTasksTest, SayAsWhatTheyAreKnown) {
  submit({"--unique-key", "nightly", "--unique-until", "succeeded", "--unique-within", "1h"});
  const auto shown = json::parse(run({"show", "1", "--json"}).output);
  EXPECT_EQ(shown.at("identity").get<std::string>().size(), 32U);
  EXPECT_EQ(shown.at("unique_until"), "succeeded");
  EXPECT_EQ(shown.at("unique_within"), "1h");
  const auto changed = json::parse(run({"diff", "1", "2", "--json"}).output);
  EXPECT_EQ(changed.at("changes").at("unique").at("1").at("identity").at(1), shown.at("identity"));
  submit({"--unique-key", "nightly", "--on-conflict", "replace"});
  EXPECT_NE(run({"history", "1"}).output.find("replaced by task 2"), std::string::npos);
}

TEST_F(UniqueTasksTest, AreRefusedWhereTheWordsMakeNoSense) {
  EXPECT_NE(submit({"--unique-until", "enqueued"}, 2).find("unique until it is enqueued"),
            std::string::npos);
  EXPECT_NE(submit({"--unique-until", "done"}, 2).find("write ended, started, succeeded or enq"),
            std::string::npos);
  EXPECT_NE(submit({"--on-conflict", "wait"}, 2).find("write existing, skip, replace or refuse"),
            std::string::npos);
}

TEST_F(UniqueTasksTest, StandInAWorkload) {
  EXPECT_EQ(loaded("true"), UniqueSpec());
  EXPECT_EQ(loaded("false"), std::nullopt);
  EXPECT_EQ(loaded("\"a key\""), (UniqueSpec{.key = "a key"}));
  EXPECT_EQ(loaded(R"({"key": "a key", "per_queue": true, "until": "started", )"
                   R"("within": "2h", "on_conflict": "refuse"})"),
            (UniqueSpec{.key = "a key",
                        .per_queue = true,
                        .until = UniqueUntil::started,
                        .within = 2h,
                        .on_conflict = OnConflict::refuse}));
}

TEST_F(UniqueTasksTest, AreRefusedInAWorkloadThatSaysOtherThings) {
  EXPECT_NE(refused("7").find("'unique' must be a table"), std::string::npos) << refused("7");
  EXPECT_NE(refused(R"({"kay": "a"})").find("did you mean 'key'"), std::string::npos);
  EXPECT_NE(refused(R"({"until": "done"})").find("no state to be unique until"), std::string::npos);
  EXPECT_NE(refused(R"({"per_queue": 1})").find("true or false"), std::string::npos);
}

}  // namespace
}  // namespace almanac::test
