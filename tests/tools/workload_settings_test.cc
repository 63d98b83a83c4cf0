// What a workload says of queues and schedules, and that a run sets them.
#include <almanac/tools/workload.h>

#include <almanac/engine/command_spec.h>
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using Words = std::vector<std::string>;

constexpr std::string_view settings_toml = R"(
[schedules.report]
recurrence = "*/15 9-17 * * MON-FRI Europe/Paris"
command = ["./report", "--all"]
queue = "mail"
priority = 3
missed = "all"
window = "6h"
overlap = "queue"

[schedules.tidy]
recurrence = "every day"
shell = "rm -f *.tmp"

[queues.mail]
slots = 8
policy = "urgency"
ageing = "30m"
window = "12h"
short_work = "1m"
weights = { overdue = 100, short = -5 }
retain_succeeded = "1h"
retain_failed = "forever"
retain_cancelled = "0s"

[defaults]
timeout = "10m"
deadline = "2026-12-01T00:00:00Z"
env = { LANG = "C" }
)";

constexpr std::string_view settings_json =
    R"({"workload":{"schedules":{"report":{"recurrence":"*/15 9-17 * * MON-FRI Europe/Paris",)"
    R"("command":["./report","--all"],"queue":"mail","priority":3,"missed":"all","window":"6h",)"
    R"("overlap":"queue"},"tidy":{"recurrence":"every day","shell":"rm -f *.tmp"}},)"
    R"("queues":{"mail":{"slots":8,"policy":"urgency","ageing":"30m","window":"12h",)"
    R"("short_work":"1m","weights":{"overdue":100,"short":-5},"retain_succeeded":"1h",)"
    R"("retain_failed":"forever","retain_cancelled":"0s"}},)"
    R"("defaults":{"timeout":"10m","deadline":"2026-12-01T00:00:00Z","env":{"LANG":"C"}}}})"
    "\n";

class WorkloadSettings : public testing::Test {
 protected:
  std::string file(std::string_view name, std::string_view text) {
    write_file(folder_ / name, text);
    return folder_ / name;
  }
  CommandOutput run(Words words) {
    return run_almanac({.arguments = std::move(words),
                        .folder = folder_.path(),
                        .environment = {{"ALMANAC_DIR", "log"}}});
  }
  // Why a workload in TOML is not taken; the line is that of the file.
  std::string refused(std::string_view text) {
    const auto workload = load_workload(file("bad.toml", text), Time(1h));
    EXPECT_FALSE(workload);
    return workload ? "" : describe(workload.error());
  }

  TempFolder folder_;
};

TEST_F(WorkloadSettings, AreReadFromBothFormats) {
  for (const auto& [name, text] :
       {std::pair("work.toml", settings_toml), {"work.jsonl", settings_json}}) {
    const auto workload = load_workload(file(name, text), Time(1h));
    ASSERT_TRUE(workload) << describe(workload.error());
    ASSERT_EQ(workload->queues.size(), 1U);
    const ConfigureQueue& mail = workload->queues.front();
    EXPECT_EQ(mail.queue, "mail");
    EXPECT_EQ(mail.slots, 8U);
    EXPECT_EQ(mail.policy, QueuePolicy::urgency);
    EXPECT_EQ(mail.ageing, Duration(30min));
    EXPECT_EQ(mail.window, Duration(12h));
    EXPECT_EQ(mail.short_work, Duration(1min));
    EXPECT_EQ(mail.weights, (std::map<std::string, std::int32_t>{{"overdue", 100}, {"short", -5}}));
    EXPECT_EQ(mail.retain_succeeded, Duration(1h));
    EXPECT_EQ(mail.retain_failed, retained_for_ever);
    EXPECT_EQ(mail.retain_cancelled, Duration(0)) << "as the engine says";
    ASSERT_EQ(workload->schedules.size(), 2U);
    const ScheduleSpec& report = workload->schedules[0];
    EXPECT_EQ(report.name, "report");
    EXPECT_EQ(report.recurrence, *Recurrence::parse("*/15 9-17 * * MON-FRI Europe/Paris"));
    EXPECT_EQ(report.missed, MissedPolicy::all);
    EXPECT_EQ(report.window, Duration(6h));
    EXPECT_EQ(report.overlap, OverlapPolicy::queue);
    EXPECT_EQ(report.task.queue, "mail");
    EXPECT_EQ(report.task.priority, 3);
    EXPECT_EQ(report.task.label, "report");
    EXPECT_EQ(report.task.idempotency_key, "");
    EXPECT_EQ(report.task.timeout, Duration(10min)) << "of the defaults, which stand behind it";
    EXPECT_EQ(report.task.deadline, Time()) << "which no scheduled task can have";
    const auto command = decode_command(as_bytes(report.task.payload));
    ASSERT_TRUE(command);
    EXPECT_EQ(command->arguments, (Words{"./report", "--all"}));
    EXPECT_EQ(command->environment.at("LANG"), "C");
    EXPECT_EQ(command->working_folder, folder_.path());
    EXPECT_EQ(workload->schedules[1].missed, MissedPolicy::once);
  }
}

TEST_F(WorkloadSettings, AreSetByARunAndOnce) {
  file("work.toml", settings_toml);
  const auto first = run({"run", "work.toml"});
  ASSERT_EQ(first.code, 0) << first.errors;
  const auto schedules = lines_of(run({"schedule", "list", "--json"}).output);
  ASSERT_EQ(schedules.size(), 2U);
  EXPECT_EQ(json::parse(schedules[0]).at("schedule"), "report");
  const auto count = [&](const std::string& type) {
    return lines_of(run({"log", "cat", "--type", type}).output).size();
  };
  EXPECT_EQ(count("QueueConfigured"), 1U);
  EXPECT_EQ(count("ScheduleDefined"), 2U);
  ASSERT_EQ(run({"run", "work.toml"}).code, 0);
  EXPECT_EQ(count("QueueConfigured"), 1U);
  EXPECT_EQ(count("ScheduleDefined"), 2U) << "they are what they were";
}

TEST_F(WorkloadSettings, AreRefusedBeforeAnythingIsSet) {
  const std::string task = "[[task]]\nname = \"a\"\nshell = \"true\"\n";
  file("work.toml", "[queues.mail]\nwindow = \"1h\"\n" + task);
  const auto queue = run({"run", "work.toml"});
  EXPECT_EQ(queue.code, 2);
  EXPECT_NE(queue.errors.find("queue mail: a window means nothing to the policy priority"),
            std::string::npos)
      << queue.errors;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "log"));
  const std::string schedule = "[schedules.x]\nshell = \"true\"\n";
  file("work.toml", schedule + "recurrence = \"every day\"\nneeds = { gpu = 2 }\n");
  EXPECT_NE(run({"run", "work.toml"}).errors.find("schedule x: "), std::string::npos);
  EXPECT_NE(refused(schedule).find("bad.toml:1: the schedule 'x' does not say when"),
            std::string::npos);
  EXPECT_NE(refused(schedule + "recurrence = \"someday\"\n").find("bad.toml:3: "),
            std::string::npos);
  EXPECT_NE(refused(schedule + "recurence = \"every day\"\n").find("did you mean 'recurrence'"),
            std::string::npos);
  EXPECT_NE(refused(schedule + "delay = \"1h\"\n").find("'delay' is nothing that a schedule"),
            std::string::npos);
  EXPECT_NE(
      refused(schedule + "recurrence = \"every day\"\nmissed = \"all\"\n").find("window = \"6h\""),
      std::string::npos);
  EXPECT_NE(refused("[schedules.x]\nrecurrence = \"every day\"\n")
                .find("the schedule 'x' has nothing to run"),
            std::string::npos);
  EXPECT_NE(refused("[queues.q]\npolicy = \"random\"\n").find("bad.toml:2: "), std::string::npos);
  EXPECT_NE(refused("[queues.q]\nweights = 3\n").find("must be a table"), std::string::npos);
}

}  // namespace
}  // namespace almanac::test
