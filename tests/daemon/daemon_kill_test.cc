// kill -9 of the daemon under load from all three doors, and an oracle that has written down what
// was answered: nothing that was acknowledged is lost, and no task is run by two valid leases.
#include <almanac/daemon/token_file.h>
#include <almanac/engine/engine.h>
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/http_client.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/wire_client.h>

#include <gtest/gtest.h>

#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

// What was answered, by the names that clients gave their tasks. Any thread.
class DoorOracle {
 public:
  void submitted(const std::string& task) {
    std::lock_guard guard(mutex_);
    submitted_.insert(task);
  }
  // A later lease of a task has a larger number. What is told of may have been over for long.
  void leased(const std::string& task, std::uint64_t lease) {
    std::lock_guard guard(mutex_);
    const auto finished = finished_.find(task);
    if (finished != finished_.end() && lease > finished->second) faults_ += task + " ran again; ";
    newest_[task] = std::max(newest_[task], lease);
  }
  // Called before it is sent: whether the lease can still be valid.
  bool finishing(const std::string& task, std::uint64_t lease) {
    std::lock_guard guard(mutex_);
    asked_.insert(task);
    return newest_[task] == lease;
  }
  void finished(const std::string& task, std::uint64_t lease, bool was_valid) {
    std::lock_guard guard(mutex_);
    if (!was_valid) faults_ += task + " was ended by a lease that was over; ";
    if (!finished_.emplace(task, lease).second) faults_ += task + " was ended twice; ";
  }
  // For leases that have no number of their own.
  std::uint64_t next_lease() {
    std::lock_guard guard(mutex_);
    return ++leases_;
  }
  // By the states of all tasks that the log has at the end.
  std::string judge(const std::map<std::string, TaskState>& tasks) const {
    std::string faults = faults_;
    for (const std::string& name : submitted_) {
      const auto task = tasks.find(name);
      if (task == tasks.end()) {
        faults += name + " was lost; ";
      } else if (finished_.contains(name) && task->second != TaskState::succeeded) {
        faults += name + " was ended, and is " + std::string(almanac::name(task->second)) + "; ";
      } else if (!asked_.contains(name) && has_ended(task->second)) {
        faults += name + " ended by itself: " + std::string(almanac::name(task->second)) + "; ";
      }
    }
    return faults;
  }
  [[nodiscard]] std::size_t count_submitted() const { return submitted_.size(); }
  // With this in their names.
  [[nodiscard]] std::size_t count_finished(std::string_view part = {}) const {
    return static_cast<std::size_t>(std::ranges::count_if(finished_, [&](const auto& finished) {
      return finished.first.find(part) != std::string::npos;
    }));
  }

 private:
  std::mutex mutex_;
  std::set<std::string> submitted_;
  std::uint64_t leases_ = 0;
  std::map<std::string, std::uint64_t> newest_;
  std::set<std::string> asked_;
  std::map<std::string, std::uint64_t> finished_;  // by which lease
  std::string faults_;
};

// The doors of one daemon.
struct Doors {
  std::string socket;
  std::string tcp;
  HttpClient::Headers token;  // for TCP
  std::uint16_t wire_port = 0;
};

// A client of one of the two doors of HTTP.
struct HttpDoor {
  HttpClient client;
  HttpClient::Headers headers;

  HttpDoor(const Doors& doors, bool is_local)
      : client(is_local ? doors.socket : doors.tcp),
        headers(is_local ? HttpClient::Headers() : doors.token) {}
  HttpAnswer post(const std::string& path, const nlohmann::json& body) {
    return client.ask("POST", path, body.dump(), headers);
  }
};

bool submit_by_http(HttpDoor& door, const std::string& name, DoorOracle& oracle) {
  // A worker that is silent for a second, as its machine is busy or it was killed, is a crash.
  const HttpAnswer answer = door.post(
      "/v1/tasks", {{"kind", "http"}, {"queue", "web"}, {"label", name}, {"crashes", 1'000}});
  if (answer.status == 201) oracle.submitted(name);
  return answer.status == 201;
}

void submit_all_by_http(const Doors& doors, bool is_local, const std::string& name,
                        DoorOracle& oracle) {
  HttpDoor door(doors, is_local);
  for (int i = 0; submit_by_http(door, name + "-" + std::to_string(i), oracle); ++i) {}
}

void work_by_http(const Doors& doors, bool is_local, DoorOracle& oracle) {
  HttpDoor door(doors, is_local);
  while (true) {
    const HttpAnswer answer = door.post("/v1/leases", {{"worker", "w"},
                                                       {"kinds", {"http"}},
                                                       {"tasks_max", 4},
                                                       {"lease_time", "1s"},
                                                       {"wait", "1s"}});
    if (answer.status != 200) return;
    const nlohmann::json leased = answer.json();
    for (const auto& task : leased["tasks"]) {
      const std::string name = task["label"];
      const std::string token = task["token"];
      const std::uint64_t lease = std::stoull(token.substr(token.rfind(':') + 1));
      oracle.leased(name, lease);
      const bool is_valid = oracle.finishing(name, lease);
      const HttpAnswer ended = door.post(
          "/v1/leases/result", {{"task", task["task"]}, {"token", token}, {"result", "r"}});
      if (ended.status == 204) oracle.finished(name, lease, is_valid);
      if (ended.status == 0) return;
    }
  }
}

void push_by_wire(const Doors& doors, const std::string& name, DoorOracle& oracle) {
  WireClient client(doors.wire_port);
  if (!client.is_connected() || !client.hello()) return;
  for (int i = 0;; ++i) {
    const std::string jid = name + "-" + std::to_string(i);
    if (client.ask(R"(PUSH {"jid":")" + jid + R"(","jobtype":"work","args":[1]})") != "+OK") return;
    oracle.submitted(jid);
  }
}

void work_by_wire(const Doors& doors, const std::string& name, DoorOracle& oracle) {
  WireClient client(doors.wire_port);
  if (!client.is_connected() || !client.hello(name)) return;
  while (true) {
    const std::string job = client.ask("FETCH default");
    if (job == "(null)") continue;
    const auto at = job.find("\"jid\":\"") + 7;
    if (!job.starts_with("$ ")) return;
    const std::string jid = job.substr(at, job.find('"', at) - at);
    const std::uint64_t lease = oracle.next_lease();
    oracle.leased(jid, lease);
    const bool is_valid = oracle.finishing(jid, lease);
    if (client.ask("ACK {\"jid\":\"" + jid + "\"}") != "+OK") return;
    oracle.finished(jid, lease, is_valid);
  }
}

std::string behind(const std::string& line, const std::string& begin) {
  EXPECT_TRUE(line.starts_with(begin)) << line;
  return line.substr(std::min(begin.size(), line.size()));
}

Doors read_doors(ChildProcess& daemon, int round) {
  Doors doors;
  behind(daemon.read_line(), "serving ");
  doors.socket = behind(daemon.read_line(), "socket ");
  doors.tcp = behind(daemon.read_line(), "http http://");
  const std::string wire = behind(daemon.read_line(), "faktory tcp://");
  doors.wire_port = static_cast<std::uint16_t>(std::stoi("0" + wire.substr(wire.rfind(':') + 1)));
  const std::string tokens = behind(daemon.read_line(), "tokens ");
  const auto token = add_token(tokens, {.name = "round-" + std::to_string(round),
                                        .scopes = *scopes_from("read,submit,work"),
                                        .made = system_time(),
                                        .expires = {}});
  EXPECT_TRUE(token) << describe(token.error());
  doors.token = {{"Authorization", "Bearer " + token.value_or("")}};
  return doors;
}

std::map<std::string, TaskState> tasks_by_label(const std::filesystem::path& folder) {
  std::map<std::string, TaskState> tasks;
  auto engine = Engine::open({.folder = folder});
  if (!engine) return tasks;
  const auto state = (*engine)->state();
  for (const auto& [id, task] : state->tasks.all) {
    (void)(*engine)->log().read_one(task.enqueued, [&](const Event& event) {
      tasks[std::string(request_in(event.body).label)] = task.state;
    });
  }
  return tasks;
}

std::vector<std::thread> start_clients(const Doors& doors, const std::string& round,
                                       DoorOracle& oracle) {
  std::vector<std::thread> clients;
  for (const bool is_local : {true, false}) {
    const std::string name = round + (is_local ? "-unix" : "-tcp");
    clients.emplace_back([=, &oracle] { submit_all_by_http(doors, is_local, name, oracle); });
    clients.emplace_back([=, &oracle] { work_by_http(doors, is_local, oracle); });
    clients.emplace_back([=, &oracle] { work_by_http(doors, is_local, oracle); });
  }
  clients.emplace_back([=, &oracle] { push_by_wire(doors, round + "-wire", oracle); });
  clients.emplace_back([=, &oracle] { work_by_wire(doors, round + "-wire", oracle); });
  return clients;
}

TEST(KilledDaemon, LosesNothingItAcknowledgedByAnyOfItsDoors) {
  TempFolder folder;
  write_file(folder / "almanac.toml",
             "[http]\nlisten = \"127.0.0.1:0\"\n[faktory]\nlisten = \"127.0.0.1:0\"\n");
  const int rounds = std::getenv("ALMANAC_CAMPAIGN") != nullptr ? 100 : 6;
  const auto seed = std::random_device()();
  std::mt19937 random(seed);
  DoorOracle oracle;
  for (int round = 0; round < rounds; ++round) {
    ChildProcess daemon({almanac_path(), "serve", "--dir", (folder / "log").string(), "--config",
                         (folder / "almanac.toml").string()});
    const Doors doors = read_doors(daemon, round);
    const std::string name = "round-" + std::to_string(round);
    std::vector<std::thread> clients = start_clients(doors, name, oracle);
    // Killed behind so many more submissions.
    HttpDoor watch(doors, true);
    const auto more = 20 + random() % 200;
    for (unsigned i = 0; i < more; ++i) {
      EXPECT_TRUE(submit_by_http(watch, name + "-watch-" + std::to_string(i), oracle));
    }
    daemon.kill(SIGKILL);
    for (std::thread& client : clients) client.join();
    EXPECT_EQ(daemon.wait(), -SIGKILL);
  }
  EXPECT_EQ(oracle.judge(tasks_by_label(folder / "log")), "") << "seed " << seed;
  for (const char* door : {"-unix", "-tcp", "-wire"}) {
    EXPECT_GT(oracle.count_finished(door), 0U) << door;
  }
  std::printf("%d kills, %zu submitted, %zu ended\n", rounds, oracle.count_submitted(),
              oracle.count_finished());
}

// What the oracle itself can see.
TEST(DoorOracle, SeesWhatIsLostAndWhatIsRunByTwoLeases) {
  const auto judged = [](auto tell, const std::map<std::string, TaskState>& tasks) {
    DoorOracle oracle;
    tell(oracle);
    return oracle.judge(tasks);
  };
  const auto succeeded = std::map<std::string, TaskState>{{"a", TaskState::succeeded}};
  EXPECT_EQ(judged([](DoorOracle& o) { o.submitted("a"); }, {}), "a was lost; ");
  EXPECT_EQ(judged([](DoorOracle& o) { o.submitted("a"); }, succeeded),
            "a ended by itself: succeeded; ");
  EXPECT_EQ(judged(
                [](DoorOracle& o) {
                  o.finished("a", 1, true);
                  o.leased("a", 2);
                },
                {}),
            "a ran again; ");
  EXPECT_EQ(judged(
                [](DoorOracle& o) {
                  o.leased("a", 1);
                  o.leased("a", 2);
                  o.finished("a", 1, o.finishing("a", 1));
                },
                {}),
            "a was ended by a lease that was over; ");
  EXPECT_EQ(judged(
                [](DoorOracle& o) {
                  o.finished("a", 1, true);
                  o.finished("a", 2, true);
                },
                {}),
            "a was ended twice; ");
  EXPECT_EQ(judged(
                [](DoorOracle& o) {
                  o.submitted("a");
                  o.leased("a", 2);
                  o.leased("a", 1);  // of which was told late
                  o.finished("a", 2, o.finishing("a", 2));
                },
                succeeded),
            "");
}

}  // namespace
}  // namespace almanac::test
