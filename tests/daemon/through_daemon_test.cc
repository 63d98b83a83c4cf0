// Commands in a folder that a daemon holds: they go through it, and answer what they answer
// without.
#include <almanac/tests/daemon/daemon_fixture.h>
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/child_process.h>

#include <almanac/tools/running_daemon.h>

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <csignal>
#include <cstring>
#include <regex>
#include <string>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

using CommandWords = std::vector<std::string>;

// What cannot be the same twice: times, positions, which the starts of engines move, and the
// folder.
std::string comparable(std::string text, const std::filesystem::path& folder) {
  for (auto at = text.find(folder.string()); at != text.npos; at = text.find(folder.string())) {
    text.replace(at, folder.string().size(), "FOLDER");
  }
  static const std::vector<std::pair<std::regex, std::string>> masks = {
      {std::regex(R"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?)"), "TIME"},
      {std::regex(R"re("(defined|changed|stored|version|tokens)":\s?\d+)re"), "\"$1\":N"},
      {std::regex(R"(version +\d+)"), "version N"},
      {std::regex(R"re("(identity|user_key)":"[0-9a-f]+")re"), "\"$1\":X"},
      {std::regex(R"(position \d+)"), "position N"}};
  for (const auto& [mask, with] : masks) text = std::regex_replace(text, mask, with);
  return text;
}

// Says it is the daemon of a folder, and answers the next request as it is told.
class FakeDaemon {
 public:
  FakeDaemon(const std::filesystem::path& log, std::string answer)
      : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    std::filesystem::create_directories(log / "daemon");
    const std::string path = daemon_socket_default(log);
    std::filesystem::remove(path);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_.get(), generic, sizeof(address)), 0);
    EXPECT_EQ(::listen(listener_.get(), 2), 0);
    const timeval minute{.tv_sec = 60, .tv_usec = 0};
    ::setsockopt(listener_.get(), SOL_SOCKET, SO_RCVTIMEO, &minute, sizeof(minute));
    const std::string about = "{\"folder\": \"" + daemon_folder_name(log) + "\"}";
    answers_ = {
        "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(about.size()) + "\r\n\r\n" + about,
        std::move(answer)};
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeDaemon() { thread_.join(); }

 private:
  void serve() {
    for (const std::string& answer : answers_) {
      const FileDescriptor client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      std::string request;
      std::array<char, 4'096> part;
      while (request.find("\r\n\r\n") == request.npos) {
        const ssize_t size = ::recv(client.get(), part.data(), part.size(), 0);
        if (size <= 0) break;
        request.append(part.data(), static_cast<std::size_t>(size));
      }
      EXPECT_EQ(::send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL),
                static_cast<ssize_t>(answer.size()));
    }
  }

  FileDescriptor listener_;
  std::vector<std::string> answers_;
  std::thread thread_;
};

class ThroughDaemon : public DaemonTest {
 protected:
  void SetUp() override {
    for (const auto& place : {alone(), served()}) {
      std::filesystem::create_directories(place);
      write_file(place / "models.toml",
                 "[llama]\nbytes = \"9 GiB\"\nload = [\"true\"]\nunload = [\"true\"]\n"
                 "[small]\nbytes = 5\nalternative = \"llama\"\nresidency = \"0s\"\n"
                 "load = [\"true\"]\nunload = [\"true\"]\ncheck = [\"test\", \"-e\", \"x\"]\n");
      write_file(place / "entries.jsonl",
                 "{\"kind\": \"note\", \"content\": \"a\", \"embedding\": [0.1, -0.25], \"tags\": "
                 "[\"x\"], \"metadata\": {\"n\": 1, \"f\": 0.1, \"t\": \"ü\"}}\n"
                 "{\"kind\": \"note\", \"content\": \"b\", \"user\": \"ann\", "
                 "\"significance\": 0.1, \"time_to_live\": \"30d\"}\n");
    }
    serve();
  }
  void serve(DaemonConfig config = {}) {
    config.commands = false;
    config.grace = Duration(0);
    auto opened = Daemon::open({.folder = served() / "log", .config = std::move(config)});
    ASSERT_TRUE(opened) << describe(opened.error());
    daemon = std::move(*opened);
  }
  [[nodiscard]] std::filesystem::path alone() const { return folder / "alone"; }
  [[nodiscard]] std::filesystem::path served() const { return folder / "served"; }
  static CommandOutput command(const std::filesystem::path& place, const CommandWords& words) {
    return run_almanac({.arguments = words,
                        .folder = place,
                        .input = {},
                        .environment = {{"ALMANAC_DIR", "log"}, {"LANG", "C.UTF-8"}}});
  }
  void expect_same(const CommandWords& words) {
    const CommandOutput without = command(alone(), words);
    const CommandOutput through = command(served(), words);
    const std::string line = testing::PrintToString(words);
    EXPECT_EQ(through.code, without.code) << line << through.errors << without.errors;
    EXPECT_EQ(comparable(through.output, served()), comparable(without.output, alone())) << line;
    EXPECT_EQ(comparable(through.errors, served()), comparable(without.errors, alone())) << line;
  }
  void expect_all_same(const std::vector<CommandWords>& table) {
    for (const CommandWords& words : table) expect_same(words);
  }
  static CommandWords submit_with(CommandWords options, CommandWords what = {"true"}) {
    options.insert(options.begin(), "submit");
    options.emplace_back("--");
    options.insert(options.end(), what.begin(), what.end());
    return options;
  }
};

TEST_F(ThroughDaemon, SubmittedTasksAreTheSame) {
  expect_all_same({
      {"limits", "--set", "gpu", "--units", "4"},
      {"limits", "--set", "api/v1", "--per-minute", "60", "--burst", "5"},
      submit_with({"--name", "one"}, {"echo", "a b", "ü", ""}),
      submit_with(
          {"--json", "--name",    "two", "--attempts", "4", "--retry", "fixed", "--crashes",
           "2",      "--timeout", "90s", "--version",  "3", "--owner", "ann",   "--estimate",
           "5m",     "--tag",     "x",   "--tag",      "y", "--needs", "gpu=2", "--needs",
           "api/v1", "--queue",   "web", "--priority", "-7"},
          {"sh", "-c", "exit 1"}),
      submit_with({"--key", "k1"}),
      submit_with({"--key", "k1"}),
      submit_with({"--key", "k1", "--json"}),
      submit_with({"--key", "k1"}, {"false"}),
      submit_with({"--unique"}, {"make", "all"}),
      submit_with({"--unique"}, {"make", "all"}),
      submit_with({"--unique-key", "u", "--unique-in-queue", "--unique-within", "1h"}),
      submit_with({"--unique-key", "u", "--unique-in-queue", "--on-conflict", "skip", "--json"}),
      submit_with({"--unique-key", "u", "--unique-in-queue", "--on-conflict", "refuse"}),
      submit_with({"--unique-key", "u", "--unique-in-queue", "--on-conflict", "replace"}),
      submit_with({"--after", "1:end", "--after", "2"}),
      submit_with({"--delay", "1h"}),
      submit_with({"--run-at", "2090-01-01T00:00:00Z"}),
      submit_with({"--deadline", "in 2 hours", "--expires-at", "2090-01-01T00:00:00.000001Z"}),
      submit_with({"--after", "99"}),
      submit_with({"--group", "nowhere"}),
  });
  for (int id = 1; id <= 12; ++id) expect_same({"show", std::to_string(id), "--json"});
  expect_same({"list", "--json"});
  EXPECT_GE(daemon->engine().state()->tasks.all.size(), 9U);
}

TEST_F(ThroughDaemon, ChangedTasksAndGroupsAreTheSame) {
  for (int i = 0; i < 4; ++i) expect_same(submit_with({"--queue", "web"}));
  expect_all_same({
      {"cancel", "2", "--reason", "no \"longer\""},
      {"show", "2", "--json"},
      {"cancel", "2"},
      {"cancel", "99", "1"},
      {"cancel", "--where", "queue == \"web\"", "--dry-run"},
      {"cancel", "--where", "quue == \"web\""},
      {"pause", "3", "4"},
      {"pause", "3"},
      {"resume", "--where", "state == \"held\""},
      {"pause", "--queue", "web"},
      {"pause", "--queue", "web"},
      {"resume", "--queue", "web"},
      {"pause", "--kind", "command"},
      {"resume", "--kind", "command"},
      {"retry", "1"},
      {"retry", "--where", "true"},
      {"review", "run", "--all"},
      {"review", "skip", "1"},
      {"group", "create", "imp/ort"},
      submit_with({"--group", "imp/ort"}),
      submit_with({"--after-group", "imp/ort:end"}),
      {"group", "close", "imp/ort"},
      submit_with({"--group", "imp/ort"}),
      {"group", "cancel", "imp/ort"},
      {"group", "close", "nothing"},
      {"cancel", "--where", "true"},
      {"list", "--json"},
      {"group", "list", "--json"},
  });
}

TEST_F(ThroughDaemon, SettingsAreTheSame) {
  const CommandWords nightly = {"schedule", "add",      "night ly", "0 0 1 1 *", "--overlap",
                                "queue",    "--missed", "all",      "--window",  "6h",
                                "--",       "make",     "a b"};
  CommandWords changed = nightly;
  changed.insert(changed.begin() + 2, "--change");
  expect_all_same({
      submit_with({}),
      {"queue", "set", "web", "--slots", "3", "--json"},
      {"queue", "set", "web", "--policy", "urgency", "--ageing", "1h", "--weight", "high=40"},
      {"queue", "set", "a b/c", "--policy", "fair", "--weight", "ann=3", "--json"},
      {"queue", "set", "web", "--retain-failed", "forever", "--retain-succeeded", "1h"},
      {"queue", "set", "web", "--weight", "hihg=1"},
      {"queue", "set", "web", "--slots", "5000"},
      {"limits", "--set", "host/a b", "--units", "8"},
      {"limits", "--set", "api", "--per-minute", "60"},
      {"limits", "--set", "api", "--per-minute", "60", "--burst", "5"},
      {"limits", "--json"},
      {"limits", "--lift", "api"},
      {"limits", "--lift", "nothing"},
      {"circuit", "set", "api/v1", "--failure-rate", "20%", "--window", "2m", "--cooldown", "11m"},
      {"circuit", "open", "api/v1", "--reason", "down"},
      {"circuit", "close", "api/v1"},
      {"circuit", "reset", "api/v1"},
      {"circuit", "set", "other", "--consecutive", "2", "--probes", "3"},
      {"circuit", "set", "other", "--lift"},
      nightly,
      nightly,
      changed,
      {"schedule", "pause", "night ly", "--reason", "too loud"},
      {"schedule", "pause", "night ly"},
      {"schedule", "resume", "night ly"},
      {"schedule", "add", "gone", "every 365 days", "--", "true"},
      {"schedule", "remove", "gone"},
      {"schedule", "remove", "gone"},
      {"model", "add", "models.toml"},
      {"model", "pin", "llama"},
      {"model", "unpin", "small"},
      {"model", "pin", "nothing"},
      {"model", "remove", "small"},
      {"queues", "--json"},
      {"limits", "--json"},
      {"circuit", "list", "--json"},
      {"schedule", "list", "--json"},
      {"model", "list", "--json"},
  });
}

TEST_F(ThroughDaemon, MemoriesAndContextsAreTheSame) {
  expect_all_same({
      {"memory", "add", "--kind", "note", "--content", "sea\nand \"land\"", "--tag", "x",
       "--embedding", "[0.5, 1e-7]", "--significance", "0.1", "--ttl", "30d"},
      {"memory", "import", "entries.jsonl"},
      {"memory", "add", "--kind", "note", "--content", "c", "--embedding", "[1]"},
      {"memory", "forget", "1", "--reason", "old"},
      {"memory", "forget", "1"},
      {"memory", "forget"},
      {"memory", "add", "--kind", "note", "--content", "minor", "--significance", "0.1"},
      {"memory", "consolidate", "--kind", "note", "--content", "all of it"},
      {"memory", "consolidate", "--kind", "none", "--content", "all of it"},
      {"context", "set", "--user", "ann/b", "--preference", "language=en", "--field", "age=7",
       "--friendship", "0.5", "--turn", "user:Hello \"you\""},
      {"context", "set", "--user", "ann/b", "--preference", "language=", "--version", "1"},
      {"context", "set", "--user", "ann/b", "--preference", "language="},
      {"context", "set", "--user", "ann/b", "--friendship", "7"},
      {"memory", "list", "--json"},
      {"context", "get", "--user", "ann/b"},
      {"context", "forget", "--user", "ann/b"},
      {"context", "forget", "--user", "ann/b"},
      {"memory", "forget", "--user", "ann"},
      {"memory", "list", "--json"},
  });
}

TEST_F(ThroughDaemon, TheLogIsTrimmedBesideItsDaemon) {
  for (int i = 0; i < 20; ++i) ASSERT_EQ(command(served(), submit_with({})).code, 0);
  ASSERT_EQ(command(served(), {"cancel", "--where", "true"}).code, 0);
  ASSERT_EQ(command(served(), {"log", "trim", "--before", "x"}).code, 2);
  const auto trim = [&] {
    const CommandOutput trimmed = command(served(), {"log", "trim", "--before", "1000", "--json"});
    EXPECT_EQ(trimmed.code, 0) << trimmed.errors;
    const auto json = nlohmann::json::parse(trimmed.output);
    EXPECT_EQ(daemon->engine().log().first()->value, json["first"]) << trimmed.output;
    return json["held_by_checkpoint"].get<std::uint64_t>();
  };
  // The front goes as far as the last checkpoint but one: the first trim writes that.
  EXPECT_EQ(trim(), 0U);
  ASSERT_EQ(command(served(), submit_with({})).code, 0);
  EXPECT_GT(trim(), 0U);
}

TEST_F(ThroughDaemon, IsFoundWhereItsSocketIsConfigured) {
  daemon.reset();
  std::filesystem::create_directories(folder / "doors");
  std::filesystem::permissions(folder / "doors", std::filesystem::perms(0700));
  DaemonConfig config;
  config.socket_path = (folder / "doors/other.sock").string();
  serve(std::move(config));
  const CommandOutput submitted = command(served(), submit_with({}));
  EXPECT_EQ(submitted.output, "task 1\n") << submitted.errors;
  EXPECT_EQ(daemon->engine().state()->tasks.all.size(), 1U);
  daemon.reset();
  EXPECT_FALSE(std::filesystem::exists(daemon_address_file(served() / "log")));
  EXPECT_EQ(command(served(), submit_with({})).output, "task 2\n");
}

// A copy of the folder says where the daemon of the first one is.
TEST_F(ThroughDaemon, IsNotTakenForThatOfACopy) {
  ASSERT_EQ(command(served(), submit_with({})).code, 0);
  std::filesystem::create_directories(folder / "copy/log/daemon");
  std::filesystem::copy_file(daemon_address_file(served() / "log"),
                             daemon_address_file(folder / "copy/log"));
  EXPECT_TRUE(RunningDaemon::find(served() / "log"));
  EXPECT_FALSE(RunningDaemon::find(folder / "copy/log"));
}

TEST_F(ThroughDaemon, AKilledOneIsNotWaitedFor) {
  daemon.reset();
  {
    ChildProcess process({almanac_path(), "serve", "--dir", (served() / "log").string()});
    EXPECT_TRUE(process.read_line().starts_with("serving "));
    EXPECT_TRUE(process.read_line().starts_with("socket "));
    process.kill(SIGKILL);
    process.wait();
  }
  EXPECT_TRUE(std::filesystem::exists(daemon_address_file(served() / "log")));
  const CommandOutput submitted = command(served(), submit_with({}));
  EXPECT_EQ(submitted.output, "task 1\n") << submitted.errors;
}

struct BrokenAnswer {
  std::string answer;
  int code;
  const char* says;
};

// Whether it is done is not known: that is what is said, and nothing else.
TEST_F(ThroughDaemon, OneThatGoesWithoutAnAnswerLeavesTheOutcomeUnknown) {
  daemon.reset();
  auto engine = Engine::open({.folder = served() / "log"});
  ASSERT_TRUE(engine);
  const std::string refusal =
      R"({"code": "storage_full", "detail": "the disk is full", "next": "free some"})";
  const std::vector<BrokenAnswer> table = {
      {"", 8, "it may be done or not"},
      {"HTTP/1.1 201 Cre", 8, "it may be done or not"},
      {"HTTP/1.1 201 Created\r\nContent-Length: 30\r\n\r\n{\"id\":1", 8, "it may be done or not"},
      {"HTTP/1.1 201 Created\r\nContent-Length: 8\r\n\r\n{\"id\":1}", 8, "makes no sense"},
      {"HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\n{", 8, "makes no sense"},
      {"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno", 8, "500"},
      {"HTTP/1.1 507 Full\r\n\r\n" + refusal, 9, "the disk is full"}};
  for (const BrokenAnswer& broken : table) {
    FakeDaemon fake(served() / "log", broken.answer);
    const CommandOutput outcome = command(served(), submit_with({}));
    EXPECT_EQ(outcome.code, broken.code) << broken.answer << outcome.errors;
    EXPECT_EQ(outcome.output, "") << broken.answer;
    EXPECT_NE(outcome.errors.find(broken.says), std::string::npos)
        << broken.answer << outcome.errors;
  }
}

// What holds the log and answers nobody: the command says so, and what would help.
TEST_F(ThroughDaemon, WithoutADoorTheFolderIsHeld) {
  daemon.reset();
  auto engine = Engine::open({.folder = served() / "log"});
  ASSERT_TRUE(engine);
  const CommandOutput refused = command(served(), submit_with({}));
  EXPECT_EQ(refused.code, 4);
  EXPECT_NE(refused.errors.find("is held by"), std::string::npos) << refused.errors;
  EXPECT_NE(refused.errors.find("almanac serve"), std::string::npos) << refused.errors;
}

}  // namespace
}  // namespace almanac::test
