// `almanac snapshot copy` to a folder, and through a command that is a real one.
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/past_commands.h>
#include <almanac/tools/exit_code.h>

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

class SnapshotCopy : public PastCommands {
 protected:
  SnapshotCopy() {
    fs::create_directory(folder_ / "far");
    (void)output(snapshot({"create"}));
    // Fails as often as there are lines in "failures", and notes what it has copied.
    write_file(folder_ / "copy.sh",
               "if [ -s failures ]; then sed -i 1d failures; echo the line is down; exit 3; fi\n"
               "mkdir -p \"$(dirname \"far/$2\")\" && cp \"$1\" \"far/$2\" && echo $2 >> calls\n");
  }
  [[nodiscard]] static Words snapshot(Words words) {
    words.insert(words.begin(), "snapshot");
    words.insert(words.end(), {"--repository", "backup"});
    return words;
  }
  [[nodiscard]] static Words copy(Words more = {}) {
    more.insert(more.begin(), {"copy", "--command", "sh copy.sh {file} {name}"});
    return snapshot(std::move(more));
  }
  [[nodiscard]] std::vector<std::string> calls() const {
    return fs::exists(folder_ / "calls") ? lines_of(read_file(folder_ / "calls")) : Words();
  }
};

TEST_F(SnapshotCopy, CallsACommandForEachFile) {
  write_file(folder_ / "failures", "1\n2\n");
  EXPECT_EQ(output_json(copy())["files"], 4);
  const auto made = calls();
  ASSERT_EQ(made.size(), 4U);
  EXPECT_EQ(made[0], "repository");
  EXPECT_EQ(made[1].find("checkpoints/"), 0U);
  EXPECT_EQ(made[2].find("segments/"), 0U);
  EXPECT_EQ(made[3], "manifests/1");
  EXPECT_EQ(output(copy()), "the copy has all there is\n");
  EXPECT_EQ(calls().size(), 4U);
  EXPECT_EQ(output_json({"snapshot", "restore", "--to", "work", "-r", "far"})["at"], 16);
}

TEST_F(SnapshotCopy, ShowsWhatACommandSaidThatFails) {
  write_file(folder_ / "failures", "1\n2\n3\n4\n5\n6\n7\n");
  const auto failed = run(copy());
  EXPECT_EQ(ExitCode(failed.code), ExitCode::work_failed);
  EXPECT_NE(failed.errors.find("sh ended with exit code 3: the line is down"), std::string::npos)
      << failed.errors;
  EXPECT_EQ(read_file(folder_ / "failures"), "6\n7\n") << "tried five times";
  write_file(folder_ / "failures", "");
  (void)output(copy());
  EXPECT_EQ(calls().size(), 4U);
}

TEST_F(SnapshotCopy, MakesARepositoryOfAFolder) {
  EXPECT_EQ(output_json(snapshot({"copy", "--to", "usb"}))["files"], 4);
  EXPECT_EQ(output(snapshot({"copy", "--to", "usb"})), "the copy has all there is\n");
  (void)output({"snapshot", "verify", "--repository", "usb"});
  EXPECT_EQ(output_json({"snapshot", "restore", "--to", "work", "-r", "usb"})["at"], 16);
}

TEST_F(SnapshotCopy, RefusesWhatIsNoPlaceForOne) {
  auto code = [&](Words words) { return ExitCode(run(snapshot(std::move(words))).code); };
  EXPECT_EQ(code({"copy"}), ExitCode::usage);
  EXPECT_EQ(code({"copy", "--to", "usb", "--command", "cp {file} usb"}), ExitCode::usage);
  EXPECT_EQ(code({"copy", "--command", "cp here there"}), ExitCode::usage);
  EXPECT_EQ(code({"copy", "--command", "no-such-command {file}"}), ExitCode::usage);
  EXPECT_EQ(code({"copy", "--to", "usb", "--every", "often"}), ExitCode::usage);
  EXPECT_EQ(code({"copy", "--to", "far/../log"}), ExitCode::refused);
  write_file(folder_ / "backup/copied/files", "something else\n");
  EXPECT_EQ(ExitCode(run(copy()).code), ExitCode::corrupt);
  EXPECT_TRUE(calls().empty());
}

}  // namespace
}  // namespace almanac::test
