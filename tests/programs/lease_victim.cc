// An engine in a process of its own that leases a task to who started it, to be killed:
// lease_victim FOLDER
// Prints "ID TOKEN" of a task of kind "render", and runs one of kind "here" by itself, for ever.
#include <almanac/engine/engine.h>

#include <unistd.h>

#include <cstdio>
#include <utility>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  auto engine = almanac::Engine::open({.folder = argv[1], .slots = 4});
  if (!engine) return 1;
  (*engine)->handle("here", [](const almanac::Attempt&) -> almanac::Outcome {
    while (true) ::pause();
  });
  std::vector<almanac::TaskSpec> tasks = {{.kind = "render", .payload = "page 7"},
                                          {.kind = "here"}};
  auto submitted = (*engine)->submit(std::move(tasks));
  auto leased = (*engine)->lease(
      {.worker = "render-1", .kinds = {"render"}, .lease_time = std::chrono::seconds(60)});
  if (!submitted || !leased || leased->size() != 1) return 1;
  (*engine)->wait([](const almanac::State& state) { return state.tasks.running.size() == 2; });
  const almanac::HeldLease& lease = leased->front().lease;
  std::printf("%llu %s\n", static_cast<unsigned long long>(lease.id.value),
              almanac::to_text(lease.token).c_str());
  std::fflush(stdout);
  while (true) ::pause();
}
