// Fallback: a kind that is run by a service, and by other means while that cannot be used.
#include <almanac/engine/engine.h>

#include <cstdio>
#include <string>

namespace {

// A service that is never there.
almanac::Outcome ask_service(const almanac::Attempt&) {
  return almanac::Outcome::failure("connection refused");
}
almanac::Outcome ping_service() { return almanac::Outcome::failure("connection refused"); }

almanac::Outcome answer_by_rules(const almanac::Attempt&) {
  return almanac::Outcome::success("by rules");
}

}  // namespace

int main(int argc, char** argv) {
  using namespace std::chrono_literals;
  auto opened = almanac::Engine::open({.folder = argc > 1 ? argv[1] : "fallback"});
  if (!opened) {
    std::fprintf(stderr, "%s\n", almanac::describe(opened.error()).c_str());
    return 1;
  }
  almanac::Engine& engine = **opened;

  // [guide]
  auto handled = engine.handle("ask", {{.name = "service",
                                        .handler = ask_service,
                                        .probe = ping_service,
                                        .probe_interval = 5s,
                                        .attempts = 1},
                                       {.name = "rules", .handler = answer_by_rules}});
  // [guide]
  auto task = engine.submit({.kind = "ask"});
  if (!handled || !task) return 1;
  engine.wait([&](const almanac::State& state) {
    return almanac::has_ended(state.tasks.all.find(task->id)->state);
  });
  const auto state = engine.state();
  const almanac::Task& ended = *state->tasks.all.find(task->id);
  std::printf("task %llu %s\n", static_cast<unsigned long long>(task->id.value),
              std::string(almanac::name(ended.state)).c_str());
  return 0;
}
