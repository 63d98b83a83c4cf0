// [[cron]] of a configuration, as schedules of an engine.
#include <almanac/daemon/daemon_config.h>
#include <almanac/daemon/wire_cron.h>
#include <almanac/engine/schedule_spec.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace almanac::test {
namespace {

Result<DaemonConfig> load_crons(const std::string& text) {
  TempFolder folder;
  const std::string path = (folder / "almanac.toml").string();
  write_file(path, text);
  return load_daemon_config(path);
}

TEST(WireCrons, AreReadFromAConfiguration) {
  const auto config = load_crons(R"(
[faktory]
listen = "127.0.0.1:0"

[[cron]]
schedule = "*/5 * * * *"
  [cron.job]
  type = "Report"
  queue = "critical"
  retry = 3
  args = ["daily", 1, 2.5, true, { deep = [] }]
    [cron.job.custom]
    name = "say \"so\""

[[cron]]
schedule = "daily at 02:30 Europe/Paris"
job = { type = "Clean" }
)");
  ASSERT_TRUE(config) << describe(config.error());
  ASSERT_EQ(config->crons.size(), 2U);
  EXPECT_EQ(config->crons[0].schedule, "*/5 * * * *");
  EXPECT_EQ(config->crons[0].job,
            R"({"jobtype":"Report","queue":"critical","retry":3,)"
            R"("args":["daily",1,2.5,true,{"deep":[]}],"custom":{"name":"say \"so\""}})");
  EXPECT_EQ(config->crons[1].schedule, "daily at 02:30 Europe/Paris");
  EXPECT_EQ(config->crons[1].job, R"({"jobtype":"Clean","args":[]})");
}

TEST(WireCrons, AreRefusedWithTheirLine) {
  struct {
    std::string text;
    std::string says;
  } const bad[] = {
      {"[cron]\nschedule = \"@daily\"\n", ":1:"},
      {"[[cron]]\nschedule = \"@daily\"\n", ":1:1: a [[cron]] needs a schedule and a job"},
      {"[[cron]]\nschedule = \"sometimes\"\njob = { type = \"A\" }\n", ":2:1: "},
      {"[[cron]]\nschedule = \"@daily\"\njobs = { type = \"A\" }\n", ":3:1: unknown key 'jobs'"},
      {"[[cron]]\nschedule = \"@daily\"\njob = { kind = \"A\" }\n", ":3:1: unknown key 'kind'"},
      {"[[cron]]\nschedule = \"@daily\"\njob = { queue = \"q\" }\n",
       ":3:1: jobs must have a jobtype"},
      {"[[cron]]\nschedule = \"@daily\"\njob = { type = \"A\", jid = \"12345678\" }\n",
       ":3:1: unknown key 'jid'"},
      {"[[cron]]\nschedule = \"@daily\"\njob = { type = \"A\", custom = { unique_for = 5 } }\n",
       ":3:1: a job that comes again and again is not unique"},
      {"[[cron]]\nschedule = \"@daily\"\njob = { type = \"command\" }\n", ":3:1: the jobtype"},
  };
  for (const auto& one : bad) {
    const auto config = load_crons(one.text);
    ASSERT_FALSE(config) << one.text;
    EXPECT_EQ(config.error().code, ErrorCode::invalid);
    EXPECT_NE(config.error().message.find(one.says), std::string::npos) << config.error().message;
  }
}

class WireCronTest : public EngineTest {
 protected:
  std::set<std::string> names() {
    std::set<std::string> all;
    const auto state = engine->state();
    for (const auto& [id, schedule] : state->schedules.all) all.emplace(state->names.text(id));
    return all;
  }
};

TEST_F(WireCronTest, AreThoseOfTheConfigurationAndNoOthers) {
  open_on_manual_clock();
  ASSERT_TRUE(engine->define_schedule(
      {.name = "mine", .recurrence = *Recurrence::parse("@daily"), .task = {.kind = "a"}}));
  const WireCron report{.schedule = "@daily", .job = R"({"jobtype":"Report","args":[]})"};
  const WireCron again{.schedule = "@hourly", .job = R"({"jobtype":"Report","args":[]})"};
  const WireCron clean{.schedule = "@daily", .job = R"({"jobtype":"Clean","args":[]})"};
  using Names = std::set<std::string>;
  ASSERT_TRUE(set_wire_crons(*engine, {report, again, clean}));
  EXPECT_EQ(names(),
            (Names{"mine", "faktory-cron-Report", "faktory-cron-Report-2", "faktory-cron-Clean"}));
  const Position before = engine->state()->position;
  ASSERT_TRUE(set_wire_crons(*engine, {report, again, clean}));
  EXPECT_EQ(engine->state()->position, before);  // nothing is new
  ASSERT_TRUE(set_wire_crons(*engine, {report}));
  EXPECT_EQ(names(), (Names{"mine", "faktory-cron-Report"}));
  ASSERT_TRUE(set_wire_crons(*engine, {}));
  EXPECT_EQ(names(), Names{"mine"});
}

TEST_F(WireCronTest, HaveNamesOfTheirOwnWhateverTheirTypesAreCalled) {
  open_on_manual_clock();
  const WireCron one{.schedule = "@daily", .job = R"({"jobtype":"A","args":[]})"};
  const WireCron like_the_second{.schedule = "@daily", .job = R"({"jobtype":"A-2","args":[]})"};
  using Names = std::set<std::string>;
  ASSERT_TRUE(set_wire_crons(*engine, {one, one, like_the_second}));
  EXPECT_EQ(names(), (Names{"faktory-cron-A", "faktory-cron-A-2", "faktory-cron-A-2-2"}));
  ASSERT_TRUE(set_wire_crons(*engine, {like_the_second, one, one}));
  EXPECT_EQ(names(), (Names{"faktory-cron-A", "faktory-cron-A-2", "faktory-cron-A-3"}));
}

TEST_F(WireCronTest, AreAllSetOrNone) {
  open_on_manual_clock();
  const WireCron one{.schedule = "@daily", .job = R"({"jobtype":"A","args":[]})"};
  const WireCron two{.schedule = "@daily", .job = R"({"jobtype":"B","args":[]})"};
  const WireCron large{.schedule = "@daily",
                       .job = R"({"jobtype":"C","args":[")" +
                              std::string(limits::schedule_payload_bytes_max, 'x') + "\"]}"};
  using Names = std::set<std::string>;
  ASSERT_TRUE(set_wire_crons(*engine, {one}));
  const Position before = engine->state()->position;
  EXPECT_FALSE(set_wire_crons(*engine, {two, large}));
  EXPECT_EQ(names(), Names{"faktory-cron-A"});
  EXPECT_EQ(engine->state()->position, before);
}

}  // namespace
}  // namespace almanac::test
