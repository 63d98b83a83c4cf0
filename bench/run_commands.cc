// How long does `almanac run` take for 5,000 commands that do nothing, 8 at a time, with every
// change of state on disk, beside xargs -P 8 and GNU parallel -j 8, which keep no record at all?
// Rounds are run in turn; the value is the median in seconds.
#include <almanac/bench/bench_line.h>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Sizes {
  int tasks = 5'000;
  int rounds = 5;
};
constexpr int slots = 8;

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "bench_run_commands: %s\n", why.c_str());
  std::exit(1);
}

// Seconds a shell command takes; its exit code must be 0.
double seconds(const std::string& command) {
  auto began = std::chrono::steady_clock::now();
  if (std::system(command.c_str()) != 0) fail("failed: " + command);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

std::string quoted(const fs::path& path) { return "'" + path.string() + "'"; }

bool is_installed(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null").c_str()) == 0;
}

void write_workload(const fs::path& file, int tasks) {
  std::ofstream out(file);
  for (int i = 0; i < tasks; ++i) out << R"({"command":["/bin/true"]})" << '\n';
}

// All tasks must have succeeded, or the time means nothing.
void check(const std::string& almanac, const fs::path& folder, int tasks) {
  auto command =
      almanac + " list --state succeeded --limit 0 --json --dir " + quoted(folder) + " | wc -l";
  FILE* counted = ::popen(command.c_str(), "r");
  int found = -1;
  if (counted == nullptr || std::fscanf(counted, "%d", &found) != 1 || found != tasks) {
    fail("expected " + std::to_string(tasks) + " tasks that succeeded, found " +
         std::to_string(found));
  }
  ::pclose(counted);
}

}  // namespace

int main(int argc, char** argv) {
  Sizes sizes;
  if (argc > 1 && std::strcmp(argv[1], "--quick") == 0) sizes = {.tasks = 100, .rounds = 1};
  auto bin = fs::canonical("/proc/self/exe").parent_path();
  auto almanac = quoted(bin / "almanac");
  auto folder = bin / ("bench_run_commands." + std::to_string(::getpid()));
  fs::create_directories(folder);
  write_workload(folder / "work.jsonl", sizes.tasks);

  auto input = "seq " + std::to_string(sizes.tasks) + " | ";
  auto jobs = std::to_string(slots);
  std::map<std::string, std::string> peers = {
      {"xargs", input + "xargs -n 1 -P " + jobs + " /bin/true"}};
  if (is_installed("parallel")) {
    peers["parallel"] = input + "parallel --will-cite -j " + jobs + " /bin/true 2>/dev/null";
  }
  std::vector<double> ours;
  std::map<std::string, std::vector<double>> theirs;
  for (int round = 0; round < sizes.rounds; ++round) {
    auto log = folder / ("log" + std::to_string(round));
    ours.push_back(seconds(almanac + " run " + quoted(folder / "work.jsonl") + " --slots " + jobs +
                           " --dir " + quoted(log) + " >/dev/null"));
    check(almanac, log, sizes.tasks);
    for (const auto& [peer, command] : peers) theirs[peer].push_back(seconds(command));
  }
  fs::remove_all(folder);
  auto name = std::to_string(sizes.tasks) + " /bin/true tasks with 8 slots";
  for (const auto& [peer, times] : theirs) {
    almanac::print({.bench = "run_commands",
                    .name = name,
                    .value = almanac::median(ours),
                    .unit = "s",
                    .peer = peer,
                    .peer_value = almanac::median(times)});
  }
  return 0;
}
