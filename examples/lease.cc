// Workers elsewhere: tasks that no handler of the engine runs go to programs that lease them and
// say by heartbeats that they live. Here the worker is a thread; it could be any program that has a
// way to the engine.
#include <almanac/engine/engine.h>

#include <cstdio>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;

// Some of the work.
std::string render(const std::string& page, int part) {
  return page + (part == 2 ? ", rendered" : "");
}

// [guide]
// One task, as a worker runs it: between the parts of its work it says that it lives.
void run(almanac::Engine& engine, const almanac::LeasedTask& task) {
  std::string page = task.payload;
  for (int part = 0; part < 3; ++part) {
    page = render(page, part);
    const auto status = engine.heartbeat({task.lease});
    // Whatever it comes to would be refused.
    if (status && status->front() == almanac::LeaseStatus::gone) return;
    if (status && status->front() == almanac::LeaseStatus::cancelled) break;
  }
  // Told to stop, or done: what a cancelled attempt comes to is kept, and the task is cancelled.
  const auto finished = engine.finish(task.lease, almanac::Outcome::success(page));
  if (!finished) std::fprintf(stderr, "%s\n", almanac::describe(finished.error()).c_str());
}

void work(almanac::Engine& engine) {
  while (true) {
    // Waits for a task, up to 30 seconds.
    const auto leased = engine.lease(
        {.worker = "render-1", .kinds = {"render"}, .tasks_max = 4, .lease_time = 30s});
    if (!leased) return;  // the engine stops
    for (const almanac::LeasedTask& task : *leased) run(engine, task);
  }
}
// [guide]

}  // namespace

int main(int argc, char** argv) {
  auto opened = almanac::Engine::open({.folder = argc > 1 ? argv[1] : "lease"});
  if (!opened) {
    std::fprintf(stderr, "%s\n", almanac::describe(opened.error()).c_str());
    return 1;
  }
  almanac::Engine& engine = **opened;
  std::thread worker([&] { work(engine); });
  const auto task = engine.submit({.kind = "render", .payload = "page 7"});
  if (task) {
    engine.wait([&](const almanac::State& state) {
      return almanac::has_ended(state.tasks.all.find(task->id)->state);
    });
    const auto ended = *engine.state()->tasks.all.find(task->id);
    std::printf("task %llu %s\n", static_cast<unsigned long long>(task->id.value),
                std::string(almanac::name(ended.state)).c_str());
  }
  engine.stop();
  worker.join();
  return task ? 0 : 1;
}
