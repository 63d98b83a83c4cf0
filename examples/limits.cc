// Limits: what tasks need while they run, and tokens a program takes by itself.
#include <almanac/engine/engine.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace {

int fail(const almanac::Error& error) {
  std::fprintf(stderr, "%s\n", almanac::describe(error).c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace std::chrono_literals;
  auto opened = almanac::Engine::open({.folder = argc > 1 ? argv[1] : "limited"});
  if (!opened) return fail(opened.error());
  almanac::Engine& engine = **opened;

  // [guide]
  auto set = engine.configure_limit("memory", {.units = 8});
  if (set) set = engine.configure_limit("payments", {.per_minute = 600, .burst = 3});
  if (!set) return fail(set.error());

  engine.handle("train", [](const almanac::Attempt&) { return almanac::Outcome::success(); });
  auto task = engine.submit({.kind = "train", .demands = {{"memory", 6}, {"payments", 1}}});
  if (!task) return fail(task.error());

  auto taken = engine.try_take("payments");                     // at once, or false
  if (taken) taken = engine.take("payments", {.timeout = 5s});  // waits, at most 5 s
  if (!taken) return fail(taken.error());
  engine.take("payments", {.tokens = 2, .timeout = 5s},           // answered later, on
              [](almanac::Result<bool> later) { (void)later; });  // the engine's thread
  // [guide]
  engine.wait([&](const almanac::State& state) {
    return almanac::has_ended(state.tasks.all.find(task->id)->state);
  });
  std::printf("task %llu ended, the second take %s\n",
              static_cast<unsigned long long>(task->id.value), *taken ? "was served" : "was not");
  return 0;
}
