// `almanac snapshot restore` and `drill` as one types them.
#include <almanac/log/log.h>
#include <almanac/tests/support/command_result.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/past_commands.h>
#include <almanac/tools/exit_code.h>

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

class SnapshotRestore : public PastCommands {
 protected:
  SnapshotRestore() { (void)output(snapshot({"create"})); }

  // `almanac snapshot WORDS --repository backup`
  [[nodiscard]] static Words snapshot(Words words) {
    words.insert(words.begin(), "snapshot");
    words.insert(words.end(), {"--repository", "backup"});
    return words;
  }
  [[nodiscard]] ExitCode code(const Words& words) const {
    return ExitCode(run(snapshot(words)).code);
  }
};

TEST_F(SnapshotRestore, GivesTheLogAsItWasAtAMoment) {
  for (const std::string moment : {"9", "2026-11-21T10:08:30Z"}) {
    const auto made = output_json(snapshot({"restore", "--at", moment, "--to", "work"}));
    EXPECT_EQ(made["snapshot"], 1);
    EXPECT_EQ(made["at"], 9);
    EXPECT_EQ(made["files"], 1);
    EXPECT_EQ(made["reviewed"], 2);
    EXPECT_EQ(made["origin"]["position"], 9);
    EXPECT_EQ(made["origin"]["timeline"], output_json({"log", "stat"})["timeline"]);
    const auto there = output_json({"state", "digest", "--at", "9"})["digest"];
    EXPECT_EQ(made["state"], there);
    EXPECT_EQ(output_json({"state", "digest", "--at", "9", "--dir", "work"})["digest"], there);
    fs::remove_all(folder_ / "work");
  }
  EXPECT_EQ(output_json(snapshot({"restore", "--to", "end"}))["at"], 16);
  EXPECT_EQ(output_json(snapshot({"restore", "--to", "none", "--at", "0"}))["last"], 0);
}

TEST_F(SnapshotRestore, IsDoneByAProgramAsTheGuideSays) {
  const auto program = program_path("example_snapshot");
  const auto done = run_command({program.string(), (folder_ / "example").string()});
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.output,
            "snapshot 1; the task is succeeded here and ready there\n"
            "nothing would be lost with the log\n");
}

TEST_F(SnapshotRestore, DecidesAboutWhatWentOnWhenItIsTold) {
  const std::map<std::string, std::pair<int, int>> expected = {
      {"ask", {0, 0}}, {"run", {0, 0}}, {"skip", {1, 1}}, {"accept", {2, 0}}};
  for (const auto& [review, ends] : expected) {
    const auto made =
        output_json(snapshot({"restore", "--at", "9", "--to", review, "--review", review}));
    EXPECT_EQ(made["reviewed"], 2);
    const auto queue = output_json({"queues", "--dir", review});
    EXPECT_EQ(queue["held"], review == "ask" ? 2 : 0) << review;
    EXPECT_EQ(queue["succeeded"], 1 + ends.first) << review;
    EXPECT_EQ(queue["cancelled"], ends.second) << review;
  }
}

TEST_F(SnapshotRestore, GoesBackToTheMomentBeforeSomethingHappened) {
  const auto first = output_json({"bisect", "--when", "tasks.failed > 0"})["position"].get<int>();
  const auto made =
      output_json(snapshot({"restore", "--before", "tasks.failed > 0", "--to", "work"}));
  EXPECT_EQ(made["at"], first - 1);
  EXPECT_EQ(code({"restore", "--before", "tasks.failed >", "--to", "w2"}), ExitCode::usage);
  EXPECT_EQ(code({"restore", "--before", "tasks.failed > 9", "--to", "w2"}), ExitCode::not_found);
  EXPECT_EQ(code({"restore", "--before", "tasks.failed < 9", "--to", "w2"}), ExitCode::refused);
  EXPECT_EQ(code({"restore", "--before", "true", "--at", "3", "--to", "w2"}), ExitCode::usage);
  EXPECT_FALSE(fs::exists(folder_ / "w2"));
}

TEST_F(SnapshotRestore, MovesALogAsideAndOverwritesNone) {
  const auto digest = [&](const std::string& dir) {
    return output_json({"state", "digest", "--dir", dir})["digest"];
  };
  (void)output(snapshot({"restore", "--at", "5", "--to", "work"}));
  const auto before = digest("work");
  EXPECT_EQ(code({"restore", "--at", "9", "--to", "work"}), ExitCode::conflict);
  EXPECT_EQ(digest("work"), before);
  {
    auto writing = Log::open(folder_ / "work");
    ASSERT_TRUE(writing);
    EXPECT_EQ(code({"restore", "--at", "9", "--to", "work", "--replace"}), ExitCode::conflict);
  }
  const auto made = output_json(snapshot({"restore", "--at", "9", "--to", "work", "--replace"}));
  EXPECT_EQ(made["replaced"], (fs::canonical(folder_ / "work.replaced")).string());
  EXPECT_EQ(digest("work.replaced"), before);
  EXPECT_NE(digest("work"), before);
  EXPECT_NE(output(snapshot({"restore", "--at", "3", "--to", "work/", "--replace"}))
                .find("work.replaced-2 now\n"),
            std::string::npos);
  EXPECT_EQ(digest("work.replaced"), before);
  fs::create_directory(folder_ / "other");
  write_file(folder_ / "other/precious", "text");
  EXPECT_NE(code({"restore", "--to", "other", "--replace"}), ExitCode::ok);
  EXPECT_EQ(read_file(folder_ / "other/precious"), "text");
  EXPECT_FALSE(fs::exists(folder_ / "other.restored"));
  (void)output(snapshot({"restore", "--to", "fresh", "--replace"}));
}

TEST_F(SnapshotRestore, FindsTheSnapshotWithATag) {
  (void)output(snapshot({"create", "--tag", "before-upgrade"}));
  write_frames(folder_ / "log", {{{.at = sample_time(60), .body = EngineStopped{}}}});
  (void)output(snapshot({"create"}));
  const Words restore = {"restore", "--at", "before-upgrade", "--to", "work", "--dry-run"};
  const auto plan = output_json(snapshot(restore));
  EXPECT_EQ(plan["snapshot"], 2);
  EXPECT_EQ(plan["at"], 16);
  EXPECT_NE(output(snapshot({"show", "2"})).find("\ntag        before-upgrade\n"),
            std::string::npos);
  EXPECT_NE(output(snapshot({"list"})).find("\nsnapshot 2: before-upgrade\n"), std::string::npos);
  EXPECT_NE(output(snapshot({"prune", "--keep-last", "1"})).find(" tagged\n"), std::string::npos);
  EXPECT_EQ(code({"restore", "--at", "other", "--to", "work"}), ExitCode::not_found);
  EXPECT_EQ(code({"restore", "3", "--at", "before-upgrade", "--to", "work"}), ExitCode::not_found);
  EXPECT_EQ(code({"create", "--tag", "1st"}), ExitCode::usage);
  (void)output(snapshot({"prune", "--tagged", "--keep-last", "1"}));
  EXPECT_EQ(code(restore), ExitCode::not_found);
}

TEST_F(SnapshotRestore, TellsItsPlanAndWritesNothing) {
  write_frames(folder_ / "log", {{{.at = sample_time(60), .body = EngineStopped{}}}});
  (void)output(snapshot({"create"}));
  const auto plan = output_json(snapshot({"restore", "--to", "work", "--dry-run"}));
  EXPECT_EQ(plan["snapshot"], 2);
  EXPECT_EQ(plan["first"], 1);
  EXPECT_EQ(plan["at"], 17);
  EXPECT_EQ(plan["files"], 2);
  EXPECT_EQ(plan["compared"]["position"], 17);
  const auto text = output(snapshot({"restore", "--to", "work", "--at", "16", "--dry-run"}));
  EXPECT_NE(text.find("\npositions 1 to 16\nreads     1 file, "), std::string::npos) << text;
  EXPECT_NE(text.find("compares  the state at position 16 with that of snapshot 1\n"),
            std::string::npos)
      << text;
  EXPECT_FALSE(fs::exists(folder_ / "work"));
}

TEST_F(SnapshotRestore, TellsNoPlanForAFolderThatItWouldRefuse) {
  (void)output(snapshot({"restore", "--to", "work"}));
  const auto planned = run(snapshot({"restore", "--to", "work", "--dry-run"}));
  EXPECT_EQ(planned.code, static_cast<int>(ExitCode::conflict));
  EXPECT_EQ(planned.output, "");
  EXPECT_EQ(planned.errors, run(snapshot({"restore", "--to", "work"})).errors);
  const auto inside = run(snapshot({"restore", "--to", "backup/x", "--dry-run"}));
  EXPECT_EQ(inside.code, static_cast<int>(ExitCode::refused));
  EXPECT_EQ(inside.errors, run(snapshot({"restore", "--to", "backup/x"})).errors);
  EXPECT_EQ(output_json(snapshot({"restore", "--to", "work", "--replace", "--dry-run"}))["at"], 16);
}

TEST_F(SnapshotRestore, TellsWhatWouldBeOtherwise) {
  const auto text = output(snapshot({"restore", "--to", "work", "--at", "5", "--dry-run"}));
  EXPECT_NE(text.find("\nnewest    position 16, to which this compares\n"
                      "vanish    1 task: 4\n"
                      "come back 2 tasks: 1, 2\n"
                      "review    2 tasks: 1, 2\n"
                      "changes   "),
            std::string::npos)
      << text;
  const auto plan = output_json(snapshot({"restore", "--to", "work", "--at", "5", "--dry-run"}));
  EXPECT_EQ(plan["vanish"], nlohmann::json::array({4}));
  EXPECT_EQ(plan["come_back"], (nlohmann::json::array({1, 2})));
  EXPECT_EQ(plan["review"][1],
            (nlohmann::json{{"task", 2}, {"outcome", "failed"}, {"started", 14}, {"ended", 15}}));
  EXPECT_GE(plan["seconds_guessed"], 1.0);
  EXPECT_EQ(plan["changes"]["tasks"]["1"]["state"], (nlohmann::json::array({"succeeded", "held"})));
}

// What was archived behind the moment is damaged: the past comes back, and that is said.
TEST_F(SnapshotRestore, SaysThatItCannotLookAhead) {
  write_frames(folder_ / "log", {{{.at = sample_time(60), .body = EngineStopped{}}}});
  (void)output(snapshot({"create"}));
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / "backup/segments")) {
    if (entry.path().filename().string().starts_with("17-")) fs::resize_file(entry.path(), 1);
  }
  for (const bool dry : {true, false}) {
    Words words = {"restore", "1", "--at", "9", "--to", "work", "--json"};
    if (dry) words.emplace_back("--dry-run");
    const auto done = run(snapshot(words));
    EXPECT_EQ(ExitCode(done.code), ExitCode::ok);
    EXPECT_NE(done.errors.find("every task\n  that had not ended is reviewed: "), std::string::npos)
        << done.errors;
    EXPECT_TRUE(nlohmann::json::parse(done.output).contains("unread"));
  }
  EXPECT_EQ(output_json({"queues", "--dir", "work"})["held"], 3);
}

TEST_F(SnapshotRestore, RefusesWithoutATrace) {
  EXPECT_EQ(code({"restore"}), ExitCode::usage);
  EXPECT_EQ(code({"restore", "--to", "work", "--review", "maybe"}), ExitCode::usage);
  EXPECT_EQ(code({"restore", "--to", "work", "--at", "a day before"}), ExitCode::usage);
  EXPECT_EQ(code({"restore", "--to", "work", "--at", "17"}), ExitCode::not_found);
  EXPECT_EQ(code({"restore", "--to", "work", "--at", "key:"}), ExitCode::usage);
  EXPECT_EQ(code({"restore", "--to", "work", "--at", "key:none"}), ExitCode::not_found);
  EXPECT_EQ(code({"restore", "--to", "work", "--at", "99999999999999999999"}), ExitCode::not_found);
  EXPECT_EQ(code({"restore", "2", "--to", "work"}), ExitCode::not_found);
  EXPECT_EQ(code({"restore", "--to", "work", "--at", "2026-11-21T09:00:00Z"}), ExitCode::not_found);
  EXPECT_EQ(code({"restore", "--to", "backup/work"}), ExitCode::refused);
  EXPECT_FALSE(fs::exists(folder_ / "work"));
  const auto before = output_json({"state", "digest"});
  const auto used = run(snapshot({"restore", "--to", "log"}));
  EXPECT_EQ(ExitCode(used.code), ExitCode::conflict);
  EXPECT_EQ(used.output, "");
  EXPECT_EQ(output_json({"state", "digest"}), before);
}

TEST_F(SnapshotRestore, IsDrilled) {
  fs::create_directory(folder_ / "place");
  const auto drill = output_json(snapshot({"drill", "--to", "place"}));
  EXPECT_EQ(drill["snapshot"], 1);
  EXPECT_GE(drill["at"], 1);
  EXPECT_LE(drill["at"], 16);
  EXPECT_EQ(drill["compared"].size(), 1U);
  EXPECT_EQ(drill["state"],
            output_json({"state", "digest", "--at", to_string(drill["at"])})["digest"]);
  EXPECT_NE(output(snapshot({"drill", "--to", "place"})).find("\ntime      "), std::string::npos);
  EXPECT_TRUE(fs::is_empty(folder_ / "place"));
  const auto segments = fs::recursive_directory_iterator(folder_ / "backup/segments");
  for (const auto& entry : segments) {
    if (entry.is_regular_file()) fs::resize_file(entry.path(), 1);
  }
  EXPECT_EQ(code({"drill", "--to", "place"}), ExitCode::corrupt);
  EXPECT_TRUE(fs::is_empty(folder_ / "place"));
}

}  // namespace
}  // namespace almanac::test
