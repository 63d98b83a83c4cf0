// The library in one screen: a handler, a task, and what it left behind.
#include <almanac/engine/engine.h>

#include <cstdio>
#include <string>

int main(int argc, char** argv) {
  std::string folder = argc > 1 ? argv[1] : "greetings";

  // [readme]
  auto engine = almanac::Engine::open({.folder = folder});
  if (!engine) {
    std::fprintf(stderr, "%s\n", almanac::describe(engine.error()).c_str());
    return 1;
  }
  (*engine)->handle("greet", [](const almanac::Attempt& attempt) {
    std::printf("Hello, %s!\n", std::string(almanac::as_text(attempt.payload)).c_str());
    return almanac::Outcome::success("greeted");
  });
  auto task = (*engine)->submit({.kind = "greet", .payload = "world", .attempts_max = 3});
  if (!task) {
    std::fprintf(stderr, "%s\n", almanac::describe(task.error()).c_str());
    return 1;
  }
  (*engine)->wait([&](const almanac::State& state) {
    return almanac::has_ended(state.tasks.all.find(task->id)->state);
  });
  // [readme]
  return 0;
}
