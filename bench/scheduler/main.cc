// What does it cost to schedule: how many tasks a second go through enqueue, start and finish, how
// many are taken in one call, how soon does a single one begin, what does choosing among a million
// cost, and how soon does work go on after a death? Beside it, what other job queues do in the same
// run. Every acknowledgement of all of them is on the disk.
//
//   --quick       everything in a few seconds, with figures that mean little
//   --alone       without the other job queues
//   --only TEXT   only cases whose name contains TEXT: throughput, bulk, idle, choice, restart,
//   dead
#include <almanac/bench/bench_line.h>
#include <almanac/bench/require.h>
#include <almanac/bench/scheduler/peers.h>

#include <unistd.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace almanac::bench {
namespace {

namespace fs = std::filesystem;

// Of several rounds, each in a folder of its own.
class Rounds {
 public:
  Rounds(fs::path folder, int count) : folder_(std::move(folder)), count_(count) {}
  std::vector<double> run(const std::function<double(const fs::path&)>& measure) {
    std::vector<double> values;
    for (int i = 0; i < count_; ++i) {
      const auto folder = folder_ / std::to_string(i);
      fs::create_directories(folder);
      values.push_back(measure(folder));
      fs::remove_all(folder);
    }
    return values;
  }

 private:
  fs::path folder_;
  int count_;
};

void say(const std::string& name, std::vector<double> values, const std::string& unit,
         const std::string& bar) {
  std::ranges::sort(values);
  std::fprintf(stderr, "%-58s %12.1f %-8s %.1f … %.1f; bar %s\n", name.c_str(), median(values),
               unit.c_str(), values.front(), values.back(), bar.c_str());
}

void compare_throughput(const fs::path& folder, const Sizes& sizes) {
  const std::string name = "enqueue, start, finish; 100 in flight";
  std::vector<double> ours;
  std::map<std::string, std::vector<double>> theirs;
  for (int round = 0; round < sizes.rounds; ++round) {
    ours.push_back(measure_throughput(folder / "ours", sizes));
    fs::remove_all(folder / "ours");
    if (!sizes.peers) continue;
    for (const PeerResult& peer : measure_peers(folder / "peers", sizes)) {
      if (peer.throughput) {
        theirs[peer.name].push_back(*peer.throughput);
      } else if (round == 0) {
        std::fprintf(stderr, "left out: %s (%s)\n", peer.name.c_str(), peer.left_out.c_str());
      }
    }
    fs::remove_all(folder / "peers");
  }
  say(name, ours, "tasks/s", ">= 100,000 and >= 4 x the best peer");
  print({.bench = "scheduler", .name = name, .value = median(ours), .unit = "tasks/s"});
  for (const auto& [peer, values] : theirs) {
    say("  " + peer, values, "jobs/s", "-");
    print({.bench = "scheduler",
           .name = name,
           .value = median(ours),
           .unit = "tasks/s",
           .peer = peer,
           .peer_value = median(values)});
  }
}

void measure_latency(const fs::path& folder, const Sizes& sizes) {
  std::vector<double> p50, p99, sync;
  for (int round = 0; round < sizes.rounds; ++round) {
    const auto bare = measure_bare_sync(folder / "raw", sizes);
    const auto idle = measure_idle(folder / "idle", sizes);
    sync.push_back(bare.p50.count());
    p50.push_back(idle.p50.count());
    p99.push_back(idle.p99.count());
    fs::remove_all(folder);
  }
  say("one bare sync, p50", sync, "µs", "-");
  say("idle engine, enqueue to handler, p50", p50, "µs", "<= 1.6 x one bare sync");
  say("idle engine, enqueue to handler, p99", p99, "µs", "<= 4 x one bare sync");
  for (const auto& [name, values] : {std::pair("p50", &p50), std::pair("p99", &p99)}) {
    print({.bench = "scheduler",
           .name = std::string("idle engine, enqueue to handler, ") + name,
           .value = median(*values),
           .unit = "µs",
           .peer = "one bare sync, p50",
           .peer_value = median(sync)});
  }
}

void measure(const std::string& name, const std::string& unit, const std::string& bar,
             const std::vector<double>& values) {
  say(name, values, unit, bar);
  print({.bench = "scheduler", .name = name, .value = median(values), .unit = unit});
}

void run(const Sizes& sizes, const std::string& only, const fs::path& folder) {
  const auto asked = [&](std::string_view name) {
    return name.find(only) != std::string_view::npos;
  };
  Rounds rounds(folder, sizes.rounds);
  if (asked("throughput")) compare_throughput(folder, sizes);
  if (asked("bulk")) {
    measure("bulk submission in one call", "tasks/s", ">= 500,000",
            rounds.run([&](const auto& at) { return measure_bulk(at, sizes); }));
  }
  if (asked("idle")) measure_latency(folder / "latency", sizes);
  if (asked("choice")) {
    measure("choosing among 1 M ready tasks, priority", "µs", "<= 2",
            rounds.run([&](const auto&) { return measure_choice(sizes).count(); }));
  }
  if (asked("restart")) {
    measure("killed with 99,000 running: until a new task runs", "ms", "<= 1,000",
            rounds.run([&](const auto& at) { return measure_restart(at, sizes).count() / 1e3; }));
  }
  if (asked("dead")) {
    measure("local worker killed: until its task is ready, p50", "ms", "<= 20",
            rounds.run(
                [&](const auto& at) { return measure_dead_worker(at, sizes).p50.count() / 1e3; }));
  }
}

}  // namespace
}  // namespace almanac::bench

int main(int argc, char** argv) {
  using namespace almanac::bench;
  Sizes sizes;
  std::string only;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--quick") {
      sizes = {.seconds = 0.3,
               .bulk = 10'000,
               .idle = 100,
               .ready = 20'000,
               .running = 2'000,
               .kills = 2,
               .rounds = 1};
    } else if (option == "--alone") {
      sizes.peers = false;
    } else if (option == "--only" && i + 1 < argc) {
      only = argv[++i];
    } else {
      stop("options: --quick, --alone, --only TEXT");
    }
  }
  const auto folder = std::filesystem::canonical("/proc/self/exe").parent_path() /
                      ("bench_scheduler." + std::to_string(::getpid()));
  run(sizes, only, folder);
  std::filesystem::remove_all(folder);
  return 0;
}
