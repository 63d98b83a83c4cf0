// `almanac serve` as a process: started, told to stop, told to read again, killed.
#include <almanac/tests/daemon/daemon_fixture.h>
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/wire_client.h>

#include <almanac/daemon/token_file.h>

#include <almanac/engine/engine.h>

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

// A service manager's end: what it is told.
class NotifySocket {
 public:
  explicit NotifySocket(const std::string& path)
      : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
              0);
    const timeval minute{.tv_sec = 60, .tv_usec = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &minute, sizeof(minute));
  }
  std::string read() {
    std::array<char, 1'000> text;
    const ssize_t size = ::recv(socket_.get(), text.data(), text.size(), 0);
    return size <= 0 ? "" : std::string(text.data(), static_cast<std::size_t>(size));
  }

 private:
  FileDescriptor socket_;
};

class Serve : public ::testing::Test {
 protected:
  [[nodiscard]] std::string log_folder() const { return (folder / "log").string(); }
  [[nodiscard]] std::string socket() const { return log_folder() + "/daemon/http.sock"; }
  [[nodiscard]] std::vector<std::string> command(std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {almanac_path(), "serve", "--dir", log_folder()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  static void wait_until_ready(ChildProcess& process) {
    const std::string line = process.read_line();
    EXPECT_TRUE(line.starts_with("serving ")) << line;
    EXPECT_TRUE(process.read_line().starts_with("socket "));
  }
  TempFolder folder;
};

TEST_F(Serve, RunsTasksUntilItIsToldToStop) {
  ChildProcess process(command());
  wait_until_ready(process);
  EXPECT_EQ(HttpClient(socket()).ask("POST", "/v1/tasks", R"({"shell": "true"})").status, 201);
  process.kill(SIGTERM);
  EXPECT_EQ(process.wait(), 0);
  EXPECT_FALSE(std::filesystem::exists(socket()));
  EXPECT_EQ(run_almanac({.arguments = {"list", "--dir", log_folder(), "--json"},
                         .folder = folder.path(),
                         .input = {}})
                .code,
            0);
}

TEST_F(Serve, SpeaksTheWireProtocolWhereItIsConfigured) {
  write_file(folder / "almanac.toml", "[faktory]\nlisten = \"127.0.0.1:0\"\n");
  ChildProcess process(command({"--config", (folder / "almanac.toml").string()}));
  wait_until_ready(process);
  const std::string line = process.read_line();
  const std::string begin = "faktory tcp://127.0.0.1:";
  ASSERT_TRUE(line.starts_with(begin)) << line;
  WireClient client(static_cast<std::uint16_t>(std::stoi(line.substr(begin.size()))));
  ASSERT_TRUE(client.hello());
  EXPECT_EQ(client.ask(R"(PUSH {"jid":"job-0001","jobtype":"greet","args":[1]})"), "+OK");
  const auto task = HttpClient(socket()).ask("GET", "/v1/tasks/1");
  EXPECT_NE(task.body.find("job-0001"), std::string::npos) << task.body;
  process.kill(SIGTERM);
  EXPECT_EQ(client.read(), "-ERR shutdown in progress");
  EXPECT_EQ(process.wait(), 0);
}

TEST_F(Serve, AsksForThePasswordThatOnlyItsOwnerMayRead) {
  write_file(folder / "almanac.toml",
             "[faktory]\nlisten = \"127.0.0.1:0\"\npassword_file = \"secret\"\n");
  write_file(folder / "secret", "open sesame\n");
  std::filesystem::permissions(folder / "secret", std::filesystem::perms(0644));
  const std::vector<std::string> config = {"--config", (folder / "almanac.toml").string()};
  auto words = command(config);
  words.erase(words.begin());
  const auto refused = run_almanac({.arguments = words, .folder = folder.path(), .input = {}});
  EXPECT_EQ(refused.code, 7) << refused.errors;
  EXPECT_NE(refused.errors.find("chmod 600"), std::string::npos) << refused.errors;
  std::filesystem::permissions(folder / "secret", std::filesystem::perms(0600));
  ChildProcess process(command(config));
  wait_until_ready(process);
  const std::string line = process.read_line();
  WireClient client(static_cast<std::uint16_t>(std::stoi(line.substr(line.rfind(':') + 1))));
  EXPECT_TRUE(client.read().starts_with(R"(+HI {"v":2,"i":)"));
  client.send_line(R"(HELLO {"v":2,"pwdhash":"00"})");
  EXPECT_EQ(client.read(), "-ERR Invalid password");
  process.kill(SIGTERM);
  EXPECT_EQ(process.wait(), 0);
}

TEST_F(Serve, SaysWhatIsWrongWithItsConfigurationAndChangesNothing) {
  write_file(folder / "bad.toml", "[http]\nlisen = \"127.0.0.1:0\"\n");
  const auto refused = run_almanac(
      {.arguments = {"serve", "--dir", log_folder(), "-c", (folder / "bad.toml").string()},
       .folder = folder.path(),
       .input = {}});
  EXPECT_EQ(refused.code, 2);
  EXPECT_EQ(refused.output, "");
  EXPECT_NE(refused.errors.find("bad.toml:2:1: unknown key 'lisen'"), std::string::npos)
      << refused.errors;
  EXPECT_NE(refused.errors.find("did you mean 'listen'?"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(log_folder()));
  const auto open_to_all =
      run_almanac({.arguments = {"serve", "--dir", log_folder(), "--listen", "0.0.0.0:0"},
                   .folder = folder.path(),
                   .input = {}});
  EXPECT_EQ(open_to_all.code, 7);
}

TEST_F(Serve, SaysWhatIsWrongWithAnAddressAFileOrALogAndBeginsNothing) {
  write_file(folder / "log.toml", "[log]\nlevel = \"debug\"\n");
  const std::string far = (folder / "no" / "backups").string();
  write_file(folder / "far.toml", "[snapshots]\nrepositories = [\"" + far + "\"]\n");
  struct Wrong {
    std::vector<std::string> words;
    int code;
    std::string says;
  };
  const std::string none = (folder / "none.toml").string();
  for (const Wrong& wrong :
       {Wrong{{"--listen", "nonsense"}, 2, "'nonsense' is no address to listen on"},
        Wrong{{"--listen", "127.0.0.1:99999"}, 2, "write host and port"},
        Wrong{{"--listen", ":7411", "--public"}, 2, "write host and port"},
        Wrong{{"--listen", "0.0.0.0:0"}, 7, "others than this machine"},
        Wrong{{"--config", none}, 3, "there is no configuration '" + none + "'"},
        Wrong{{"--config", (folder / "log.toml").string()}, 2, "file of [log]"},
        Wrong{{"--config", (folder / "far.toml").string()}, 2, "can be made at " + far}}) {
    auto words = command(wrong.words);
    words.erase(words.begin());
    const auto refused = run_almanac({.arguments = words, .folder = folder.path(), .input = {}});
    EXPECT_EQ(refused.code, wrong.code) << refused.errors;
    EXPECT_NE(refused.errors.find(wrong.says), std::string::npos) << refused.errors;
    EXPECT_FALSE(std::filesystem::exists(log_folder())) << wrong.says;
  }
}

TEST_F(Serve, SaysThatAnotherProcessHasAPortByEitherDoor) {
  write_file(folder / "a.toml", "[faktory]\nlisten = \"127.0.0.1:0\"\n");
  ChildProcess first(command({"--config", (folder / "a.toml").string()}));
  wait_until_ready(first);
  const std::string line = first.read_line();
  const std::string taken = line.substr(line.find("127.0.0.1:"));
  write_file(folder / "b.toml", "[faktory]\nlisten = \"" + taken + "\"\n");
  const std::string other = (folder / "other").string();
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"--listen", taken},
        std::vector<std::string>{"--config", (folder / "b.toml").string()}}) {
    const auto refused = run_almanac({.arguments = {"serve", "--dir", other, words[0], words[1]},
                                      .folder = folder.path(),
                                      .input = {}});
    EXPECT_EQ(refused.code, 4) << refused.errors;
    EXPECT_NE(refused.errors.find("another process listens on " + taken), std::string::npos)
        << refused.errors;
    EXPECT_FALSE(std::filesystem::exists(other)) << "an engine has begun";
  }
}

// Also where it has the address, too, that the second one asks for.
TEST_F(Serve, SaysThatItsFolderIsInUseBeforeItSaysSoOfAnAddress) {
  ChildProcess first(command({"--listen", "127.0.0.1:0"}));
  wait_until_ready(first);
  const std::string line = first.read_line();
  const auto refused = run_almanac({.arguments = {"serve", "--dir", log_folder(), "--listen",
                                                  line.substr(line.find("127.0.0.1:"))},
                                    .folder = folder.path(),
                                    .input = {}});
  EXPECT_EQ(refused.code, 4) << refused.errors;
  EXPECT_EQ(refused.errors.find("listens on"), std::string::npos) << refused.errors;
}

TEST_F(Serve, SaysThatARepositoryIsStillToBeMade) {
  const std::string missing = (folder / "backups").string();
  write_file(folder / "a.toml", "[snapshots]\nrepositories = [\"" + missing + "\"]\n");
  const std::string errors = (folder / "errors").string();
  ChildProcess process({"/bin/sh", "-c", R"(exec "$0" "$@" 2>)" + errors, almanac_path(), "serve",
                        "--dir", log_folder(), "--config", (folder / "a.toml").string()});
  wait_until_ready(process);
  process.kill(SIGTERM);
  EXPECT_EQ(process.wait(), 0);
  EXPECT_NE(read_file(errors).find("there is no repository at " + missing), std::string::npos);
}

TEST_F(Serve, HasItsFolderForItself) {
  ChildProcess process(command());
  wait_until_ready(process);
  auto second = run_almanac(
      {.arguments = {"serve", "--dir", log_folder()}, .folder = folder.path(), .input = {}});
  EXPECT_EQ(second.code, 4) << second.errors;
  EXPECT_EQ(HttpClient(socket()).ask("GET", "/livez").status, 200);
}

TEST_F(Serve, ReadsItsConfigurationAgainAndKeepsItsConnections) {
  const auto config = (folder / "a.toml").string();
  write_file(config, "[http]\nbody_max = \"1KiB\"\n");
  const std::string path = (folder / "notify").string();
  NotifySocket manager(path);
  auto words = command({"-c", config});
  words.insert(words.begin(), {"/usr/bin/env", "NOTIFY_SOCKET=" + path});
  ChildProcess process(words);
  EXPECT_EQ(manager.read(), "READY=1\n");
  HttpClient kept(socket());
  const std::string large = R"({"kind": "a", "payload": ")" + std::string(2'000, 'x') + "\"}";
  EXPECT_EQ(HttpClient(socket()).ask("POST", "/v1/tasks", large).status, 413);
  EXPECT_EQ(kept.ask("GET", "/livez").status, 200);
  const auto reload = [&](const std::string& text) {
    write_file(config, text);
    process.kill(SIGHUP);
    EXPECT_TRUE(manager.read().starts_with("RELOADING=1\n"));
    EXPECT_EQ(manager.read(), "READY=1\n");
  };
  reload("[http]\nbody_max = \"1MiB\"\n");
  EXPECT_EQ(HttpClient(socket()).ask("POST", "/v1/tasks", large).status, 201);
  reload("[http]\nbody_max = \"many\"\n");  // is refused, and nothing changes
  EXPECT_EQ(HttpClient(socket()).ask("POST", "/v1/tasks", large).status, 201);
  EXPECT_EQ(kept.ask("GET", "/livez").status, 200);
}

TEST_F(Serve, SaysWhichKeysItReadAgainNeedARestart) {
  const auto config = (folder / "a.toml").string();
  const std::string log = "[log]\nfile = \"x.log\"\n";
  write_file(config, log + "[engine]\nslots = 2\n[http]\nhosts = [\"a\"]\n");
  const std::string path = (folder / "notify").string();
  NotifySocket manager(path);
  auto words = command({"-c", config});
  words.insert(words.begin(), {"/usr/bin/env", "NOTIFY_SOCKET=" + path});
  ChildProcess process(words);
  EXPECT_EQ(manager.read(), "READY=1\n");
  for (const char* text :
       {"[engine]\nslots = 3\n[http]\nlisten = \"127.0.0.1:1\"\nhosts = [\"b\"]\n",
        "[engine]\nslots = 2\n[http]\nhosts = [\"c\"]\n"}) {
    write_file(config, log + text);
    process.kill(SIGHUP);
    EXPECT_TRUE(manager.read().starts_with("RELOADING=1\n"));
    EXPECT_EQ(manager.read(), "READY=1\n");
  }
  process.kill(SIGTERM);
  EXPECT_EQ(process.wait(), 0);
  const std::string lines = read_file(folder / "x.log");
  const std::string said = "hold from the next start on: ";
  EXPECT_NE(lines.find(said + "engine.slots, http.listen\n"), std::string::npos) << lines;
  EXPECT_EQ(lines.find(said), lines.rfind(said)) << "what is as it was needs none: " << lines;
}

TEST_F(Serve, TellsItsServiceManagerHowItStands) {
  const std::string path = (folder / "notify").string();
  NotifySocket manager(path);
  auto words = command();
  words.insert(words.begin(), {"/usr/bin/env", "NOTIFY_SOCKET=" + path});
  ChildProcess process(words);
  EXPECT_EQ(manager.read(), "READY=1\n");
  EXPECT_EQ(HttpClient(socket()).ask("GET", "/readyz").status, 200);
  process.kill(SIGHUP);
  EXPECT_TRUE(manager.read().starts_with("RELOADING=1\nMONOTONIC_USEC="));
  EXPECT_EQ(manager.read(), "READY=1\n");
  process.kill(SIGTERM);
  EXPECT_EQ(manager.read(), "STOPPING=1\n");
  EXPECT_EQ(process.wait(), 0);
}

TEST_F(Serve, TakesASocketThatWasMadeForIt) {
  const std::string path = (folder / "passed.sock").string();
  const std::string script =
      "import os, socket, sys\n"
      "s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()\n"
      "os.dup2(s.fileno(), 3); os.set_inheritable(3, True)\n"
      "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1')\n"
      "os.execv(sys.argv[2], sys.argv[2:])\n";
  std::vector<std::string> words = {"/usr/bin/env", "python3", "-c", script, path};
  for (const std::string& word : command()) words.push_back(word);
  ChildProcess process(words);
  EXPECT_TRUE(process.read_line().starts_with("serving "));
  EXPECT_EQ(HttpClient(path).ask("GET", "/livez").status, 200);
  EXPECT_FALSE(std::filesystem::exists(socket()));
  process.kill(SIGTERM);
  EXPECT_EQ(process.wait(), 0);
}

TEST_F(Serve, WritesNoTokenAnywhereElse) {
  const auto config = (folder / "a.toml").string();
  const auto log = (folder / "a.log").string();
  write_file(config,
             "[log]\nfile = \"a.log\"\nlevel = \"debug\"\n"
             "[http]\nlisten = \"127.0.0.1:0\"\n");
  {
    ChildProcess process(command({"-c", config, "--verbose"}));
    wait_until_ready(process);
    const std::string door = process.read_line();  // "http http://127.0.0.1:…"
    const std::string where = door.substr(door.rfind('/') + 1);
    const std::string token =
        *add_token(log_folder() + "/daemon/tokens", {.name = "ci", .scopes = AccessScopes::all()});
    EXPECT_EQ(process.read_line().find(token), std::string::npos);
    const HttpClient::Headers shown{{"Authorization", "Bearer " + token}};
    const HttpClient::Headers wrong{{"Authorization", "Bearer canary-of-the-test"}};
    EXPECT_EQ(HttpClient(where).ask("GET", "/v1/tasks", {}, shown).status, 200);
    EXPECT_EQ(HttpClient(where).ask("POST", "/v1/tasks", R"({"kind": "a"})", shown).status, 201);
    EXPECT_EQ(HttpClient(where).ask("GET", "/v1/tasks", {}, wrong).status, 401);
    process.kill(SIGTERM);
    EXPECT_EQ(process.wait(), 0);
    EXPECT_NE(read_file(log).find("turned away"), std::string::npos);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
      if (!entry.is_regular_file()) continue;
      const std::string text = read_file(entry.path());
      EXPECT_EQ(text.find(token), std::string::npos) << entry.path();
      EXPECT_EQ(text.find("canary-of-the-test"), std::string::npos) << entry.path();
    }
  }
}

// ---- kill -9 under load ----

// What clients were answered.
struct Promised {
  std::mutex mutex;
  std::map<std::uint64_t, std::string> tasks;     // that were taken, with their labels
  std::map<std::uint64_t, std::string> finished;  // whose results were taken
};

// One of the clients of a round. The one with a moment kills the daemon as soon as it has so many
// answers: whatever was answered and is not on disk is lost then.
struct Client {
  const std::string& socket;
  Promised& promised;
  std::string name;
  int answers_left = -1;
  std::function<void()> kill = {};

  void answered() {
    if (--answers_left == 0) kill();
  }
};

// Until nobody answers any more.
void submit_until_killed(Client client) {
  for (int i = 0;; ++i) {
    HttpClient one(client.socket);
    const std::string label = client.name + "/" + std::to_string(i);
    const HttpAnswer answer =
        one.ask("POST", "/v1/tasks", R"({"kind": "a", "label": ")" + label + "\"}");
    if (answer.status != 201) return;
    client.answered();
    std::lock_guard guard(client.promised.mutex);
    client.promised.tasks[answer.json()["id"]] = label;
  }
}

void work_until_killed(Client client) {
  for (int i = 0;; ++i) {
    HttpClient one(client.socket);
    const HttpAnswer leased = one.ask("POST", "/v1/leases", R"({"worker": "w", "kinds": ["a"]})");
    if (leased.status != 200) return;
    const nlohmann::json answered = leased.json();
    for (const auto& task : answered["tasks"]) {
      const std::string result = client.name + ":" + std::to_string(i);
      const nlohmann::json words = {
          {"task", task["task"]}, {"token", task["token"]}, {"result", result}};
      if (one.ask("POST", "/v1/leases/result", words.dump()).status != 204) return;
      client.answered();
      std::lock_guard guard(client.promised.mutex);
      EXPECT_TRUE(client.promised.finished.emplace(task["task"], result).second)
          << "two results were taken";
    }
  }
}

TEST_F(Serve, KeepsWhatItAnsweredWhenItIsKilled) {
  Promised promised;
  const std::string where = socket();
  for (int round = 0; round < 12; ++round) {
    ChildProcess process(command());
    wait_until_ready(process);
    const std::size_t before = promised.tasks.size();
    const int moment = 10 + 7 * round;
    const auto kill = [&] { process.kill(SIGKILL); };
    std::vector<std::thread> clients;
    for (int i = 0; i < 3; ++i) {
      const std::string name = std::to_string(round) + "-" + std::to_string(i);
      const bool submitter_kills = i == 0 && round % 3 == 0;
      const bool worker_kills = i == 0 && round % 3 != 0;
      clients.emplace_back(submit_until_killed,
                           Client{where, promised, name, submitter_kills ? moment : -1, kill});
      clients.emplace_back(work_until_killed,
                           Client{where, promised, name, worker_kills ? moment : -1, kill});
    }
    for (std::thread& client : clients) client.join();
    EXPECT_EQ(process.wait(), -SIGKILL);
    EXPECT_GT(promised.tasks.size(), before);
  }
  ChildProcess process(command());
  wait_until_ready(process);
  HttpClient reader(socket());
  for (const auto& [id, label] : promised.tasks) {
    EXPECT_EQ(reader.ask("GET", "/v1/tasks/" + std::to_string(id)).json()["label"], label);
  }
  for (const auto& [id, result] : promised.finished) {
    auto json = reader.ask("GET", "/v1/tasks/" + std::to_string(id)).json();
    EXPECT_EQ(json["state"], "succeeded");
    EXPECT_EQ(json["result"], result);
  }
  EXPECT_GT(promised.finished.size(), 50U);
}

}  // namespace
}  // namespace almanac::test
