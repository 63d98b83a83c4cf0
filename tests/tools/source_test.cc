// What the reading commands look at when checkpoints are damaged and when the log lacks its front.
#include <almanac/snapshots/checkpoints.h>
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/file_bytes.h>

#include <chrono>

namespace almanac::test {
namespace {

class SourceTest : public EngineTest {
 protected:
  // Each start and stop leaves a checkpoint; the tasks of a kind that nothing runs stay.
  void work(std::size_t tasks) {
    open({.checkpoints = {.period = std::chrono::hours(1), .events_at_stop = 1}});
    engine->handle("work", [](const Attempt&) { return almanac::Outcome::success(); });
    for (std::size_t i = 0; i < tasks; ++i) {
      wait_until_ended(submit(
          {.kind = "work", .label = "old", .payload = std::string(64 * limits::kibibyte, 'x')}));
    }
    submit({.kind = "none", .label = "new"});
    close();
  }
  [[nodiscard]] almanac::test::CommandOutput almanac(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--dir", log_folder().string()});
    return run_almanac({.arguments = std::move(arguments), .folder = folder.path(), .input = {}});
  }
};

TEST_F(SourceTest, NamesTheCheckpointsThatDoNotServeOnce) {
  work(2);
  const auto whole = almanac({"bisect", "--when", "tasks.live == 1"});
  EXPECT_EQ(whole.errors, "");
  const auto file = checkpoint_file(log_folder(), checkpoints_of(log_folder()).front());
  write_file(file, "damaged");
  const auto damaged = almanac({"bisect", "--when", "tasks.live == 1"});
  EXPECT_EQ(damaged.output, whole.output);
  EXPECT_EQ(damaged.code, whole.code);
  EXPECT_EQ(damaged.errors, "almanac: warning: " + file.string() + ": it is cut short\n" +
                                "  remove it; an older one or the log itself serves\n");
}

TEST_F(SourceTest, ListsTasksWhoseRequestsWereTrimmedAndSaysWhatIsMissing) {
  work(60);
  work(1);
  {
    auto log = Log::open(log_folder(), {.index = false});
    ASSERT_TRUE(log && (*log)->trim({.before = Position(UINT64_MAX)}));
    ASSERT_GT((*log)->first()->value, 1U);
  }
  const auto listed = almanac({"list", "--limit", "0"});
  EXPECT_EQ(listed.code, 0) << listed.errors;
  EXPECT_EQ(lines_of(listed.output).size(), 1U + 60 + 1 + 1 + 1);
  const auto shown = almanac({"show", "1"});
  EXPECT_EQ(shown.code, 3);
  EXPECT_NE(shown.errors.find("the part of the log with the request of task 1 was removed"),
            std::string::npos)
      << shown.errors;
  EXPECT_EQ(almanac({"show", "61"}).code, 0);
}

}  // namespace
}  // namespace almanac::test
