// Who did what through which door is in the log, in front of what was done.
#include <almanac/tests/daemon/daemon_fixture.h>
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/small_disk.h>
#include <almanac/tests/support/wire_client.h>

#include <almanac/engine/diagnostics.h>
#include <almanac/log/log.h>

#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using Headers = HttpClient::Headers;

class AuditTest : public DaemonTest {
 protected:
  [[nodiscard]] Headers shown(const std::string& token) const {
    return {{"Authorization", "Bearer " + token}};
  }
  // Whether the state comes to satisfy this within ten seconds.
  bool comes(const std::function<bool(const Audits&)>& wanted) {
    return daemon->engine().wait([&](const State& state) { return wanted(state.audits); }, 10s);
  }
  [[nodiscard]] AuditEntry last_request() const {
    const auto& requests = daemon->engine().state()->audits.requests;
    return requests.empty() ? AuditEntry() : std::prev(requests.end())->value;
  }
  [[nodiscard]] std::string text(NameId name) const {
    return std::string(daemon->engine().state()->names.text(name));
  }
  std::vector<std::string> types() {
    std::vector<std::string> all;
    EXPECT_TRUE(daemon->engine().log().read(Position(1), [&](const RecordedEvent& recorded) {
      all.emplace_back(type_name(recorded.event.body));
      return true;
    }));
    return all;
  }
};

TEST_F(AuditTest, NamesWhoAskedForWhatThroughWhichDoor) {
  open();
  const std::string ci = make_token("ci", "submit");
  EXPECT_EQ(tcp_client().ask("POST", "/v1/tasks", R"({"kind": "a"})", shown(ci)).status, 201);
  AuditEntry entry = last_request();
  EXPECT_EQ(text(entry.principal), "ci");
  EXPECT_EQ(entry.door, AuditDoor::http);
  EXPECT_EQ(entry.action, "POST /v1/tasks");
  EXPECT_TRUE(entry.remote.starts_with("127.0.0.1:")) << entry.remote;
  EXPECT_EQ(client().ask("DELETE", "/v1/tasks/1").status, 200);
  entry = last_request();
  EXPECT_EQ(text(entry.principal), "uid " + std::to_string(::geteuid()));
  EXPECT_EQ(entry.door, AuditDoor::socket);
  EXPECT_EQ(entry.action, "DELETE /v1/tasks/{id}");
  EXPECT_EQ(entry.subject, "/v1/tasks/1");
  const auto all = types();
  const auto at = [&](std::string_view type) { return std::ranges::find(all, type) - all.begin(); };
  EXPECT_LT(at("RequestAudited"), at("TaskEnqueued")) << "in front of what it does";
  EXPECT_EQ(client().ask("GET", "/v1/tasks").status, 200);
  EXPECT_EQ(daemon->engine().state()->audits.requests.size(), 2U) << "reading changes nothing";
}

TEST_F(AuditTest, SaysWhatCameToNothing) {
  open();
  EXPECT_EQ(client().ask("DELETE", "/v1/tasks/17").status, 404);
  ASSERT_TRUE(
      comes([](const Audits& audits) { return audits.refused_for(RefusalReason::failed); }));
  const AuditEntry failed = daemon->engine().state()->audits.refusals.begin()->value;
  EXPECT_EQ(failed.status, 404U);
  EXPECT_EQ(failed.request, last_request().request);
  EXPECT_EQ(client().ask("POST", "/v1/tasks", "{").status, 400);
  EXPECT_TRUE(
      comes([](const Audits& audits) { return audits.refused_for(RefusalReason::failed) == 2; }));
}

TEST_F(AuditTest, CountsWhatWorkersAskFor) {
  open();
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(client()
                  .ask("POST", "/v1/leases", R"({"worker": "w", "kinds": ["a"], "wait": "1ms"})")
                  .status,
              200);
  }
  EXPECT_EQ(daemon->engine().state()->audits.requests.size(), 1U);
  daemon.reset();
  open();
  const auto state = daemon->engine().state();
  EXPECT_EQ(state->audits.requests.size(), 2U);
  EXPECT_EQ(std::prev(state->audits.requests.end())->value.count, 49U);
}

TEST_F(AuditTest, TellsOfAWireConnectionWhatItDid) {
  DaemonConfig config;
  config.wire.address = "127.0.0.1:0";
  open(config);
  const auto port = std::stoi(daemon->wire_address().substr(daemon->wire_address().find(':') + 1));
  {
    WireClient client(static_cast<std::uint16_t>(port));
    ASSERT_TRUE(client.hello("w-1"));
    for (int i = 0; i < 30; ++i) {
      EXPECT_EQ(client.ask("PUSH {\"jid\":\"job-10000" + std::to_string(i) +
                           "\",\"jobtype\":\"a\",\"args\":[]}"),
                "+OK");
    }
    EXPECT_TRUE(client.ask("FETCH default").starts_with("$"));
  }
  ASSERT_TRUE(comes([](const Audits& audits) { return audits.requests.size() == 2; }));
  const AuditEntry entry = last_request();
  EXPECT_EQ(entry.door, AuditDoor::faktory);
  EXPECT_EQ(entry.action, "END");
  EXPECT_EQ(entry.subject, "FETCH 1, PUSH 30");
  EXPECT_EQ(entry.count, 31U);
  EXPECT_EQ(daemon->engine().state()->audits.requests.begin()->value.subject.substr(0, 10),
            "worker w-1");
}

TEST_F(AuditTest, CanBeReadThroughTheDoorAndFromTheFolder) {
  open();
  const std::string ci = make_token("ci", "submit");
  const std::string boss = make_token("boss", "operate");
  EXPECT_EQ(tcp_client().ask("POST", "/v1/tasks", R"({"kind": "a"})", shown(ci)).status, 201);
  EXPECT_EQ(tcp_client().ask("GET", "/v1/audit", {}, shown(ci)).status, 403);
  ASSERT_TRUE(comes([](const Audits& audits) { return audits.refusals.size() == 1; }));
  const auto json = tcp_client().ask("GET", "/v1/audit", {}, shown(boss)).json();
  ASSERT_EQ(json["items"].size(), 2U);
  EXPECT_EQ(json["items"][0]["reason"], "scope");
  EXPECT_EQ(json["items"][0]["principal"], "ci");
  EXPECT_EQ(json["items"][1]["action"], "POST /v1/tasks");
  EXPECT_EQ(json["principals"]["ci"]["requests"], 1);
  const auto of_boss = tcp_client().ask("GET", "/v1/audit?principal=boss", {}, shown(boss)).json();
  EXPECT_EQ(of_boss["items"].size(), 0U);
  EXPECT_EQ(tcp_client().ask("GET", "/v1/audit?at=0", {}, shown(boss)).json()["items"].size(), 0U);
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "audit");
    words.insert(words.end(), {"--dir", log_folder().string()});
    return run_almanac({.arguments = std::move(words), .folder = folder.path(), .input = {}});
  };
  const CommandOutput listed = run({});
  EXPECT_EQ(listed.code, 0) << listed.errors;
  EXPECT_NE(listed.output.find("POST /v1/tasks"), std::string::npos) << listed.output;
  EXPECT_NE(listed.output.find("refused: scope (403)"), std::string::npos) << listed.output;
  EXPECT_EQ(lines_of(run({"--json", "--refusals"}).output).size(), 1U);
  EXPECT_EQ(lines_of(run({"--json", "--principal", "ci"}).output).size(), 2U);
  EXPECT_EQ(run({"--json", "--at", "0"}).output, "");
}

TEST_F(AuditTest, ShowsNoLineThatSomebodyElseHasWritten) {
  open();
  const std::string path = "/v1/tasks/%0a%1b%5b2Jforged";
  EXPECT_EQ(tcp_client().ask("GET", path, {}, shown(token())).status, 404);
  EXPECT_EQ(client().ask("POST", "/v1/queues/a%E2%80%AEb/pause").status, 204);
  ASSERT_TRUE(comes([](const Audits& audits) { return audits.refusals.size() == 1; }));
  const CommandOutput listed = run_almanac({.arguments = {"audit", "--dir", log_folder().string()},
                                            .folder = folder.path(),
                                            .input = {}});
  EXPECT_EQ(listed.output.find('\x1b'), std::string::npos);
  EXPECT_EQ(listed.output.find("\xE2\x80\xAE"), std::string::npos);
  EXPECT_NE(listed.output.find("forged"), std::string::npos) << listed.output;
  for (const std::string& line : lines_of(listed.output)) EXPECT_FALSE(line.starts_with("forged"));
}

// What is counted goes on record with the stop, when there may be no room for it, or no engine.
class AuditAtTheEnd : public AuditTest {
 protected:
  // Of two requests of a worker the first is on record at once.
  void ask_twice() {
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(client()
                    .ask("POST", "/v1/leases", R"({"worker": "w", "kinds": ["a"], "wait": "1ms"})")
                    .status,
                200);
    }
    ASSERT_EQ(daemon->engine().state()->audits.requests.size(), 1U);
  }
  // Lines that say so while the daemon stops.
  std::size_t losses_of_stop() {
    flush_log();
    testing::internal::CaptureStderr();
    daemon.reset();
    flush_log();
    const std::string lines = testing::internal::GetCapturedStderr();
    std::size_t count = 0;
    const std::string_view loss = "requests are not on record";
    for (auto at = lines.find(loss); at != lines.npos; at = lines.find(loss, at + 1)) ++count;
    return count;
  }
};

TEST_F(AuditAtTheEnd, SaysWhatIsLostWithAFullDiskAndStopsAllTheSame) {
  std::filesystem::create_directory(folder / "disk");
  const SmallDisk disk(folder / "disk", 32 * limits::mebibyte);
  std::filesystem::create_directory(disk.path() / "log");
  std::filesystem::create_directory_symlink(disk.path() / "log", log_folder());
  open();
  ask_twice();
  disk.fill();
  const TaskSpec large{.kind = "none", .payload = std::string(16 * limits::kibibyte, 'x')};
  auto filled = daemon->engine().submit(large);
  while (filled) filled = daemon->engine().submit(large);
  ASSERT_EQ(filled.error().code, ErrorCode::storage_full);
  EXPECT_EQ(losses_of_stop(), 1U);
  disk.make_room();
  open();
  EXPECT_EQ(daemon->engine().state()->audits.requests.size(), 1U) << "but no more than that";
}

TEST_F(AuditAtTheEnd, SaysWhatIsLostWithTheEngine) {
  open();
  ask_twice();
  daemon->engine().stop_at_once();
  daemon->engine().wait_until_stopped();
  EXPECT_EQ(client().ask("POST", "/v1/tasks", R"({"kind": "a"})").status, 503)
      << "what is not on record is not done";
  EXPECT_EQ(losses_of_stop(), 1U);
  open();
  EXPECT_EQ(daemon->engine().state()->audits.requests.size(), 1U);
  EXPECT_TRUE(daemon->engine().state()->tasks.all.empty());
}

TEST_F(AuditAtTheEnd, LosesNothingOtherwise) {
  open();
  ask_twice();
  EXPECT_EQ(losses_of_stop(), 0U);
  open();
  EXPECT_EQ(daemon->engine().state()->audits.requests.size(), 2U);
}

TEST_F(AuditTest, CannotBeFilledFromOutside) {
  open();
  for (int i = 0; i < 300; ++i) EXPECT_EQ(tcp_client().ask("GET", "/v1/tasks").status, 401);
  const auto events = daemon->engine().state()->position.value;
  EXPECT_LT(events, 100U);
  daemon.reset();
  open();
  const Audits& audits = daemon->engine().state()->audits;
  std::uint64_t refusals = 0;
  for (const auto& [principal, counts] : audits.principals) refusals += counts.refusals;
  EXPECT_EQ(refusals, 300U) << "and none of them is forgotten";
}

}  // namespace
}  // namespace almanac::test
