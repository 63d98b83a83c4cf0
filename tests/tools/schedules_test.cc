// `almanac schedule`, as one types it, and the runs that fire what it keeps.
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/past_commands.h>
#include <almanac/tools/exit_code.h>

#include <gtest/gtest.h>

#include <csignal>

namespace almanac::test {
namespace {

using nlohmann::json;

class ScheduleCommands : public PastCommands {
 protected:
  // A log with a schedule that was due at each hour of a day in 1970, and another kind of nothing.
  ScheduleCommands() {
    const Time noon(std::chrono::hours(12));
    const ScheduleDefined hourly{.schedule = "hourly",
                                 .recurrence = "every hour",
                                 .next = noon + std::chrono::hours(1),
                                 .task = {.kind = "command",
                                          .queue = "default",
                                          .label = "true",
                                          .payload = as_bytes("{\"argv\":[\"/bin/true\"]}")}};
    write_frames(folder_ / "due", {{{.at = noon, .body = hourly}}});
  }
  [[nodiscard]] ExitCode code(Words words) const {
    return static_cast<ExitCode>(run(std::move(words)).code);
  }
  [[nodiscard]] json shown(const std::string& name, const std::string& dir = "log") const {
    return output_json({"schedule", "show", name, "--dir", dir});
  }
  static Words in_log(Words words) {
    words.insert(words.begin() + 2, {"--dir", "log"});
    return words;
  }
};

TEST_F(ScheduleCommands, AddOneAndTellOfIt) {
  const auto added = output(in_log({"schedule", "add", "nightly", "30 2 * * * Europe/Paris",
                                    "--overlap", "queue", "-q", "disk", "--", "tar", "czf", "x"}));
  EXPECT_TRUE(added.starts_with("schedule nightly is due at ")) << added;
  const json schedule = shown("nightly");
  EXPECT_EQ(schedule["recurrence"], "daily at 02:30 Europe/Paris");
  EXPECT_EQ(schedule["overlap"], "queue");
  EXPECT_EQ(schedule["missed"], "once");
  EXPECT_EQ(schedule["label"], "tar czf x");
  EXPECT_EQ(schedule["queue"], "disk");
  EXPECT_EQ(schedule["firings"], 0);
  EXPECT_EQ(added, "schedule nightly is due at " +
                       schedule["next"].get<std::string>().substr(0, 19) + "Z\n");
  EXPECT_EQ(output_json(in_log({"schedule", "list", "--json"}))["schedule"], "nightly");
}

TEST_F(ScheduleCommands, ChangeOneOnlyWhenTheyAreToldTo) {
  const Words add =
      in_log({"schedule", "add", "nightly", "@daily", "--missed", "skip", "--", "true"});
  ASSERT_EQ(code(add), ExitCode::ok);
  EXPECT_EQ(code(add), ExitCode::conflict);
  EXPECT_EQ(code(in_log({"schedule", "add", "nightly", "@hourly", "--change", "--", "true"})),
            ExitCode::ok);
  EXPECT_EQ(shown("nightly")["recurrence"], "0 * * * *");
}

TEST_F(ScheduleCommands, ShowWhatOneRunsWhateverItIsCalled) {
  const std::string word(50, 'x');
  ASSERT_EQ(
      code(in_log({"schedule", "add", "nightly", "@daily", "--", "tar", "a b.tgz", word, word})),
      ExitCode::ok);
  const std::string shown = output(in_log({"schedule", "show", "nightly"}));
  EXPECT_NE(shown.find("  task     tar 'a b.tgz' xxx"), std::string::npos) << shown;
  const std::string command =
      "  command  tar 'a b.tgz' " + word + "\n" + std::string(11, ' ') + word + "\n";
  EXPECT_NE(shown.find(command), std::string::npos) << shown;
}

TEST_F(ScheduleCommands, PauseResumeAndRemoveOne) {
  ASSERT_EQ(code(in_log({"schedule", "add", "nightly", "@daily", "--", "true"})), ExitCode::ok);
  EXPECT_EQ(output(in_log({"schedule", "pause", "nightly", "--reason", "why\x1bnot"})),
            "schedule nightly is paused\n");
  EXPECT_NE(output(in_log({"schedule", "show", "nightly"})).find("paused: why\\x1bnot"),
            std::string::npos);
  EXPECT_EQ(code(in_log({"schedule", "pause", "nightly"})), ExitCode::conflict);
  EXPECT_EQ(code(in_log({"schedule", "resume", "nightly"})), ExitCode::ok);
  EXPECT_EQ(code(in_log({"schedule", "resume", "nightly"})), ExitCode::conflict);
  EXPECT_EQ(output(in_log({"schedule", "remove", "nightly"})), "schedule nightly is removed\n");
  EXPECT_EQ(code(in_log({"schedule", "remove", "nightly"})), ExitCode::not_found);
  EXPECT_EQ(code(in_log({"schedule", "show", "nightly"})), ExitCode::not_found);
  EXPECT_EQ(output(in_log({"schedule", "list"})), "no schedules\n");
}

TEST_F(ScheduleCommands, AreRefusedBeforeAnythingIsWritten) {
  for (const Words& words : std::vector<Words>{
           {"schedule", "add", "nightly", "@daily"},
           {"schedule", "add", "nightly", "0 0 30 FEB *", "--", "true"},
           {"schedule", "add", "nightly", "@daily", "--missed", "some", "--", "true"},
           {"schedule", "add", "nightly", "@daily", "--overlap", "some", "--", "true"},
           {"schedule", "add", "nightly", "@daily", "--missed", "all", "--", "true"},
           {"schedule", "add", "nightly", "@daily", "--window", "6h", "--", "true"},
           {"schedule", "add", "", "@daily", "--", "true"},
           {"schedule", "next"},
           {"schedule"}}) {
    EXPECT_EQ(code(words), ExitCode::usage) << testing::PrintToString(words);
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / ".almanac"));
  EXPECT_EQ(code({"schedule", "pause", "nightly"}), ExitCode::not_found) << "no log";
}

TEST_F(ScheduleCommands, PrintWhatIsNext) {
  EXPECT_EQ(output({"schedule", "next", "hourly", "--dir", "due", "--count", "2"}),
            "1970-01-01T13:00:00Z\n1970-01-01T14:00:00Z\n")
      << "also what is overdue";
  EXPECT_EQ(output({"schedule", "next", "--recurrence", "0 0 29 2 *", "--at", "2026-01-01",
                    "--count", "1"}),
            "2028-02-29T00:00:00Z\n");
  EXPECT_EQ(output_json({"schedule", "next", "--recurrence", "@yearly", "--at", "2026-01-01",
                         "--count", "1", "--json"}),
            (json{{"instant", "2027-01-01T00:00:00.000000Z"}}));
}

TEST_F(ScheduleCommands, FireNothing) {
  for (const Words& words :
       std::vector<Words>{{"submit", "--dir", "due", "--", "true"},
                          {"cancel", "--dir", "due", "1"},
                          {"schedule", "add", "--dir", "due", "other", "@daily", "--", "true"}}) {
    ASSERT_EQ(code(words), ExitCode::ok) << testing::PrintToString(words);
    EXPECT_EQ(shown("hourly", "due")["firings"], 0) << words.front();
  }
}

TEST_F(ScheduleCommands, AreFiredByRuns) {
  EXPECT_EQ(code({"run", "--dir", "due"}), ExitCode::ok);
  const json schedule = shown("hourly", "due");
  EXPECT_EQ(schedule["firings"], 1);
  EXPECT_GT(schedule["skipped"], 400'000) << "one a hour since 1970";
  EXPECT_EQ(output_json({"show", "1", "--dir", "due"})["state"], "succeeded");
  EXPECT_EQ(shown("hourly", "due")["task"], 1);
  EXPECT_NE(output({"why", "1", "--tree", "--dir", "due"}).find("ScheduleFired"),
            std::string::npos);
}

TEST_F(ScheduleCommands, AreFiredForeverByARunThatIsToldTo) {
  ASSERT_EQ(code({"schedule", "add", "--dir", "due", "often", "every second", "--", "true"}),
            ExitCode::ok);
  ChildProcess run({almanac_path(), "run", "--forever", "--json", "--dir", folder_ / "due"});
  // Two schedules have fired at most once each before all their tasks had ended.
  for (int task = 1; task <= 3; ++task) {
    EXPECT_EQ(json::parse(run.read_line())["state"], "succeeded");
  }
  run.kill(SIGINT);
  EXPECT_EQ(run.wait(), 0);
}

}  // namespace
}  // namespace almanac::test
