// What is wrong with real files and commands, and the evidence for it.
#include <almanac/engine/component_builder.h>
#include <almanac/engine/component_builds.h>
#include <almanac/engine/component_probe.h>
#include <almanac/engine/confined_folder.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <csignal>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using enum ComponentIssue;

// A component's folder with a program in it: a copy of a real one.
class ProgramFolder {
 public:
  ProgramFolder() { fs::copy_file("/bin/true", file()); }
  [[nodiscard]] fs::path file() const { return folder_ / "program"; }
  [[nodiscard]] fs::path path() const { return folder_.path(); }
  [[nodiscard]] CommandRun run() const {
    return {
        .folder = path(), .timeout = 20s, .stop = {}, .environment = component_environment(path())};
  }
  [[nodiscard]] Diagnosis look() const { return diagnose(implementation, run()); }

  ComponentImplementation implementation{
      .name = "native", .kind = ComponentKind::program, .artifact = "program"};

 private:
  TempFolder folder_;
};

CommandEnd shell_command(const std::string& script, CommandRun run = {}) {
  run.folder = "/tmp";
  if (run.timeout == Duration(0)) run.timeout = 20s;
  run.environment = {"PATH=/usr/bin:/bin"};
  return almanac::run({"sh", "-c", script}, run);
}

TEST(ComponentCommands, SayHowTheyEndAndWhatTheyWrote) {
  const CommandEnd good = shell_command("echo hello; echo there >&2");
  EXPECT_TRUE(good.succeeded());
  EXPECT_EQ(good.output, "hello\nthere\n");
  EXPECT_EQ(describe(shell_command("exit 3")), "exit code 3");
  EXPECT_EQ(describe(shell_command("kill -SEGV $$")), "ended by SIGSEGV");
  const CommandEnd none = almanac::run({"there-is-no-such-program"}, {.folder = "/tmp"});
  ASSERT_TRUE(none.not_started);
  EXPECT_EQ(none.not_started->code, ErrorCode::not_found);
}

TEST(ComponentCommands, AreEndedWithAllTheyStartedWhenTheirTimeIsUp) {
  const TempFolder folder;
  const std::string mark = (folder / "mark").string();
  const CommandEnd late =
      shell_command("(sleep 30; touch " + mark + ") & sleep 30", {.timeout = 100ms});
  EXPECT_TRUE(late.timed_out);
  EXPECT_EQ(late.signal, SIGKILL);
  EXPECT_LT(late.took, 10s);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(shell_command("sleep 30", {.stop = stop.get_token()}).stopped);
}

TEST(ComponentCommands, KeepTheBeginningAndTheEndOfWhatTheyWrite) {
  const CommandEnd end =
      shell_command("echo begin; head -c 1000000 /dev/zero | tr '\\0' x; echo end");
  EXPECT_TRUE(end.output.starts_with("begin\n"));
  EXPECT_TRUE(end.output.ends_with("end\n"));
  EXPECT_LT(end.output.size(), 140'000U);
  EXPECT_NE(end.output.find("bytes left out"), std::string::npos);
}

TEST(ComponentCommands, SeeNothingOfOursButWhatTheyNeed) {
  ::setenv("ALMANAC_SECRET", "hunter2", 1);
  const ProgramFolder folder;
  CommandRun run = folder.run();
  const CommandEnd end = almanac::run({"env"}, run);
  ::unsetenv("ALMANAC_SECRET");
  EXPECT_EQ(end.output.find("hunter2"), std::string::npos);
  EXPECT_NE(end.output.find("HOME=" + folder.path().string()), std::string::npos);
}

TEST(Probe, TakesAProgramThatIsWhole) {
  ProgramFolder folder;
  EXPECT_EQ(folder.look().issue, none) << folder.look().evidence;
  folder.implementation.probe = {"./program"};
  EXPECT_EQ(folder.look().issue, none) << folder.look().evidence;
}

TEST(Probe, FindsThatNothingIsBuiltAndWhatWouldBuildItIsMissing) {
  ProgramFolder folder;
  fs::remove(folder.file());
  EXPECT_EQ(folder.look().issue, not_built);
  folder.implementation.toolchain = {"sh", "a-compiler-nobody-has"};
  EXPECT_EQ(folder.look().issue, missing_toolchain);
  EXPECT_EQ(folder.look().evidence, "there is no a-compiler-nobody-has in PATH");
}

TEST(Probe, FindsEveryTruncationOfAProgram) {
  const ProgramFolder folder;
  const std::string whole = read_file(folder.file());
  for (std::size_t length = 0; length < whole.size(); length += length < 256 ? 1 : 499) {
    write_file(folder.file(), whole.substr(0, length));
    EXPECT_TRUE(find_damage(folder.file(), ComponentKind::program)) << length;
  }
  write_file(folder.file(), whole.substr(0, whole.size() - 1));
  EXPECT_TRUE(find_damage(folder.file(), ComponentKind::program));
  write_file(folder.file(), whole);
  EXPECT_EQ(find_damage(folder.file(), ComponentKind::program), std::nullopt);
}

TEST(Probe, FindsAProgramOfAnotherMachineOrNoneAtAll) {
  const ProgramFolder folder;
  std::string other = read_file(folder.file());
  other[18] = '\x7f';  // e_machine
  write_file(folder.file(), other);
  EXPECT_EQ(folder.look().issue, corrupt_binary);
  write_file(folder.file(), "garbage");
  EXPECT_EQ(folder.look().issue, corrupt_binary);
}

TEST(Probe, FindsAMissingLibrary) {
  const ProgramFolder folder;
  std::string program = read_file(folder.file());
  const auto name = program.find("libc.so.6");
  ASSERT_NE(name, std::string::npos);
  program.replace(name, 9, "libz.so.0");
  write_file(folder.file(), program);
  const Diagnosis seen = folder.look();
  EXPECT_EQ(seen.issue, missing_dependencies) << seen.evidence;
  EXPECT_NE(seen.evidence.find("libz.so.0"), std::string::npos);
}

TEST(Probe, FindsThatAProgramMayNotBeRunAlsoByRoot) {
  const ProgramFolder folder;
  fs::permissions(folder.file(), fs::perms::owner_read);
  EXPECT_EQ(folder.look().issue, permission_error) << folder.look().evidence;
}

TEST(Probe, ComparesVersionsByTheirParts) {
  EXPECT_TRUE(is_version("1.4", "1.4"));
  EXPECT_TRUE(is_version("1.4.2", "1.4"));
  EXPECT_TRUE(is_version("1.4-rc1", "1.4"));
  EXPECT_FALSE(is_version("1.40", "1.4"));
  EXPECT_FALSE(is_version("1", "1.4"));
  ProgramFolder folder;
  folder.implementation.version = "2";
  folder.implementation.probe = {"echo", "1.9"};
  EXPECT_EQ(folder.look().issue, incompatible_version);
  folder.implementation.probe = {"echo", "2.1"};
  EXPECT_EQ(folder.look().issue, none);
  EXPECT_EQ(folder.look().version, "2.1");
}

TEST(Rules, SayWhatIsWrongByWhatACommandWrites) {
  const auto issue = [](const std::string& script) {
    return diagnose(shell_command(script), build_failed).issue;
  };
  EXPECT_EQ(issue("echo 'a.cc:1:9: error: expected ;'; exit 1"), build_failed);
  EXPECT_EQ(issue("echo 'cc1plus: out of memory allocating 65536 bytes'; exit 1"), out_of_memory);
  EXPECT_EQ(issue("kill -KILL $$"), out_of_memory);
  EXPECT_EQ(issue("echo 'a.cc:1:10: fatal error: x.h: No such file or directory'; exit 1"),
            missing_dependencies);
  EXPECT_EQ(issue("echo '/usr/bin/ld: cannot find -lfoo'; exit 1"), missing_dependencies);
  EXPECT_EQ(issue("a-compiler-nobody-has -c a.cc"), missing_toolchain);
  EXPECT_EQ(issue("echo 'mkdir: cannot create directory: Permission denied'; exit 1"),
            permission_error);
  EXPECT_EQ(issue("echo 'CMake 3.99 or higher is required.'; exit 1"), incompatible_version);
  const auto probe = [](const std::string& script) {
    return diagnose(shell_command(script), unexplained).issue;
  };
  EXPECT_EQ(probe("kill -SEGV $$"), corrupt_binary);
  EXPECT_EQ(probe("exit 1"), unexplained);
  EXPECT_EQ(diagnose(shell_command("echo nothing of note; exit 1"), build_failed).evidence,
            "exit code 1: nothing of note");
}

std::vector<fs::path> kept_in(const fs::path& folder) {
  std::vector<fs::path> kept;
  for (const auto& entry : fs::recursive_directory_iterator(folder / ".component/builds")) {
    if (entry.is_regular_file()) kept.push_back(entry.path());
  }
  return kept;
}

TEST(Builds, AreKeptBySourcesAndComeBackWhole) {
  ProgramFolder folder;
  folder.implementation.sources = {"source.c"};
  const std::string whole = read_file(folder.file());
  const ComponentBuilds builds(folder.path(), folder.implementation);
  write_file(folder.path() / "source.c", "int main;");
  ASSERT_TRUE(builds.keep());
  write_file(folder.file(), "garbage");
  ASSERT_TRUE(builds.restore());
  EXPECT_EQ(read_file(folder.file()), whole);
  EXPECT_EQ(folder.look().issue, none);
  write_file(folder.path() / "source.c", "int other;");
  EXPECT_EQ(builds.restore().error().code, ErrorCode::not_found) << "other sources";
  write_file(folder.path() / "source.c", "int main;");
  for (const fs::path& kept : kept_in(folder.path())) {
    std::string damaged = read_file(kept);
    damaged.back() ^= 1;
    write_file(kept, damaged);
  }
  EXPECT_EQ(builds.restore().error().code, ErrorCode::corrupt);
  EXPECT_EQ(builds.restore().error().code, ErrorCode::not_found) << "the damaged one is gone";
}

TEST(Builds, AreKeptUpToALimitOfEachImplementation) {
  ProgramFolder folder;
  folder.implementation.sources = {"source.c"};
  ComponentImplementation other = folder.implementation;
  other.name = "native-2";
  const ComponentBuilds builds(folder.path(), folder.implementation);
  const ComponentBuilds others(folder.path(), other);
  for (int version = 0; version < 6; ++version) {
    write_file(folder.path() / "source.c", std::to_string(version));
    if (version < 2) {
      ASSERT_TRUE(others.keep());
    }
    ASSERT_TRUE(builds.keep());
  }
  EXPECT_EQ(kept_in(folder.path()).size(), 3U + 2U);
  EXPECT_TRUE(builds.restore()) << "the newest is one of them";
  write_file(folder.path() / "source.c", "0");
  EXPECT_EQ(builds.restore().error().code, ErrorCode::not_found) << "the oldest is not";
  EXPECT_TRUE(others.restore());
}

// A folder that is a component's, and one beside it that is not.
class Confinement : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(inside_ / "build");
    fs::create_directories(outside_);
    write_file(outside_ / "file", "theirs");
    folder_of_component_.emplace(*ConfinedFolder::open(inside_));
  }
  [[nodiscard]] const ConfinedFolder& folder() const { return *folder_of_component_; }
  // What is refused because of a link, and leaves what it leads to as it was.
  void expect_refusal(const Result<void>& answer) const {
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::refused) << describe(answer.error());
    EXPECT_NE(answer.error().message.find("is a link"), std::string::npos);
    expect_nothing_done();
  }
  void expect_nothing_done() const {
    EXPECT_EQ(read_file(outside_ / "file"), "theirs");
    const auto entries = fs::directory_iterator(outside_);
    EXPECT_EQ(std::distance(fs::begin(entries), fs::end(entries)), 1);
  }
  [[nodiscard]] ComponentImplementation tool() const {
    return {.name = "native",
            .kind = ComponentKind::program,
            .artifact = "build/tool",
            .sources = {"source"},
            .build = {"true"},
            .allowed = {RepairStrategy::rebuild, RepairStrategy::restore}};
  }
  [[nodiscard]] RepairResult repaired(RepairStrategy strategy) const {
    return repair(tool(), strategy,
                  {.folder = inside_,
                   .timeout = 20s,
                   .stop = {},
                   .environment = component_environment(inside_)});
  }
  TempFolder temporary_;
  fs::path inside_ = temporary_ / "inside";
  fs::path outside_ = temporary_ / "outside";
  std::optional<ConfinedFolder> folder_of_component_;
};

TEST_F(Confinement, ReadsWritesAndRemovesWhatIsInside) {
  ASSERT_TRUE(folder().write("build/deep/./file", "one", 0750));
  ASSERT_TRUE(folder().write("build/deep/file", "two", 0700));
  EXPECT_EQ(folder().read("build/other/../deep/file"), "two");
  EXPECT_EQ(fs::status(inside_ / "build/deep/file").permissions(), fs::perms::owner_all);
  EXPECT_EQ(folder().enter("build/deep")->names(), std::vector<std::string>{"file"});
  ASSERT_TRUE(folder().remove("build/deep/file"));
  EXPECT_TRUE(folder().remove("build/deep/file")) << "it is gone already";
  EXPECT_TRUE(folder().remove("none/file"));
  EXPECT_EQ(folder().read("build/deep/file").error().code, ErrorCode::not_found);
}

TEST_F(Confinement, TakesNoPathThatLeaves) {
  for (const char* path : {"../outside/file", "build/../../outside/file", "/etc/hostname"}) {
    EXPECT_EQ(folder().read(path).error().code, ErrorCode::invalid) << path;
    EXPECT_EQ(folder().remove(path).error().code, ErrorCode::invalid) << path;
    EXPECT_EQ(folder().write(path, "ours", 0600).error().code, ErrorCode::invalid) << path;
  }
  expect_nothing_done();
}

TEST_F(Confinement, FollowsNoLinkToAFile) {
  fs::create_symlink(outside_ / "file", inside_ / "build/tool");
  EXPECT_EQ(folder().read("build/tool").error().code, ErrorCode::refused);
  fs::create_symlink(outside_ / "file", inside_ / "build/tool.new");
  ASSERT_TRUE(folder().write("build/tool", "ours", 0755)) << "in place of the link";
  expect_nothing_done();
  EXPECT_FALSE(fs::is_symlink(inside_ / "build/tool"));
  fs::remove(inside_ / "build/tool");
  fs::create_symlink(outside_ / "file", inside_ / "build/tool");
  ASSERT_TRUE(folder().remove("build/tool")) << "the link";
  expect_nothing_done();
}

TEST_F(Confinement, FollowsNoLinkToAFolder) {
  fs::remove(inside_ / "build");
  fs::create_directory_symlink(outside_, inside_ / "build");
  EXPECT_EQ(folder().read("build/file").error().code, ErrorCode::refused);
  expect_refusal(folder().write("build/tool", "ours", 0755));
  expect_refusal(folder().write("build/deep/tool", "ours", 0755));
  expect_refusal(folder().remove("build/file"));
}

TEST_F(Confinement, DoesNotFollowALinkThatIsMadeBetweenTwoSteps) {
  const auto build = folder().enter("build");
  fs::rename(inside_ / "build", inside_ / "was");
  fs::create_directory_symlink(outside_, inside_ / "build");
  ASSERT_TRUE(build->write("file", "ours", 0600));
  EXPECT_EQ(read_file(inside_ / "was/file"), "ours") << "where it was opened";
  ASSERT_TRUE(build->remove("file"));
  expect_nothing_done();
}

TEST_F(Confinement, HoldsForWhatRestoresAndRebuilds) {
  fs::copy_file("/bin/true", inside_ / "build/tool");
  write_file(inside_ / "source", "int main;");
  ASSERT_TRUE(ComponentBuilds(inside_, tool()).keep());
  fs::remove_all(inside_ / "build");
  fs::create_directory_symlink(outside_, inside_ / "build");
  write_file(outside_ / "tool", "theirs");
  EXPECT_EQ(repaired(RepairStrategy::restore).outcome, RepairOutcome::impossible);
  const RepairResult rebuilt = repaired(RepairStrategy::rebuild);
  EXPECT_EQ(rebuilt.outcome, RepairOutcome::failed);
  EXPECT_NE(rebuilt.message.find("is a link"), std::string::npos) << rebuilt.message;
  EXPECT_FALSE(ComponentBuilds(inside_, tool()).keep()) << "what is not ours is not kept";
  EXPECT_EQ(read_file(outside_ / "tool"), "theirs");
  fs::remove(outside_ / "tool");
  fs::remove(inside_ / "build");
  ASSERT_EQ(repaired(RepairStrategy::restore).outcome, RepairOutcome::done);
  fs::rename(inside_ / ".component", inside_ / "kept");
  fs::create_directory_symlink(outside_, inside_ / ".component");
  EXPECT_FALSE(ComponentBuilds(inside_, tool()).keep());
  const auto seen = almanac::run({"env"}, {.folder = inside_,
                                           .timeout = 20s,
                                           .stop = {},
                                           .environment = component_environment(inside_)});
  EXPECT_NE(seen.output.find("HOME=" + inside_.string() + "\n"), std::string::npos) << seen.output;
  expect_nothing_done();
}

TEST(Permissions, AreGivenInsideTheFolderAlone) {
  ProgramFolder folder;
  const TempFolder outside;
  write_file(outside / "secret", "x");
  fs::permissions(outside / "secret", fs::perms::none);
  fs::create_directory(folder.path() / "sub");
  fs::create_symlink(outside / "secret", folder.path() / "sub/link");
  fs::create_directory_symlink(outside.path(), folder.path() / "sub/folder");
  write_file(folder.path() / "sub/data", "x");
  fs::permissions(folder.path() / "sub/data", fs::perms::none);
  fs::permissions(folder.file(), fs::perms::none);
  fs::permissions(folder.path() / "sub", fs::perms::none);
  folder.implementation.allowed = {RepairStrategy::fix_permissions};
  const RepairResult result =
      repair(folder.implementation, RepairStrategy::fix_permissions, folder.run());
  EXPECT_EQ(result.outcome, RepairOutcome::done) << result.message;
  const auto mode = [](const fs::path& path) { return fs::status(path).permissions(); };
  EXPECT_EQ(mode(folder.path() / "sub"), fs::perms::owner_all);
  EXPECT_EQ(mode(folder.path() / "sub/data"), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(mode(folder.file()), fs::perms::owner_all);
  EXPECT_EQ(mode(outside / "secret"), fs::perms::none);
  EXPECT_EQ(folder.look().issue, none);
}

TEST(Strategies, ThatAreNotAllowedStopTheProgram) {
  const ProgramFolder folder;
  EXPECT_DEATH((void)repair(folder.implementation, RepairStrategy::build, folder.run()), "allowed");
}

}  // namespace
}  // namespace almanac::test
