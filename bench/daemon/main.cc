// What do programs get that ask the daemon from outside: how many jobs a second go through the wire
// protocol, how soon is a single one fetched, how many requests are answered and tasks taken by
// HTTP, how far behind are many who are told of events, how long does a read of the past take, and
// what do connections cost? Beside it, what other job servers do in the same run.
//
//   --quick       everything in a few seconds, with figures that mean little
//   --alone       without the other job servers
//   --only TEXT   only cases whose name contains TEXT: wire, pipelined, idle, reads, bulk, streams,
//                 past, memory
//   --rounds N    of each; 3 unless said
#include <almanac/bench/bench_line.h>
#include <almanac/bench/daemon/cases.h>
#include <almanac/bench/require.h>

#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <map>
#include <string_view>

namespace almanac::bench {
namespace {

namespace fs = std::filesystem;

void show(const std::string& name, std::vector<double> values, const std::string& unit,
          const std::string& bar) {
  std::ranges::sort(values);
  std::fprintf(stderr, "%-52s %12.1f %-10s %.1f … %.1f; bar %s\n", name.c_str(), median(values),
               unit.c_str(), values.front(), values.back(), bar.c_str());
}

// The rounds of all systems in turn.
class Comparison {
 public:
  Comparison(std::string name, std::string unit, std::string bar)
      : name_(std::move(name)), unit_(std::move(unit)), bar_(std::move(bar)) {}
  void add(double value) { ours_.push_back(value); }
  void add(const std::vector<PeerResult>& peers) {
    for (const PeerResult& peer : peers) {
      if (peer.left_out.empty()) {
        theirs_[peer.name].push_back(peer.value);
      } else if (ours_.size() == 1) {
        std::fprintf(stderr, "left out: %s (%s)\n", peer.name.c_str(), peer.left_out.c_str());
      }
    }
  }
  void tell() const {
    show(name_, ours_, unit_, bar_);
    print({.bench = "daemon", .name = name_, .value = median(ours_), .unit = unit_});
    for (const auto& [peer, values] : theirs_) {
      show("  " + peer, values, unit_, "-");
      print({.bench = "daemon",
             .name = name_,
             .value = median(ours_),
             .unit = unit_,
             .peer = peer,
             .peer_value = median(values)});
    }
  }

 private:
  std::string name_;
  std::string unit_;
  std::string bar_;
  std::vector<double> ours_;
  std::map<std::string, std::vector<double>> theirs_;
};

class Run {
 public:
  Run(const DaemonSizes& sizes, std::string only, fs::path folder)
      : sizes_(sizes), only_(std::move(only)), folder_(std::move(folder)) {}

  void all() {
    wire("wire", Pace::one_by_one, "push, fetch, ack; 100 connections");
    wire("pipelined", Pace::pipelined, "the same, ack and the next push and fetch at once");
    idle();
    one("reads", "GET of a task, 32 connections", "requests/s", ">= 60,000", measure_reads);
    one("bulk", "tasks as JSON Lines", "tasks/s", ">= 200,000", measure_bulk);
    one("streams", "500 streams, 1,000 events/s: furthest behind", "ms", "<= 100", measure_streams);
    one("memory", "1,000 connections", "MiB", "<= 40", measure_memory);
    const int rounds = std::exchange(sizes_.rounds, 1);
    one("past", "?at= anywhere in the log, p99", "ms", "<= 200 in 10 M events", measure_past);
    sizes_.rounds = rounds;
  }

 private:
  [[nodiscard]] bool is_asked(std::string_view name) const {
    return name.find(only_) != std::string_view::npos;
  }
  // What `measure` says in a folder that is gone behind it.
  template <class Measure>
  auto in_folder(Measure measure) {
    const auto value = measure(folder_);
    fs::remove_all(folder_);
    return value;
  }
  void one(std::string_view name, const std::string& title, const std::string& unit,
           const std::string& bar, double (*measure)(const fs::path&, const DaemonSizes&)) {
    if (!is_asked(name)) return;
    Comparison comparison(title, unit, bar);
    for (int round = 0; round < sizes_.rounds; ++round) {
      comparison.add(in_folder([&](const fs::path& at) { return measure(at, sizes_); }));
    }
    comparison.tell();
  }
  void wire(std::string_view name, Pace pace, const std::string& title) {
    if (!is_asked(name)) return;
    Comparison rates(title, "jobs/s", ">= 40,000 and >= 2 x the best peer");
    Comparison costs(title + ": processor", "µs/job", "-");
    Comparison asking(title + ": processor, of who asks", "µs/job", "-");
    for (int round = 0; round < sizes_.rounds; ++round) {
      const auto ours =
          in_folder([&](const fs::path& at) { return measure_wire(at, sizes_, pace); });
      rates.add(ours.jobs);
      costs.add(ours.cpu_us_job);
      asking.add(ours.client_us_job);
      if (!sizes_.peers) continue;
      rates.add(
          in_folder([&](const fs::path& at) { return measure_peer_rates(at, sizes_, pace); }));
    }
    rates.tell();
    costs.tell();
    asking.tell();
  }
  void idle() {
    if (!is_asked("idle")) return;
    Comparison times("one job, from push to fetched, p50", "µs", "<= 400 and below every peer");
    for (int round = 0; round < sizes_.rounds; ++round) {
      times.add(in_folder([&](const fs::path& at) { return measure_wire_idle(at, sizes_); }));
      if (!sizes_.peers) continue;
      times.add(in_folder([&](const fs::path& at) { return measure_peer_idle(at, sizes_); }));
    }
    times.tell();
  }

  DaemonSizes sizes_;
  std::string only_;
  fs::path folder_;
};

}  // namespace
}  // namespace almanac::bench

int main(int argc, char** argv) {
  using namespace almanac::bench;
  DaemonSizes sizes;
  std::string only;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--quick") {
      sizes = {.seconds = 0.3,
               .idle = 20,
               .bulk = 1'000,
               .streams = 20,
               .idle_clients = 50,
               .history = 20'000,
               .questions = 20,
               .rounds = 1};
    } else if (option == "--alone") {
      sizes.peers = false;
    } else if (option == "--only" && i + 1 < argc) {
      only = argv[++i];
    } else if (option == "--rounds" && i + 1 < argc) {
      sizes.rounds = std::max(std::atoi(argv[++i]), 1);
    } else {
      stop("options: --quick, --alone, --only TEXT, --rounds N");
    }
  }
  const auto folder = std::filesystem::canonical("/proc/self/exe").parent_path() /
                      ("bench_daemon." + std::to_string(::getpid()));
  Run(sizes, only, folder).all();
  std::filesystem::remove_all(folder);
  return 0;
}
