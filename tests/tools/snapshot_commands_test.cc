// `almanac snapshot …` as one types it.
#include <almanac/snapshots/checkpoint.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/log_commands.h>
#include <almanac/tests/support/test_log.h>
#include <almanac/tools/coverage.h>
#include <almanac/tools/exit_code.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class SnapshotCommands : public testing::Test {
 protected:
  using Words = std::vector<std::string>;

  SnapshotCommands() { write_frames(folder_ / "log", sample_frames()); }

  // `almanac snapshot WORDS --repository backup`
  [[nodiscard]] CommandOutput snapshot(Words words) const {
    words.insert(words.begin(), "snapshot");
    if (words[1] == "create") words.insert(words.end(), {"--dir", "log"});
    words.insert(words.end(), {"--repository", "backup"});
    return run_almanac({.arguments = std::move(words), .folder = folder_.path(), .input = {}});
  }
  // Of one that succeeds and complains about nothing.
  [[nodiscard]] std::string output(const Words& words) const {
    const auto outcome = snapshot(words);
    EXPECT_EQ(outcome.code, 0) << outcome.errors;
    EXPECT_EQ(outcome.errors, "");
    return outcome.output;
  }
  [[nodiscard]] std::vector<json> objects(Words words) const {
    words.push_back("--json");
    std::vector<json> objects;
    for (const auto& line : lines_of(output(words))) objects.push_back(json::parse(line));
    return objects;
  }
  [[nodiscard]] fs::path segment() const {
    const fs::path of_timeline = fs::directory_iterator(folder_ / "backup/segments")->path();
    return fs::directory_iterator(of_timeline)->path();
  }

  TempFolder folder_;
};

TEST_F(SnapshotCommands, ArchiveWhatIsNewAndSayWhatItWas) {
  EXPECT_EQ(output({"create"}).find("snapshot 1: positions 1 to 10, "), 0U);
  EXPECT_EQ(output({"create"}),
            "nothing has happened since snapshot 1, which ends at position 10\n");
  write_frames(folder_ / "log", {{{.at = sample_time(60), .body = TaskReadied{TaskId(1)}}}});
  const auto made = objects({"create"}).at(0);
  EXPECT_EQ(made["snapshot"], 2);
  EXPECT_EQ(made["first"], 1);
  EXPECT_EQ(made["from"], 11);
  EXPECT_EQ(made["last"], 11);
  EXPECT_EQ(made["made"], true);
  EXPECT_EQ(output({"create", "--full"}).find("snapshot 3: positions 1 to 11, "), 0U);
}

TEST_F(SnapshotCommands, ListSnapshotsAndTheTimeTheyHold) {
  EXPECT_EQ(snapshot({"list"}).code, static_cast<int>(ExitCode::not_found));
  (void)output({"create"});
  write_frames(folder_ / "log", {{{.at = sample_time(60), .body = TaskReadied{TaskId(1)}}}});
  (void)output({"create"});
  const auto text = output({"list"});
  EXPECT_NE(text.find("1-11"), std::string::npos) << text;
  EXPECT_NE(text.find("2026-11-21T10:00:00Z"), std::string::npos) << text;
  EXPECT_NE(text.find("\n|########"), std::string::npos) << text;
  EXPECT_EQ(text.find("gap"), std::string::npos) << text;
  const auto rows = objects({"list"});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0]["snapshot"], 2);
  EXPECT_EQ(rows[0]["whole"], true);
  EXPECT_EQ(rows[0]["last"], 11);
  EXPECT_LT(rows[0]["new_bytes"], rows[0]["bytes"]);
  EXPECT_EQ(rows[1]["new_bytes"], rows[1]["bytes"]);
}

TEST_F(SnapshotCommands, ShowWhatASnapshotIsMadeOf) {
  (void)output({"create"});
  const auto text = output({"show"});
  EXPECT_EQ(text.find("snapshot   1, made at 20"), 0U) << text;
  EXPECT_NE(text.find("first      position 1 at 2026-11-21T10:00:00.000000Z\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("\n1-10 "), std::string::npos) << text;
  EXPECT_EQ(text, output({"show", "1"}));
  const auto manifest = objects({"show"}).at(0);
  EXPECT_EQ(manifest["position"], 10);
  EXPECT_EQ(manifest["segments"].size(), 1U);
  const auto missing = snapshot({"show", "9"});
  EXPECT_EQ(missing.code, static_cast<int>(ExitCode::not_found));
  EXPECT_EQ(missing.errors,
            "almanac: there is no snapshot 9\n  `almanac snapshot list` shows what there is\n");
}

TEST_F(SnapshotCommands, VerifyWhatIsThereAndNameWhatIsNot) {
  (void)output({"create"});
  EXPECT_EQ(output({"verify"}).find("snapshot 1: whole\nread 2 files, "), 0U);
  EXPECT_EQ(output({"verify", "--sample", "0"}).find("snapshot 1: whole\nread 2 files, "), 0U);
  auto bytes = read_file(segment());
  bytes[200] ^= 1;
  write_file(segment(), bytes);
  const auto damaged = snapshot({"verify"});
  EXPECT_EQ(damaged.code, static_cast<int>(ExitCode::corrupt));
  EXPECT_NE(damaged.output.find("snapshot 1: damaged\n"), std::string::npos) << damaged.output;
  EXPECT_NE(damaged.output.find(segment().filename().string()), std::string::npos)
      << damaged.output;
  EXPECT_NE(damaged.errors.find("1 of 1 snapshot damaged"), std::string::npos) << damaged.errors;
  EXPECT_NE(output({"list"}).find("1-10"), std::string::npos);
  fs::remove(segment());
  EXPECT_NE(output({"list"}).find("damaged"), std::string::npos);
  // Made again of the log, the same bytes have the same name: both are whole.
  (void)output({"create", "--full"});
  EXPECT_EQ(snapshot({"verify"}).code, 0);
}

TEST_F(SnapshotCommands, PruneWhatNoRuleKeeps) {
  for (int minute : {60, 61, 62}) {
    (void)output({"create"});
    write_frames(folder_ / "log", {{{.at = sample_time(minute), .body = TaskReadied{TaskId(1)}}}});
  }
  const auto kept = output({"prune"});
  EXPECT_NE(kept.find(" within"), std::string::npos) << kept;
  EXPECT_NE(kept.find("\nremoved 0 of 3 snapshots and 0 files, 0 B\n"), std::string::npos) << kept;
  const auto would = output({"prune", "--dry-run", "--keep-last", "2"});
  EXPECT_NE(would.find("newest, last"), std::string::npos) << would;
  EXPECT_NE(would.find("- would go"), std::string::npos) << would;
  EXPECT_NE(would.find("\nwould remove 1 of 3 snapshots and "), std::string::npos) << would;
  EXPECT_EQ(objects({"list"}).size(), 3U);
  const auto rows = objects({"prune", "--keep-last", "1", "--keep-within", "1us"});
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0]["snapshot"], 3);
  EXPECT_EQ(rows[0]["kept"], true);
  EXPECT_EQ(rows[0]["rules"], (json{"newest", "within", "last"}));
  EXPECT_EQ(rows[1]["kept"], false);
  EXPECT_EQ(rows[3]["removed"]["snapshots"], 2);
  EXPECT_EQ(rows[3]["removed"]["dry_run"], false);
  EXPECT_GT(rows[3]["removed"]["bytes"], 0);
  EXPECT_EQ(output({"verify"}).find("snapshot 3: whole\nread "), 0U);
}

TEST_F(SnapshotCommands, PruneNothingThatWasNotUnderstood) {
  EXPECT_EQ(snapshot({"prune"}).code, static_cast<int>(ExitCode::not_found));
  EXPECT_FALSE(fs::exists(folder_ / "backup"));
  (void)output({"create"});
  const auto refused = snapshot({"prune", "--keep-within", "30"});
  EXPECT_EQ(refused.code, static_cast<int>(ExitCode::usage));
  EXPECT_NE(refused.errors.find("--keep-within"), std::string::npos) << refused.errors;
  EXPECT_EQ(snapshot({"prune", "--keep-last", "-1"}).code, static_cast<int>(ExitCode::usage));
  write_file(folder_ / "backup/manifests/2", "");
  const auto unreadable = snapshot({"prune"});
  EXPECT_EQ(unreadable.code, static_cast<int>(ExitCode::corrupt));
  EXPECT_NE(unreadable.errors.find("manifests/2"), std::string::npos) << unreadable.errors;
}

TEST_F(SnapshotCommands, SayWhatIsWrongWithWhatWasTyped) {
  auto outcome = run_almanac(
      {.arguments = {"snapshot", "create", "--dir", "log"}, .folder = folder_.path(), .input = {}});
  EXPECT_EQ(outcome.code, static_cast<int>(ExitCode::usage));
  EXPECT_NE(outcome.errors.find("--repository"), std::string::npos) << outcome.errors;
  fs::create_directory(folder_ / "backup");
  write_file(folder_ / "backup/letter", "");
  EXPECT_EQ(snapshot({"create"}).code, static_cast<int>(ExitCode::refused));
  EXPECT_EQ(snapshot({"verify"}).code, static_cast<int>(ExitCode::not_found));
}

class SnapshotKeys : public SnapshotCommands {
 protected:
  SnapshotKeys() {
    EXPECT_EQ(create_key({"--encryption", "key"}).code, 0);
    EXPECT_EQ(create_key({"--encryption", "other"}).code, 0);
    EXPECT_EQ(create_key({"--signing", "mine"}).code, 0);
    EXPECT_EQ(create_key({"--signing", "his"}).code, 0);
  }
  [[nodiscard]] CommandOutput create_key(Words words) const {
    words.insert(words.begin(), {"snapshot", "create-key"});
    return run_almanac({.arguments = std::move(words), .folder = folder_.path(), .input = {}});
  }
  // That it ends so, with this in its complaint, and prints nothing.
  void expect_refused(const Words& words, ExitCode code, const std::string& complaint) const {
    const auto outcome = snapshot(words);
    EXPECT_EQ(outcome.code, static_cast<int>(code)) << outcome.errors;
    EXPECT_NE(outcome.errors.find(complaint), std::string::npos) << outcome.errors;
    EXPECT_EQ(outcome.output, "");
  }
};

TEST_F(SnapshotKeys, AreMadeOfOneKindAtATime) {
  EXPECT_EQ(create_key({}).code, static_cast<int>(ExitCode::usage));
  EXPECT_EQ(create_key({"--encryption", "a", "--signing", "b"}).code,
            static_cast<int>(ExitCode::usage));
  EXPECT_FALSE(fs::exists(folder_ / "a") || fs::exists(folder_ / "b"));
  EXPECT_EQ(create_key({"--encryption", "key"}).code, static_cast<int>(ExitCode::conflict));
  const auto made = json::parse(create_key({"--signing", "b", "--json"}).output);
  EXPECT_EQ(made["public_key"].get<std::string>().size(), 64U);
  EXPECT_NE(read_file(folder_ / "b.pub").find(made["public_key"]), std::string::npos);
}

TEST_F(SnapshotKeys, OpenARepositoryToWhoHasThem) {
  (void)output({"create", "--key", "key", "--sign-with", "mine"});
  const Words with_keys = {"--key", "key", "--trust", "his.pub", "--trust", "mine.pub"};
  const auto with = [&](Words words) {
    words.insert(words.end(), with_keys.begin(), with_keys.end());
    return words;
  };
  const auto row = objects(with({"list"})).at(0);
  EXPECT_EQ(row["encrypted"], true);
  EXPECT_EQ(row["signed_by"], objects(with({"show"})).at(0)["signed_by"]);
  const std::string signer = row["signed_by"];
  EXPECT_NE(output(with({"list"})).find(" signed\n"), std::string::npos);
  EXPECT_NE(output(with({"show"})).find("\nencrypted  yes\nsigned     by " + signer),
            std::string::npos);
  EXPECT_EQ(output(with({"verify"})).find("snapshot 1: whole\n"), 0U);
  EXPECT_EQ(output(with({"drill"})).find("restored "), 0U);
  EXPECT_EQ(output(with({"prune"})).find("SNAPSHOT"), 0U);
  EXPECT_EQ(output(with({"restore", "--to", "restored"})).find("snapshot  1"), 0U);
  EXPECT_TRUE(fs::exists(folder_ / "restored"));
}

TEST_F(SnapshotKeys, SayWhichOneIsMissingOrWrong) {
  const Words restore = {"restore", "--to", "restored"};
  const auto with = [&](const Words& keys) {
    Words words = restore;
    words.insert(words.end(), keys.begin(), keys.end());
    return words;
  };
  (void)output({"create", "--key", "key", "--sign-with", "mine"});
  expect_refused(with({}), ExitCode::refused, "--key");
  expect_refused(with({"--key", "other"}), ExitCode::refused, "not the one it was made with");
  expect_refused(with({"--key", "none"}), ExitCode::not_found, "there is no key none");
  expect_refused(with({"--key", "mine"}), ExitCode::usage, "mine: it is no encryption key");
  expect_refused(with({"--key", "key", "--trust", "his.pub"}), ExitCode::refused, "manifests/1");
  expect_refused(with({"--key", "key", "--trust", "mine"}), ExitCode::usage, "no public key");
  expect_refused({"create"}, ExitCode::refused, "is encrypted");
  fs::permissions(folder_ / "key", fs::perms(0640));
  expect_refused(with({"--key", "key"}), ExitCode::refused, "chmod 600 key");
  EXPECT_FALSE(fs::exists(folder_ / "restored"));
}

// As it is beside an engine: the log is open for writing in this process and grows all the time.
TEST_F(SnapshotCommands, ArchiveALogThatGrows) {
  TestLog log(folder_ / "log");
  const std::string data(1000, 'x');
  std::atomic<bool> enough = false;
  std::thread writer([&] {
    for (int minute = 100; !enough; ++minute) {
      const Event event{.at = sample_time(minute), .body = CustomEvent{"x", as_bytes(data)}};
      EXPECT_TRUE(log.append(std::vector<Event>(50, event)));
    }
  });
  std::uint64_t last = 0;
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(log.wait_for(Position(last + 1)).error);
    const auto made = objects({"create"}).at(0);
    EXPECT_GT(made["last"], last);
    last = made["last"];
  }
  enough = true;
  writer.join();
  (void)output({"create"});
  EXPECT_EQ(snapshot({"verify"}).code, 0);
  const auto repository = Repository::open(folder_ / "backup", Access::read);
  for (std::uint64_t number : repository->numbers()) {
    const LogTail tail = repository->manifest(number)->tail;
    EXPECT_EQ(chain_at(*log, tail.last), tail.digest);
  }
  EXPECT_EQ(repository->manifest(repository->numbers().front())->tail.last, log->tail()->last);
}

CheckedSnapshot snapshot_of(std::uint64_t number, std::uint64_t first, std::uint64_t last) {
  Manifest manifest{.number = number};
  manifest.tail = {.last = Position(last), .digest = {}, .time = sample_time(int(last))};
  manifest.segments.push_back({.header = {.first = Position(first),
                                          .last = Position(last),
                                          .first_time = sample_time(int(first)),
                                          .last_time = sample_time(int(last))},
                               .file = {}});
  return {.number = number, .manifest = manifest, .damage = {}};
}

TEST(Coverage, JoinsWhatTouchesAndShowsWhatIsMissing) {
  const std::vector<CheckedSnapshot> snapshots = {snapshot_of(4, 90, 100), snapshot_of(3, 41, 50),
                                                  snapshot_of(2, 20, 40), snapshot_of(1, 0, 25)};
  const auto all = coverage_of(snapshots, {});
  ASSERT_EQ(all.size(), 1U);
  ASSERT_EQ(all[0].ranges.size(), 2U);
  EXPECT_EQ(all[0].ranges[0].last, Position(50));
  EXPECT_EQ(all[0].ranges[1].first, Position(90));
  const auto lines = picture_of(all[0], 11, Glyphs::ascii);
  EXPECT_EQ(lines, (std::vector<std::string>{"######...##", "  ^ ^^    ^"}));
}

TEST(Coverage, CountsNothingThatIsDamaged) {
  auto damaged = snapshot_of(1, 1, 5);
  damaged.damage.push_back({});
  EXPECT_TRUE(coverage_of(std::vector{damaged}, {}).empty());
}

}  // namespace
}  // namespace almanac::test
