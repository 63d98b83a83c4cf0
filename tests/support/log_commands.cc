#include <almanac/tests/support/log_commands.h>

#include <almanac/tests/support/test_log.h>

#include <utility>

namespace almanac::test {

Time sample_time(int minutes) {
  auto day = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21);
  return day + std::chrono::hours(10) + std::chrono::minutes(minutes);
}

std::vector<std::vector<Event>> sample_frames() {
  static const AttemptEnd disk_full{.status = AttemptStatus::exited,
                                    .code = 1,
                                    .message = "disk full",
                                    .output = as_bytes("writing\nfailed: no space\n")};
  static const AttemptEnd again{.status = AttemptStatus::error, .message = "Disk FULL again"};
  auto custom = [](int minute, std::string_view stream, std::string_view type, Bytes data) {
    return Event{.at = sample_time(minute),
                 .stream = stream,
                 .body = CustomEvent{.type = type, .data = data}};
  };
  Event paid = custom(2, "orders/17", "invoice.paid", as_bytes("{\"cents\":1700}"));
  paid.idempotency_key = "k-3";
  Event sent = custom(3, "orders/17", "invoice.sent", {});
  sent.correlation = Position(3);
  Event configured{.at = sample_time(8), .body = QueueConfigured{"slow", 2}};
  configured.correlation = Position(3);
  configured.causation = Position(4);
  return {
      {{.at = sample_time(0),
        .body = TaskEnqueued{.id = TaskId(1),
                             .kind = "command",
                             .queue = "default",
                             .label = "fetch page",
                             .payload = as_bytes("{\"argv\":[\"curl\"]}")}},
       {.at = sample_time(1), .body = TaskStarted{TaskId(1), 1, sample_time(60)}}},
      {paid, sent, custom(4, "orders/18", "scan", as_bytes(std::string_view("\x00\xff\x01", 3)))},
      {{.at = sample_time(5),
        .body = TaskAttemptFailed{TaskId(1), Lease(2), sample_time(6), disk_full}}},
      {{.at = sample_time(6), .body = TaskFailed{TaskId(1), Lease(2), again}},
       {.at = sample_time(7), .body = TaskReadied{TaskId(2)}},
       configured,
       {.at = sample_time(9), .body = EngineStopped{}}}};
}

void write_frames(const std::filesystem::path& folder,
                  const std::vector<std::vector<Event>>& frames) {
  TestLog log(folder);
  for (const auto& events : frames) EXPECT_TRUE(log.append(events));
}

CommandOutput LogCommands::log(Words words, std::string input) const {
  words.insert(words.begin(), "log");
  return run_almanac({.arguments = std::move(words),
                      .folder = folder_.path(),
                      .input = std::move(input),
                      .environment = {{"ALMANAC_DIR", "log"}}});
}

std::string LogCommands::output(Words words, std::string input) const {
  auto done = log(std::move(words), std::move(input));
  EXPECT_EQ(done.code, 0) << done.errors;
  EXPECT_EQ(done.errors, "");
  return done.output;
}

std::vector<int> LogCommands::positions(Words words) const {
  words.emplace_back("--json");
  std::vector<int> found;
  for (const auto& line : lines_of(output(std::move(words)))) {
    found.push_back(nlohmann::json::parse(line).at("position").get<int>());
  }
  return found;
}

}  // namespace almanac::test
