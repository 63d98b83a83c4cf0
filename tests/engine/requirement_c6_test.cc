// Requirement C6: logging for people and as JSON; what a thread does follows it across threads and
// callbacks; files rotate at 10 MB, 7 of them; errors have a file of their own; nobody who logs
// waits.
#include <almanac/engine/diagnostics.h>
#include <almanac/engine/log_context.h>
#include <almanac/log/file.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tools/units.h>

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <regex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

using nlohmann::json;

class RequirementC6 : public EngineTest {
 protected:
  void TearDown() override {
    EngineTest::TearDown();
    engine.reset();
    EXPECT_TRUE(set_log_file({}));
    set_verbosity(Verbosity::warnings);
  }
  void log_to_file(LogFormat format, LogLevel level = LogLevel::info) {
    set_verbosity(Verbosity::quiet);
    ASSERT_TRUE(set_log_file({.path = file(), .format = format, .level = level}));
  }
  [[nodiscard]] std::filesystem::path file() const { return folder / "build.log"; }
  [[nodiscard]] std::vector<std::string> lines() const {
    flush_log();
    std::istringstream text(read_file(file()));
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }
  [[nodiscard]] std::vector<json> objects() const {
    std::vector<json> objects;
    for (const std::string& line : lines()) objects.push_back(json::parse(line));
    return objects;
  }
};

TEST_F(RequirementC6, ALineForPeopleSaysWhenHowBadAndOfWhat) {
  log_to_file(LogFormat::human);
  note("it begins");
  const LogScope scope({.task = TaskId(7), .attempt = 2, .operation = "ask"});
  warn("it is slow", {{"took", 1.5}, {"service", "search"}, {"why", "two words"}});
  const std::string time = R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)";
  ASSERT_EQ(lines().size(), 2U);
  EXPECT_TRUE(std::regex_match(lines()[0], std::regex(time + " almanac info: it begins")));
  EXPECT_TRUE(std::regex_match(
      lines()[1],
      std::regex(time + R"( almanac warning: it is slow \(task 7, attempt 2, ask\) took=1\.5 )" +
                 R"(service=search why="two words")")))
      << lines()[1];
}

TEST_F(RequirementC6, ALineOfJsonIsOneObject) {
  ::setenv("TZ", "JST-9", 1);  // which is nothing to it
  ::tzset();
  log_to_file(LogFormat::json);
  const auto before = format_time(system_time());
  const LogScope scope({.task = TaskId(7), .attempt = 2, .operation = "ask"});
  warn("it is \"slow\"", {{"took", 1.5}, {"tries", std::int64_t{3}}, {"again", true}});
  const auto all = objects();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0]["level"], "warning");
  EXPECT_EQ(all[0]["message"], "it is \"slow\"");
  EXPECT_EQ(all[0]["task"], 7);
  EXPECT_EQ(all[0]["attempt"], 2);
  EXPECT_EQ(all[0]["operation"], "ask");
  EXPECT_EQ(all[0]["fields"], json({{"took", 1.5}, {"tries", 3}, {"again", true}}));
  EXPECT_GE(all[0]["time"], before) << "in UTC";
  EXPECT_LE(all[0]["time"], format_time(system_time()));
  ::unsetenv("TZ");
  ::tzset();
}

TEST_F(RequirementC6, WhatStandsInATextCannotForgeALine) {
  const std::string evil = "done\n2026-01-01T00:00:00Z almanac error: forged\x1b[2J\u202e\xff";
  for (const LogFormat format : {LogFormat::human, LogFormat::json}) {
    log_to_file(format);
    const LogScope scope(evil, {{evil, evil}});
    note(evil, {{evil, std::string_view(evil)}});
    ASSERT_EQ(lines().size(), 1U);
    const std::string line = lines()[0];
    for (const char c : line) EXPECT_GE(static_cast<unsigned char>(c), ' ');
    EXPECT_EQ(line.find("\u202e"), std::string::npos);
    if (format == LogFormat::json) {
      EXPECT_TRUE(objects()[0]["operation"].get<std::string>().starts_with("done\n"));
    }
    std::filesystem::remove(file());
  }
}

TEST_F(RequirementC6, ATextIsCutThatIsTooLong) {
  log_to_file(LogFormat::json);
  note(std::string(1'000'000, 'a'));
  EXPECT_EQ(objects()[0]["message"].get<std::string>().size(), limits::log_text_bytes_max);
}

TEST_F(RequirementC6, WhatAThreadDoesFollowsItAcrossThreadsAndCallbacks) {
  log_to_file(LogFormat::json);
  open({});
  std::function<void()> kept;
  engine->handle("ask", [&](const Attempt&) {
    note("on the thread of the handler");
    const LogScope inner("search", {{"index", "books"}});
    std::thread(in_log_context([] { note("on another thread"); })).join();
    kept = in_log_context([] { note("later, in a callback"); });
    return Outcome::success();
  });
  const TaskId id = submit({.kind = "ask"});
  wait_for(id, TaskState::succeeded);
  close();
  kept();
  EXPECT_EQ(log_context(), LogContext()) << "what was taken up is put down";
  std::vector<std::pair<std::string, std::string>> seen;
  for (const json& line : objects()) {
    if (!line.contains("task")) continue;
    EXPECT_EQ(line["task"], id.value);
    EXPECT_EQ(line["attempt"], 1);
    seen.emplace_back(line["message"], line["operation"]);
    if (line["operation"] == "search") {
      EXPECT_EQ(line["fields"], json({{"index", "books"}}));
    }
  }
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(seen, (Pairs{{"on the thread of the handler", "ask"},
                         {"on another thread", "search"},
                         {"later, in a callback", "search"}}));
}

TEST_F(RequirementC6, ItsFilesMoveOnAtTenMegabytesAndSevenAreKept) {
  log_to_file(LogFormat::human);
  const std::string text(8'000, 'a');
  for (int i = 0; i < 10'000; ++i) {  // 80 MB
    if (i % 1'000 == 0) flush_log();
    log_message(i % 100 == 0 ? LogLevel::error : LogLevel::info, text);
  }
  ASSERT_TRUE(set_log_file({}));
  EXPECT_EQ(log_lines_dropped(), 0U);
  std::vector<std::string> names = {"build.log"};
  for (int i = 1; i <= 6; ++i) names.push_back("build." + std::to_string(i) + ".log");
  for (const std::string& name : names) {
    EXPECT_LE(std::filesystem::file_size(folder / name), 10'000'000U) << name;
    EXPECT_TRUE(name == "build.log" || std::filesystem::file_size(folder / name) > 9'990'000U);
    EXPECT_EQ(std::filesystem::status(folder / name).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "build.7.log"));
}

TEST_F(RequirementC6, ErrorsHaveAFileOfTheirOwn) {
  log_to_file(LogFormat::human);
  note("a note");
  warn("a warning");
  log_message(LogLevel::error, "an error");
  flush_log();
  EXPECT_EQ(lines().size(), 3U);
  const std::string errors = read_file(folder / "build.errors.log");
  EXPECT_TRUE(errors.ends_with(" almanac error: an error\n")) << errors;
  EXPECT_EQ(std::ranges::count(errors, '\n'), 1);
}

TEST_F(RequirementC6, AFileThatCannotBeOpenedIsAnErrorThatSaysSo) {
  const auto set = set_log_file({.path = folder / "missing" / "build.log"});
  ASSERT_FALSE(set);
  EXPECT_NE(set.error().message.find("missing/build.log"), std::string::npos);
}

TEST_F(RequirementC6, AFullDiskIsToldOnceAndCounted) {
  log_to_file(LogFormat::human);
  std::filesystem::remove(file());
  std::filesystem::create_symlink("/dev/full", file());
  ASSERT_TRUE(set_log_file({.path = file(), .bytes_max = 1'000'000'000}));
  const auto before = log_lines_dropped();
  set_verbosity(Verbosity::warnings);
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 10; ++i) note("a line");
  flush_log();
  flush_log();  // and what that has said
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(log_lines_dropped() - before, 10U);
  EXPECT_NE(said.find("error: the log file cannot be written"), std::string::npos) << said;
  EXPECT_EQ(std::ranges::count(said, '\n'), 1) << said;
}

// In place of standard error.
class StuckTerminal {
 public:
  StuckTerminal() : before_(::dup(STDERR_FILENO)) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    out_ = FileDescriptor(ends[0]);
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[1]);
  }
  // All that is written until flush_log() has returned.
  std::string read_all() {
    std::thread closing([this] {
      flush_log();
      ::dup2(before_.get(), STDERR_FILENO);
    });
    std::string text;
    std::array<char, 65'536> buffer;
    for (ssize_t size = 0; (size = ::read(out_.get(), buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<std::size_t>(size));
    }
    closing.join();
    return text;
  }

 private:
  FileDescriptor before_;
  FileDescriptor out_;
};

TEST_F(RequirementC6, NobodyWaitsForATerminalThatIsStuckAndWhatIsMissingIsCounted) {
  constexpr std::uint64_t count = 20'000;
  const auto before = log_lines_dropped();
  warn("the thread that writes is there");
  flush_log();
  StuckTerminal terminal;
  for (std::uint64_t i = 0; i < count; ++i) warn(std::string(100, 'a'));
  const auto dropped = log_lines_dropped() - before;
  EXPECT_GE(dropped, count - 2 * limits::log_lines_waiting_max) << "it is bounded";
  const std::string text = terminal.read_all();
  const std::string told = "lines are missing here lines=" + std::to_string(dropped) + "\n";
  EXPECT_TRUE(text.ends_with(told)) << text.substr(text.size() - 200);
  EXPECT_EQ(static_cast<std::uint64_t>(std::ranges::count(text, '\n')), count - dropped + 1);
}

TEST_F(RequirementC6, NothingOfATaskIsInItAndNoSecret) {
  log_to_file(LogFormat::json, LogLevel::debug);
  open({});
  engine->handle("ask", [&](const Attempt&) -> Outcome { throw std::runtime_error("canary-1"); });
  const TaskId asked = submit({.kind = "ask", .payload = "canary-2"});
  const TaskId ran = submit_command({.arguments = {"sh", "-c", "echo canary-3 $SECRET"},
                                     .environment = {{"SECRET", "canary-4"}}});
  wait_for(asked, TaskState::failed);
  wait_for(ran, TaskState::succeeded);
  close();
  EXPECT_GE(lines().size(), 2U);
  for (const std::string& line : lines()) {
    EXPECT_EQ(line.find("canary"), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace almanac::test
