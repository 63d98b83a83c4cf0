// kill -9 of a server under load from many connections, and an oracle that has written down what
// was answered: no job whose PUSH was answered is lost, none whose ACK was answered runs again.
#include <almanac/engine/engine.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/wire_client.h>

#include <gtest/gtest.h>

#include <signal.h>

#include <atomic>
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

// What clients have been answered. Any thread.
class WireOracle {
 public:
  void pushed(const std::string& jid) {
    std::lock_guard guard(mutex_);
    pushed_.insert(jid);
  }
  void fetched(const std::string& jid) {
    std::lock_guard guard(mutex_);
    if (acknowledged_.contains(jid)) faults_ += jid + " ran again; ";
    ++fetches_;
  }
  void acknowledging(const std::string& jid) {
    std::lock_guard guard(mutex_);
    asked_.insert(jid);
  }
  void acknowledged(const std::string& jid) {
    std::lock_guard guard(mutex_);
    acknowledged_.insert(jid);
  }
  // By the states of all jobs that the log has at the end.
  std::string judge(const std::map<std::string, TaskState>& jobs) {
    std::string faults = faults_;
    for (const std::string& jid : pushed_) {
      const auto job = jobs.find(jid);
      if (job == jobs.end()) {
        faults += jid + " was lost; ";
      } else if (acknowledged_.contains(jid) && job->second != TaskState::succeeded) {
        faults += jid + " was acknowledged, and is " + std::string(name(job->second)) + "; ";
      } else if (!asked_.contains(jid) && has_ended(job->second)) {
        faults += jid + " ended by itself; ";
      }
    }
    return faults;
  }
  [[nodiscard]] std::size_t count_pushed() const { return pushed_.size(); }
  [[nodiscard]] std::size_t count_acknowledged() const { return acknowledged_.size(); }

 private:
  std::mutex mutex_;
  std::set<std::string> pushed_;
  std::set<std::string> asked_;
  std::set<std::string> acknowledged_;
  std::size_t fetches_ = 0;
  std::string faults_;
};

std::string jid_in(const std::string& job) {
  const auto at = job.find("\"jid\":\"") + 7;
  return job.substr(at, job.find('"', at) - at);
}

void produce(std::uint16_t port, const std::string& name, WireOracle& oracle) {
  WireClient client(port);
  if (!client.is_connected() || !client.hello()) return;
  for (int i = 0;; ++i) {
    const std::string jid = name + "-" + std::to_string(i);
    if (client.ask(R"(PUSH {"jid":")" + jid + R"(","jobtype":"work","args":[1]})") != "+OK") return;
    oracle.pushed(jid);
  }
}

void consume(std::uint16_t port, const std::string& name, WireOracle& oracle) {
  WireClient client(port);
  if (!client.is_connected() || !client.hello(name)) return;
  while (true) {
    const std::string job = client.ask("FETCH default");
    if (job == "(null)") continue;
    if (!job.starts_with("$ ")) return;
    const std::string jid = jid_in(job);
    oracle.fetched(jid);
    oracle.acknowledging(jid);
    if (client.ask("ACK {\"jid\":\"" + jid + "\"}") != "+OK") return;
    oracle.acknowledged(jid);
  }
}

std::map<std::string, TaskState> jobs_in(const std::filesystem::path& folder) {
  std::map<std::string, TaskState> jobs;
  auto engine = Engine::open({.folder = folder});
  if (!engine) return jobs;
  const auto state = (*engine)->state();
  for (const auto& [id, task] : state->tasks.all) {
    (void)(*engine)->log().read_one(task.enqueued, [&](const Event& event) {
      jobs[std::string(request_in(event.body).label)] = task.state;
    });
  }
  return jobs;
}

TEST(KilledWire, LosesNoPushAndRunsNoAcknowledgedJobAgain) {
  TempFolder folder;
  const bool is_campaign = std::getenv("ALMANAC_CAMPAIGN") != nullptr;
  const int rounds = is_campaign ? 200 : 12;
  const auto seed = std::random_device()();
  std::mt19937 random(seed);
  WireOracle oracle;
  for (int round = 0; round < rounds; ++round) {
    ChildProcess victim(
        {std::string(std::getenv("ALMANAC_BUILD_BIN")) + "/wire_victim", folder / "log", "0"});
    const auto port = static_cast<std::uint16_t>(std::stoi(victim.read_line()));
    std::vector<std::thread> clients;
    for (int i = 0; i < 4; ++i) {
      const std::string name = "round-" + std::to_string(round) + "-" + std::to_string(i);
      clients.emplace_back([=, &oracle] { produce(port, name, oracle); });
      clients.emplace_back([=, &oracle] { consume(port, name, oracle); });
    }
    // Killed behind so many more pushes, or acknowledgements.
    WireClient watch(port);
    ASSERT_TRUE(watch.hello());
    const auto more = 20 + random() % 400;
    for (unsigned i = 0; i < more; ++i) {
      const std::string jid = "watch-" + std::to_string(round) + "-" + std::to_string(i);
      ASSERT_EQ(watch.ask(R"(PUSH {"jid":")" + jid + R"(","jobtype":"work","args":[1]})"), "+OK");
      oracle.pushed(jid);
    }
    victim.kill(SIGKILL);
    for (std::thread& client : clients) client.join();
    EXPECT_EQ(victim.wait(), -SIGKILL);
  }
  EXPECT_EQ(oracle.judge(jobs_in(folder / "log")), "") << "seed " << seed;
  EXPECT_GT(oracle.count_acknowledged(), 100U);
  std::printf("%d kills, %zu pushed, %zu acknowledged\n", rounds, oracle.count_pushed(),
              oracle.count_acknowledged());
}

// What the oracle itself can see.
TEST(WireOracle, SeesWhatIsLostAndWhatRunsTwice) {
  const auto judged = [](auto tell, const std::map<std::string, TaskState>& jobs) {
    WireOracle oracle;
    tell(oracle);
    return oracle.judge(jobs);
  };
  EXPECT_EQ(judged([](WireOracle& o) { o.pushed("a"); }, {}), "a was lost; ");
  EXPECT_EQ(judged([](WireOracle& o) { o.pushed("a"); }, {{"a", TaskState::succeeded}}),
            "a ended by itself; ");
  EXPECT_EQ(judged(
                [](WireOracle& o) {
                  o.pushed("a");
                  o.acknowledged("a");
                },
                {{"a", TaskState::ready}}),
            "a was acknowledged, and is ready; ");
  EXPECT_EQ(judged(
                [](WireOracle& o) {
                  o.acknowledged("a");
                  o.fetched("a");
                },
                {}),
            "a ran again; ");
  EXPECT_EQ(judged([](WireOracle& o) { o.pushed("a"); }, {{"a", TaskState::ready}}), "");
}

}  // namespace
}  // namespace almanac::test
