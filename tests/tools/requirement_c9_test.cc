// Requirement C9, as one types it: backups that are compressed, timestamped and described; listed;
// kept for 30 days and then removed; made daily; restored after a look ahead; and validated.
#include <almanac/log/log.h>
#include <almanac/snapshots/archive.h>
#include <almanac/tests/support/past_commands.h>

#include <gtest/gtest.h>

#include <filesystem>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

class RequirementC9 : public PastCommands {
 protected:
  void make_snapshot(Time made_at) {
    const fs::path folder = folder_ / "log";
    auto log = Log::open(folder, {.access = Access::read});
    auto repository = Repository::open(folder_ / "backup", Access::write);
    ASSERT_TRUE(log && repository);
    auto made = create_snapshot(**log, folder, *repository, {.made_at = made_at, .full = true});
    ASSERT_TRUE(made) << describe(made.error());
  }
  void add_text(int minute) {
    const std::string text(200'000, 'x');
    write_frames(folder_ / "log",
                 {{{.at = sample_time(minute), .body = CustomEvent{"note", as_bytes(text)}}}});
  }
  [[nodiscard]] static Words snapshot(Words words) {
    words.insert(words.begin(), "snapshot");
    words.insert(words.end(), {"--repository", "backup"});
    return words;
  }
};

TEST_F(RequirementC9, BackupsAreCompressedTimestampedDescribedAndListed) {
  add_text(60);
  make_snapshot(sample_time(61));
  const auto row = output_json(snapshot({"list"}));
  EXPECT_EQ(row["made_at"], "2026-11-21T11:01:00.000000Z");
  EXPECT_LT(row["bytes"].get<int>() * 20, row["frame_bytes"].get<int>());
  for (const char* member : {"timeline", "first", "last", "first_time", "last_time"}) {
    EXPECT_TRUE(row.contains(member)) << member;
  }
  EXPECT_TRUE(output_json(snapshot({"show"})).contains("state"));
}

TEST_F(RequirementC9, ThirtyDaysAreKeptAndOlderOnesGo) {
  const Time now = sample_time(100);
  int minute = 60;
  for (const int days : {31, 30, 29, 0}) {
    add_text(minute++);
    make_snapshot(now - std::chrono::days(days));
  }
  EXPECT_NE(output(snapshot({"prune", "--dry-run"})).find("would remove 1 of 4"),
            std::string::npos);
  (void)output(snapshot({"prune"}));
  EXPECT_EQ(output(snapshot({"list"})).find("\n1  "), std::string::npos);
  EXPECT_NE(output(snapshot({"verify"})).find("snapshot 2: whole\n"), std::string::npos);
}

TEST_F(RequirementC9, AreMadeDailyByTheRun) {
  (void)output({"submit", "--dir", "fresh", "--", "true"});
  (void)output({"run", "--dir", "fresh", "--repository", "backup", "--snapshot", "daily at 02:30"});
  const auto job = output_json({"backups", "--dir", "fresh"});
  EXPECT_EQ(job["schedule"], "daily at 02:30");
  const std::string next = job["next"];
  EXPECT_NE(next.find("T02:30:00"), std::string::npos) << next;
}

TEST_F(RequirementC9, AreRestoredAfterALookAheadAndValidated) {
  make_snapshot(sample_time(61));
  EXPECT_EQ(output(snapshot({"verify"})).find("snapshot 1: whole\n"), 0U);
  const auto plan = output_json(snapshot({"restore", "--to", "work", "--dry-run"}));
  EXPECT_EQ(plan["at"], 16);
  EXPECT_FALSE(fs::exists(folder_ / "work"));
  const auto made = output_json(snapshot({"restore", "--to", "work"}));
  EXPECT_EQ(made["state"], output_json({"state", "digest"})["digest"]);
}

}  // namespace
}  // namespace almanac::test
