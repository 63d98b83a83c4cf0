// Each strategy of self-repair, with what can fail in it made to fail.
#include <almanac/engine/component_builder.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <string>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class FailingStrategy : public testing::TestWithParam<RepairStrategy> {
 protected:
  void SetUp() override {
    write_file(parts() / "tool", "it was built");
    write_file(folder_ / "outside", "theirs");
  }
  [[nodiscard]] fs::path parts() const { return folder_ / "parts"; }
  // The strategy, every command of which is this one.
  [[nodiscard]] RepairResult repaired_by(const ComponentCommand& command,
                                         Duration timeout = 20s) const {
    ComponentImplementation tool{.name = "native",
                                 .kind = ComponentKind::program,
                                 .artifact = "tool",
                                 .sources = {"source"},
                                 .build = command,
                                 .clean = command,
                                 .install_dependencies = command,
                                 .install_toolchain = command,
                                 .allowed = {GetParam()}};
    return repair(tool, GetParam(),
                  {.folder = parts(),
                   .timeout = timeout,
                   .stop = {},
                   .environment = component_environment(parts())});
  }
  void TearDown() override { EXPECT_EQ(read_file(folder_ / "outside"), "theirs"); }

 private:
  struct Folder : TempFolder {
    Folder() { fs::create_directory(path() / "parts"); }
  };
  Folder folder_;
};

class FailingCommand : public FailingStrategy {};

TEST_P(FailingCommand, IsAFailureWithWhatItSaysAndNoFurtherOneRuns) {
  const RepairResult result =
      repaired_by({"sh", "-c", "echo ran >> runs; echo 'tool.c:7: error: no such type'; exit 3"});
  EXPECT_EQ(result.outcome, RepairOutcome::failed);
  EXPECT_NE(result.message.find("no such type"), std::string::npos) << result.message;
  EXPECT_EQ(result.left, ComponentIssue::build_failed);
  EXPECT_EQ(read_file(parts() / "runs"), "ran\n");
}

TEST_P(FailingCommand, SaysWhichIssueIsLeft) {
  const RepairResult result = repaired_by({"sh", "-c", "echo 'ld: out of memory' >&2; exit 1"});
  EXPECT_EQ(result.outcome, RepairOutcome::failed);
  EXPECT_EQ(result.left, ComponentIssue::out_of_memory) << result.message;
}

TEST_P(FailingCommand, IsEndedWhenTheTimeIsUp) {
  const RepairResult result = repaired_by({"sleep", "600"}, 100ms);
  EXPECT_EQ(result.outcome, RepairOutcome::timed_out) << result.message;
}

TEST_P(FailingCommand, ThatIsNotThereIsAFailure) {
  const RepairResult result = repaired_by({"./no-such-program"});
  EXPECT_EQ(result.outcome, RepairOutcome::failed);
  EXPECT_NE(result.message.find("./no-such-program"), std::string::npos) << result.message;
}

TEST_P(FailingCommand, ThatIsKilledIsAFailure) {
  EXPECT_EQ(repaired_by({"sh", "-c", "kill -9 $$"}).outcome, RepairOutcome::failed);
}

std::string strategy_name(const testing::TestParamInfo<RepairStrategy>& one) {
  return std::string(name(one.param));
}

INSTANTIATE_TEST_SUITE_P(Of, FailingCommand,
                         testing::Values(RepairStrategy::build, RepairStrategy::clean_build,
                                         RepairStrategy::rebuild,
                                         RepairStrategy::install_dependencies,
                                         RepairStrategy::install_toolchain,
                                         RepairStrategy::free_memory),
                         strategy_name);

class FailingFiles : public FailingStrategy {};

TEST_P(FailingFiles, AreAFailureThatNamesThem) {
  fs::remove_all(parts());
  const RepairResult result = repaired_by({"true"});
  EXPECT_NE(result.outcome, RepairOutcome::done);
  EXPECT_NE(result.message.find("parts"), std::string::npos) << result.message;
}

INSTANTIATE_TEST_SUITE_P(Of, FailingFiles,
                         testing::Values(RepairStrategy::rebuild, RepairStrategy::fix_permissions,
                                         RepairStrategy::restore),
                         strategy_name);

}  // namespace
}  // namespace almanac::test
