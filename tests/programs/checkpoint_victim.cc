// An engine that writes checkpoints all the time, to be killed: checkpoint_victim FOLDER TASKS
// Holds so many tasks, so that a checkpoint takes a while, and enqueues more.
#include <almanac/engine/engine.h>

#include <chrono>
#include <cstdlib>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  auto engine = almanac::Engine::open(
      {.folder = argv[1], .checkpoints = {.events = 1, .period = std::chrono::hours(1)}});
  if (!engine) return 1;
  const auto count = std::strtoull(argv[2], nullptr, 10);
  while (true) {
    const bool more = (*engine)->state()->tasks.all.size() < count;
    std::vector<almanac::TaskSpec> tasks(more ? count : 1, almanac::TaskSpec{.kind = "none"});
    if (!(*engine)->submit(std::move(tasks))) return 1;
  }
}
