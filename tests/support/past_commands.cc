#include <almanac/tests/support/past_commands.h>

#include <almanac/tests/support/file_bytes.h>

#include <almanac/tools/text.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

namespace almanac::test {
namespace {

AttemptEnd broken_end() {
  return {.status = AttemptStatus::exited, .code = 3, .message = "exit code 3"};
}

}  // namespace

std::vector<Event> told_events() {
  static const std::vector<TaskId> first = {TaskId(1)};
  static const std::vector<TaskId> second = {TaskId(2)};
  const auto task = [](std::uint64_t id, std::string_view label) {
    return TaskEnqueued{
        .id = TaskId(id), .kind = "work", .queue = "web", .label = label, .attempts_max = 2};
  };
  auto sum = task(2, "sum");
  sum.dependencies = first;
  auto report = task(3, "report");
  report.dependencies = second;
  const std::vector<EventBody> bodies = {
      EngineStarted{.version = "0.1.0", .process_id = 7, .slots = 2, .seed = 1},
      QueueConfigured{.queue = "web", .slots = 1},
      task(1, "fetch"),
      sum,
      report,
      task(4, "other"),
      TaskStarted{.id = TaskId(1), .attempt = 1},
      TaskSucceeded{.id = TaskId(1), .lease = Lease(7)},
      TaskStarted{.id = TaskId(2), .attempt = 1},
      TaskAttemptFailed{
          .id = TaskId(2), .lease = Lease(9), .retry_at = sample_time(11), .end = broken_end()},
      TaskStarted{.id = TaskId(4), .attempt = 1},
      TaskReadied{.id = TaskId(2)},
      TaskSucceeded{.id = TaskId(4), .lease = Lease(11)},
      TaskStarted{.id = TaskId(2), .attempt = 2},
      TaskFailed{.id = TaskId(2), .lease = Lease(14), .end = broken_end()},
      EngineStopped{}};
  std::vector<Event> events;
  for (const EventBody& body : bodies) {
    events.push_back({.at = sample_time(static_cast<int>(events.size())), .body = body});
  }
  return events;
}

Invocation PastCommands::invocation(Words words) const {
  return {.arguments = std::move(words),
          .folder = folder_.path(),
          .input = {},
          .environment = {{"ALMANAC_DIR", "log"}}};
}

std::string PastCommands::output(Words words) const {
  auto done = run(std::move(words));
  EXPECT_EQ(done.code, 0) << done.errors;
  EXPECT_EQ(done.errors, "");
  for (const auto& line : lines_of(done.output)) {
    EXPECT_TRUE(line.starts_with('{') || columns(line) <= 80) << line;
  }
  return done.output;
}

nlohmann::json PastCommands::output_json(Words words) const {
  words.emplace_back("--json");
  return nlohmann::json::parse(output(words), nullptr, false);
}

std::string PastCommands::golden(const std::string& name) {
  return read_file(std::filesystem::path(std::getenv("ALMANAC_SOURCE_DIR")) / "tests/tools/golden" /
                   name);
}

}  // namespace almanac::test
