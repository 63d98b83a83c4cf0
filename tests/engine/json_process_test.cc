// Processes that answer lines of JSON, and all the ways in which they do not.
#include <almanac/engine/json_process.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/command_result.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/pool_watch.h>
#include <almanac/tests/support/process_watch.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

// Of so many bytes, as JSON.
std::string text_of(std::size_t bytes) {
  std::string text(bytes, 'x');
  text.front() = text.back() = '"';
  return text;
}

// Answers each request with itself.
const std::vector<std::string> echo = {"sed", "-u", "s/\"request\"/\"answer\"/"};

std::vector<std::string> shell(const std::string& script) { return {"/bin/sh", "-c", script}; }

std::size_t open_descriptors() {
  namespace fs = std::filesystem;
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

struct JsonProcessTest : ::testing::Test {
  void SetUp() override {
    auto started = Guard::start();
    ASSERT_TRUE(started);
    guard.emplace(std::move(*started));
  }
  std::unique_ptr<JsonProcess> start(JsonProcessSpec spec) {
    auto process = JsonProcess::start(spec, *guard);
    EXPECT_TRUE(process) << describe(process.error());
    return process ? std::move(*process) : nullptr;
  }
  // The first request is the end of it; answers why.
  std::string end_of(JsonProcessSpec spec, Duration timeout = 30s) {
    const auto process = start(std::move(spec));
    const auto answer = process->ask("1", timeout);
    EXPECT_FALSE(answer) << *answer;
    if (answer) return {};
    EXPECT_EQ(answer.error().code, ErrorCode::io);
    EXPECT_TRUE(process->has_ended());
    EXPECT_EQ(process->ask("1", 30s).error().message, answer.error().message) << "for good";
    EXPECT_EQ(::kill(process->process(), 0), -1) << "it is still there";
    return answer.error().message;
  }

  std::optional<Guard> guard;
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_F(JsonProcessTest, AnswersOneRequestAfterTheOther) {
  const auto process = start({.command = {.arguments = echo}});
  EXPECT_EQ(process->ask("1", 30s), "1");
  EXPECT_EQ(process->ask(" {\"a\" :\n [1, \"\\n\"]} ", 30s), R"({"a":[1,"\n"]})");
  EXPECT_EQ(process->ask("null", 30s), "null");
  const std::string large = text_of(500'000);
  EXPECT_EQ(process->ask(large, 30s), large) << "more than the streams hold";
}

TEST_F(JsonProcessTest, WhatIsNoJsonIsNotAsked) {
  const auto process = start({.command = {.arguments = echo}});
  for (const std::string_view request : {"", "{", "1 2", "\"\xff\""}) {
    const auto answer = process->ask(request, 30s);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::invalid);
  }
  EXPECT_FALSE(process->has_ended());
  EXPECT_EQ(process->ask("1", 30s), "1");
}

TEST_F(JsonProcessTest, AnAnsweredErrorIsAnAnswer) {
  const auto process = start(
      {.command = {.arguments = {"sed", "-u", "s/\"request\":.*/\"error\":\"no such atom\"}/"}}});
  for (int i = 0; i < 2; ++i) {
    const auto answer = process->ask("1", 30s);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::refused);
    EXPECT_EQ(answer.error().message, "no such atom");
  }
}

TEST_F(JsonProcessTest, GarbageIsTheEndOfIt) {
  for (const std::string_view answer :
       {"nonsense", "[]", "{}", R"({"id":1})", R"({"answer":1})", R"({"id":2,"answer":1})",
        R"({"id":"1","answer":1})", R"({"id":1,"answer":1,"error":"both"})",
        R"({"id":1,"error":7})", R"({"id":1,"answer":"\xff"})"}) {
    const auto why = end_of({.command = {.arguments = shell("read l; printf '%s\\n' '" +
                                                            std::string(answer) + "'; read l")}});
    EXPECT_TRUE(has(why, "it did not answer request 1 but said '")) << answer << ": " << why;
  }
}

TEST_F(JsonProcessTest, ASecondLineIsTheEndOfIt) {
  EXPECT_TRUE(
      has(end_of({.command = {.arguments =
                                  shell(R"(read l; printf '{"id":1,"answer":1}\nmore'; read l)")}}),
          "it wrote more than one line"));
}

TEST_F(JsonProcessTest, AFloodIsTheEndOfIt) {
  EXPECT_TRUE(has(end_of({.command = {.arguments = shell("read l; exec tr '\\0' x < /dev/zero")},
                          .line_bytes_max = 100'000}),
                  "it wrote more than one line of 100000 bytes"));
}

TEST_F(JsonProcessTest, SpeakingUnaskedIsTheEndOfIt) {
  const auto process = start({.command = {.arguments = shell("echo hello; sleep 1000")}});
  const auto until = std::chrono::steady_clock::now() + 30s;
  Result<void> probe;
  while (probe && std::chrono::steady_clock::now() < until) probe = process->probe();
  ASSERT_FALSE(probe);
  EXPECT_TRUE(has(probe.error().message, "it spoke unasked: 'hello?'")) << probe.error().message;
}

TEST_F(JsonProcessTest, AHangIsTheEndOfIt) {
  EXPECT_TRUE(has(end_of({.command = {.arguments = {"sleep", "1000"}}}, 30ms),
                  "sleep: it has not answered in time"));
  // Nor can it hang by not reading.
  const auto process = start({.command = {.arguments = {"sleep", "1000"}}});
  EXPECT_FALSE(process->ask(text_of(4'000'000), 30ms));
}

TEST_F(JsonProcessTest, ADeathIsToldWithItsLastWords) {
  const auto why =
      end_of({.command = {.arguments = shell("read l; echo BorrowMutError >&2; exit 3")}});
  EXPECT_TRUE(has(why, "exit code 3; its last words: 'BorrowMutError'")) << why;
  EXPECT_TRUE(has(end_of({.command = {.arguments = shell("kill -SEGV $$")}}), "SIGSEGV"));
  EXPECT_TRUE(has(end_of({.command = {.arguments = shell("exec >&-; sleep 1000")}}),
                  "it has closed its output"));
}

TEST_F(JsonProcessTest, EvidenceIsTheLastOfWhatItWroteToStandardError) {
  const auto process =
      start({.command = {.arguments = shell("head -c 1000000 /dev/zero | tr '\\0' x >&2;"
                                            "echo the end >&2; exec sed -u s/request/answer/")},
             .evidence_bytes_max = 1'000});
  EXPECT_EQ(process->ask("1", 30s), "1") << "what it writes there does not stop it";
  std::string last(1'000, 'x');
  last.replace(992, 8, "the end\n");
  EXPECT_EQ(process->evidence(), last);
}

TEST_F(JsonProcessTest, AllThatItHasStartedGoesWithIt) {
  TempFolder folder;
  NamedPipe news(folder / "news");
  auto process =
      start({.command = {.arguments = shell("sleep 1000 & echo $! > " + news.path() + "; wait")},
             .stop_grace = 10ms});
  ProcessWatch child(std::stoi(news.read_line()));
  process.reset();
  EXPECT_TRUE(child.ends());
}

TEST_F(JsonProcessTest, OneThatIsNoLongerNeededMayEndByItself) {
  TempFolder folder;
  NamedPipe news(folder / "news");
  auto process =
      start({.command = {.arguments = shell("cat; echo bye > " + news.path())}, .stop_grace = 30s});
  process.reset();
  EXPECT_EQ(news.read_line(), "bye");
}

TEST_F(JsonProcessTest, TheGuardKnowsIt) {
  const auto process = start({.command = {.arguments = echo}});
  EXPECT_EQ(process->ask("1", 30s), "1");
  guard.reset();
  const auto answer = process->ask("1", 30s);
  ASSERT_FALSE(answer);
  EXPECT_TRUE(has(answer.error().message, "SIGKILL")) << answer.error().message;
}

TEST_F(JsonProcessTest, NoDescriptorIsLeftBehind) {
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 20; ++i) {
    (void)end_of({.command = {.arguments = shell("read l; echo no; read l")}});
    EXPECT_FALSE(JsonProcess::start({.command = {.arguments = {"/no/such/program"}}}, *guard));
    EXPECT_EQ(start({.command = {.arguments = echo}})->ask("1", 30s), "1");
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(JsonProcesses, SpecsThatMakeNoSenseAreRefused) {
  EXPECT_EQ(json_processes({}).error().code, ErrorCode::invalid);
  EXPECT_EQ(json_processes({.command = {.arguments = echo}, .probe = "{"}).error().code,
            ErrorCode::invalid);
}

TEST(JsonProcesses, OneThatEndsLeavesThePoolAndAFreshOneComes) {
  PoolWatch watch;
  auto processes = json_processes({.command = {.arguments = shell(R"(
      for i in 1 2; do read -r line; echo "$line" | sed 's/"request"/"answer"/'; done
      sleep 1000)")}});
  ASSERT_TRUE(processes);
  auto pool = Pool<JsonProcess>::open({.size = 1, .backoff = 1ms, .on_event = watch.observer()},
                                      std::move(*processes));
  ASSERT_TRUE(pool);
  EXPECT_EQ(ask(*pool, "1", 30s), "1");
  EXPECT_EQ(ask(*pool, "2", 30s), "2");
  const auto hangs = ask(*pool, "3", 50ms);
  ASSERT_FALSE(hangs);
  EXPECT_TRUE(has(hangs.error().message, "it has not answered in time"));
  EXPECT_EQ(ask(*pool, "4", 30s), "4");
  EXPECT_EQ(pool->check_out()->number(), 2U);
  ASSERT_TRUE(watch.sees(PoolEvent::Kind::created, 2));
  EXPECT_EQ(watch.retirements(), std::vector{PoolRetirement::discarded});
}

TEST(JsonProcesses, ErrorsThatAreAnsweredAreForTheRules) {
  auto processes = json_processes(
      {.command = {.arguments = {"sed", "-u", "s/\"request\":\\(.*\\)/\"error\":\\1/"}}});
  ASSERT_TRUE(processes);
  auto pool = Pool<JsonProcess>::open(
      {.size = 1, .error_rules = {{"BorrowMutError"}}, .backoff = 1ms}, std::move(*processes));
  ASSERT_TRUE(pool);
  EXPECT_EQ(ask(*pool, R"("no such atom")", 30s).error().message, "no such atom");
  EXPECT_EQ(pool->check_out()->number(), 1U);
  EXPECT_EQ(ask(*pool, R"("a BorrowMutError")", 30s).error().message, "a BorrowMutError");
  EXPECT_EQ(pool->check_out()->number(), 2U);
}

TEST(JsonProcesses, TheOneInAnotherLanguageAnswers) {
  const CommandResult result = run_command(
      {program_path("example_reasoners").string(), source_path("examples/reasoner.js").string()});
  EXPECT_EQ(result.output, "[\"alice\",\"bob\",\"carol\",\"erin\"]\n");
}

}  // namespace
}  // namespace almanac::test
