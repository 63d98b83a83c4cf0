// Commands as an engine runs them: what becomes of them, what they see, and that nothing of them
// is left.
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/process_watch.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <set>

namespace almanac::test {
namespace {

class Commands : public EngineTest {};

// --- How they end -------------------------------------------------------------------------------

TEST_F(Commands, SucceedWithExitCodeZero) {
  open();
  TaskId id = submit_command({.arguments = {"/bin/true"}});
  EXPECT_EQ(wait_until_ended(id).state, TaskState::succeeded);
  EXPECT_EQ(outcome(id).status, AttemptStatus::succeeded);
  EXPECT_EQ(history(id), "TaskEnqueued TaskStarted TaskSucceeded");
}

TEST_F(Commands, FailWithAnyOtherExitCode) {
  open();
  auto end = outcome_at_end(submit_shell("exit 7"));
  EXPECT_EQ(end.status, AttemptStatus::exited);
  EXPECT_EQ(end.code, 7);
  EXPECT_EQ(end.message, "exit code 7");
}

TEST_F(Commands, FailWhenASignalEndsThem) {
  open();
  auto end = outcome_at_end(submit_shell("kill -KILL $$"));
  EXPECT_EQ(end.status, AttemptStatus::signaled);
  EXPECT_EQ(end.code, SIGKILL);
  EXPECT_EQ(end.message, "crash 3 of 3: ended by SIGKILL");
}

TEST_F(Commands, AreTriedAgainAndToldWhichAttemptItIs) {
  open();
  TaskId id = submit_shell("test $ALMANAC_ATTEMPT = 3",
                           {.attempts_max = 5, .backoff = {Duration(1), Duration(1)}});
  EXPECT_EQ(wait_until_ended(id).state, TaskState::succeeded);
  EXPECT_EQ(task(id).attempts, 3U);
}

TEST_F(Commands, ThatCannotBeStartedSayWhy) {
  open();
  std::ofstream(folder / "plain file") << "no program";
  ::chmod((folder / "plain file").c_str(), 0600);
  struct Case {
    CommandSpec command;
    std::string_view says;
  };
  for (const Case& one : std::vector<Case>{
           {{.arguments = {"no-such-program"}}, "cannot run no-such-program: No such file"},
           {{.arguments = {"/no/such/program"}}, "cannot run /no/such/program: No such file"},
           {{.arguments = {folder / "plain file"}}, "Permission denied"},
           {{.arguments = {"/bin"}}, "Permission denied"},
           {{.arguments = {"/bin/true"}, .working_folder = "/no/such"}, "cannot enter /no/such"}}) {
    TaskId id = submit_command(one.command);
    auto end = outcome_at_end(id);
    EXPECT_EQ(end.status, AttemptStatus::not_started);
    EXPECT_NE(end.message.find(one.says), std::string::npos) << end.message;
  }
}

TEST_F(Commands, WithAPayloadThatIsNoneAreNotStarted) {
  open();
  auto end = outcome_at_end(submit({.kind = "command", .payload = "rm -rf /"}));
  EXPECT_EQ(end.status, AttemptStatus::not_started);
  EXPECT_NE(end.message.find("the payload is not a command"), std::string::npos) << end.message;
}

TEST_F(Commands, AllEndWhenThereAreMany) {
  open({.slots = 8});
  std::vector<TaskSpec> specs;
  for (int i = 0; i < 300; ++i) {
    auto payload = encode({.arguments = {i % 3 == 0 ? "/bin/false" : "/bin/true"}});
    specs.push_back({.kind = "command", .payload = *payload});
  }
  ASSERT_TRUE(engine->submit(std::move(specs)).has_value());
  wait_until_all_ended();
  EXPECT_EQ(engine->state()->tasks.count(TaskState::failed), 100U);
  EXPECT_EQ(engine->state()->tasks.count(TaskState::succeeded), 200U);
}

// --- What they say ------------------------------------------------------------------------------

TEST_F(Commands, LeaveWhatTheyWriteInTheLog) {
  open();
  auto end = outcome_at_end(submit_shell("echo one; echo two >&2; printf three"));
  EXPECT_EQ(end.output, "one\ntwo\nthree");
  EXPECT_EQ(end.output_dropped, 0U);
}

TEST_F(Commands, LeaveTheirOutputWhenTheyFail) {
  open();
  EXPECT_EQ(outcome_at_end(submit_shell("echo why; exit 1")).output, "why\n");
  EXPECT_EQ(outcome_at_end(submit_shell("echo why; kill -9 $$")).output, "why\n");
}

TEST_F(Commands, HaveTheirOutputCutAtTheLimitAndTheRestCounted) {
  open({.output_bytes_max = 10});
  auto end = outcome_at_end(submit_shell("printf 0123456789abc"));
  EXPECT_EQ(end.output, "0123456789");
  EXPECT_EQ(end.output_dropped, 3U);
  end = outcome_at_end(submit_shell("printf 0123456789"));
  EXPECT_EQ(end.output_dropped, 0U);
}

// More than a pipe holds, and bytes of every value.
TEST_F(Commands, MayWriteMoreThanIsKept) {
  open({.output_bytes_max = 1000});
  auto end = outcome_at_end(submit_shell("head -c 3000000 /dev/urandom"));
  EXPECT_EQ(end.status, AttemptStatus::succeeded);
  EXPECT_EQ(end.output.size(), 1000U);
  EXPECT_EQ(end.output_dropped, 2'999'000U);
}

TEST_F(Commands, MayCloseTheirOutputAndGoOn) {
  open();
  NamedPipe news(folder / "news");
  TaskId id = submit_shell("exec >&- 2>&-; echo closed > " + news.path() + "; exit 3");
  EXPECT_EQ(news.read_line(), "closed");
  EXPECT_EQ(outcome_at_end(id).code, 3);
}

// --- What they see ------------------------------------------------------------------------------

TEST_F(Commands, GetTheirArgumentsAsTheyAreWithoutAShell) {
  open();
  auto end = outcome_at_end(
      submit_command({.arguments = {"printf", "<%s>", "a b", "$HOME", "*", "", "'\"\\", "ü"}}));
  EXPECT_EQ(end.output, "<a b><$HOME><*><><'\"\\><ü>");
}

TEST_F(Commands, RunInTheFolderTheyAskFor) {
  open();
  auto end =
      outcome_at_end(submit_command({.arguments = {"/bin/pwd"}, .working_folder = folder.path()}));
  EXPECT_EQ(end.output, std::filesystem::canonical(folder.path()).string() + "\n");
  EXPECT_EQ(outcome_at_end(submit_command({.arguments = {"/bin/pwd"}})).output,
            std::filesystem::current_path().string() + "\n");
}

std::set<std::string> lines(const std::string& text) {
  std::set<std::string> found;
  for (std::size_t begin = 0; begin < text.size();) {
    auto end = std::min(text.find('\n', begin), text.size());
    found.insert(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return found;
}

TEST_F(Commands, SeeTheVariablesOnTheListTheirOwnAndNoOthers) {
  ::setenv("ALMANAC_TEST_ALLOWED", "yes", 1);
  ::setenv("ALMANAC_TEST_REPLACED", "old", 1);
  ::setenv("ALMANAC_TEST_SECRET", "secret", 1);
  open({.environment_allow = {"ALMANAC_TEST_ALLOWED", "ALMANAC_TEST_REPLACED", "NOT_SET"}});
  TaskId id = submit_command(
      {.arguments = {"/usr/bin/env"},
       .environment = {
           {"ALMANAC_TEST_REPLACED", "new"}, {"OWN", "a=b c"}, {"ALMANAC_TASK", "forged"}}});
  auto seen = lines(outcome_at_end(id).output);
  const Lease lease(id.value + 2);  // EngineStarted, TaskEnqueued
  const auto token = "ALMANAC_TOKEN=" + to_text({engine->log().timeline(), lease});
  EXPECT_EQ(seen,
            (std::set<std::string>{"ALMANAC_TEST_ALLOWED=yes", "ALMANAC_TEST_REPLACED=new",
                                   "OWN=a=b c", "ALMANAC_TASK=1", "ALMANAC_ATTEMPT=1", token}));
}

TEST_F(Commands, SeeThePathByDefaultAndNoOtherVariableOfOurs) {
  ::setenv("ALMANAC_TEST_SECRET", "secret", 1);
  open();
  auto output = outcome_at_end(submit_command({.arguments = {"env"}})).output;
  EXPECT_NE(output.find("PATH="), std::string::npos);
  EXPECT_EQ(output.find("SECRET"), std::string::npos);
}

TEST_F(Commands, HaveNoDescriptorsButTheStandardOnes) {
  FileDescriptor open_to_children(::open("/dev/null", O_RDONLY));
  open();
  // 3 is the folder that ls itself reads.
  EXPECT_EQ(outcome_at_end(submit_command({.arguments = {"ls", "/proc/self/fd"}})).output,
            "0\n1\n2\n3\n");
}

TEST_F(Commands, ReadNothingFromStandardInput) {
  open();
  EXPECT_EQ(outcome_at_end(submit_command({.arguments = {"readlink", "/proc/self/fd/0"}})).output,
            "/dev/null\n");
}

TEST_F(Commands, HaveTheDefaultSignalsWhateverTheEngineDoes) {
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGHUP, SIG_IGN);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  open();
  ::pthread_sigmask(SIG_UNBLOCK, &blocked, nullptr);
  auto end = outcome_at_end(
      submit_command({.arguments = {"grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"}}));
  EXPECT_EQ(end.output, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  EXPECT_EQ(outcome_at_end(submit_shell("kill -PIPE $$")).code, SIGPIPE);
  ::signal(SIGHUP, SIG_DFL);
}

// --- How they are stopped -----------------------------------------------------------------------

class StoppedCommands : public EngineTest {
 protected:
  void SetUp() override {
    open_on_manual_clock({.kill_grace = std::chrono::seconds(5)});
    news.emplace(folder / "news");
  }
  // Runs a script that begins with a word on the news.
  TaskId run(const std::string& script, TaskSpec spec = {}) {
    TaskId id =
        submit_shell("say() { echo \"$1\" > " + news->path() + "; }\n" + script, std::move(spec));
    EXPECT_EQ(news->read_line(), "begun");
    return id;
  }
  std::optional<NamedPipe> news;
};

// Shells run a trap only between commands, so they wait for a background one.
const std::string ignores_term =
    "trap 'say term' TERM; say begun; while :; do sleep 1000 & wait; done";
const std::string obeys_term =
    "trap 'say term; echo bye; exit 0' TERM; say begun; sleep 1000 & wait";

TEST_F(StoppedCommands, GetSigtermAtTheirDeadlineAndSigkillAfterTheGrace) {
  TaskId id = run(ignores_term, {.timeout = std::chrono::minutes(1)});
  advance(std::chrono::minutes(1) - Duration(1));
  EXPECT_EQ(task(id).state, TaskState::running);
  advance(Duration(1));
  EXPECT_EQ(news->read_line(), "term");
  advance(std::chrono::seconds(5) - Duration(1));
  EXPECT_EQ(task(id).state, TaskState::running);
  advance(Duration(1));
  auto end = outcome_at_end(id);
  EXPECT_EQ(task(id).state, TaskState::failed);
  EXPECT_EQ(end.status, AttemptStatus::timed_out);
  EXPECT_EQ(end.code, SIGKILL);
}

TEST_F(StoppedCommands, AreTimedOutEvenWhenTheyThenExitWithZero) {
  TaskId id = run(obeys_term, {.timeout = std::chrono::minutes(1)});
  advance(std::chrono::minutes(1));
  auto end = outcome_at_end(id);
  EXPECT_EQ(task(id).state, TaskState::failed);
  EXPECT_EQ(end.status, AttemptStatus::timed_out);
  EXPECT_EQ(end.message, "did not end before its deadline");
  EXPECT_EQ(end.output, "bye\n");
}

TEST_F(StoppedCommands, AreTriedAgainAfterATimeout) {
  TaskId id = run(obeys_term, {.attempts_max = 2,
                               .backoff = {std::chrono::seconds(8), std::chrono::seconds(8)},
                               .timeout = std::chrono::minutes(1)});
  advance(std::chrono::minutes(1));
  EXPECT_EQ(wait_for(id, TaskState::delayed).last_status, AttemptStatus::timed_out);
  EXPECT_EQ(news->read_line(), "term");
  advance(std::chrono::seconds(8));
  EXPECT_EQ(news->read_line(), "begun");
  EXPECT_EQ(task(id).attempts, 2U);
}

TEST_F(StoppedCommands, GetSigtermWhenCancelledAndTimeToEnd) {
  TaskId id = run(obeys_term);
  auto cancelled = engine->cancel(id);
  ASSERT_TRUE(cancelled.has_value());
  EXPECT_EQ(*cancelled, CancelOutcome::stopping);
  EXPECT_EQ(news->read_line(), "term");
  auto end = outcome_at_end(id);
  EXPECT_EQ(task(id).state, TaskState::cancelled);
  EXPECT_EQ(end.output, "bye\n");
  EXPECT_EQ(history(id), "TaskEnqueued TaskStarted TaskCancelRequested TaskCancelled");
}

TEST_F(StoppedCommands, GetSigkillWhenCancelledAndStillThereAfterTheGrace) {
  TaskId id = run(ignores_term);
  ASSERT_TRUE(engine->cancel(id).has_value());
  EXPECT_EQ(news->read_line(), "term");
  EXPECT_EQ(task(id).state, TaskState::cancelling);
  advance(std::chrono::seconds(5));
  EXPECT_EQ(outcome_at_end(id).code, SIGKILL);
  EXPECT_EQ(task(id).state, TaskState::cancelled);
}

TEST_F(StoppedCommands, NeverRunWhenCancelledBefore) {
  TaskId first = run(obeys_term);
  TaskId second = submit_shell("echo ran > " + news->path(), {.dependencies = {first}});
  ASSERT_TRUE(engine->cancel(second).has_value());
  ASSERT_TRUE(engine->cancel(first).has_value());
  wait_until_all_ended();
  EXPECT_EQ(history(second), "TaskEnqueued TaskCancelled");
}

TEST_F(StoppedCommands, TakeTheirWholeGroupWithThem) {
  TaskId id = run("say begun; sleep 1000 & say $!; trap '' TERM; sleep 1000 & say $!; wait");
  ProcessWatch first(std::stoi(news->read_line()));
  ProcessWatch second(std::stoi(news->read_line()));
  EXPECT_TRUE(first.is_alive() && second.is_alive());
  ASSERT_TRUE(engine->cancel(id).has_value());
  EXPECT_TRUE(first.ends());
  EXPECT_TRUE(second.is_alive());
  advance(std::chrono::seconds(5));
  EXPECT_TRUE(second.ends());
  EXPECT_EQ(wait_until_ended(id).state, TaskState::cancelled);
}

TEST_F(StoppedCommands, LeaveNothingBehindWhenTheyEndByThemselves) {
  TaskId id = run("say begun; sleep 1000 & say $!; exit 0");
  ProcessWatch left_behind(std::stoi(news->read_line()));
  EXPECT_EQ(wait_until_ended(id).state, TaskState::succeeded);
  EXPECT_TRUE(left_behind.ends());
}

// timeout(1) puts what it runs into a group of its own.
TEST_F(StoppedCommands, LeaveNothingBehindInOtherGroupsEither) {
  NamedPipe go(folder / "go");
  TaskId id = run("say begun; timeout 1000 sh -c 'echo $$ > " + news->path() + "; echo > " +
                  go.path() + "; sleep 1000; :' & read line < " + go.path());
  ProcessWatch elsewhere(std::stoi(news->read_line()));
  EXPECT_EQ(wait_until_ended(id).state, TaskState::succeeded);
  EXPECT_TRUE(elsewhere.is_alive());
  advance(limits::sweep_interval);
  EXPECT_TRUE(elsewhere.ends());
}

TEST_F(StoppedCommands, MayBeStoppedByThemselvesAndContinued) {
  TaskId id = run("say begun; kill -STOP $$; echo continued", {.timeout = std::chrono::minutes(1)});
  ASSERT_TRUE(engine->cancel(id).has_value());
  turn();  // answered first, carried out right after
  advance(std::chrono::seconds(5));
  EXPECT_EQ(wait_until_ended(id).state, TaskState::cancelled);
}

}  // namespace
}  // namespace almanac::test
