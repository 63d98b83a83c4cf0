// A task that is enqueued again and again: recurring [FOLDER]
#include <almanac/engine/engine.h>

#include <cstdio>
#include <string>

int main(int argc, char** argv) {
  std::string folder = argc > 1 ? argv[1] : "recurring";
  auto engine = almanac::Engine::open({.folder = folder});
  if (!engine) {
    std::fprintf(stderr, "%s\n", almanac::describe(engine.error()).c_str());
    return 1;
  }

  // [define]
  (*engine)->handle("tidy", [](const almanac::Attempt& attempt) {
    std::printf("tidying up %s\n", std::string(almanac::as_text(attempt.payload)).c_str());
    std::fflush(stdout);
    return almanac::Outcome::success();
  });
  auto recurrence = almanac::Recurrence::parse("* * * * * * Europe/Paris");  // each second
  if (!recurrence) {
    std::fprintf(stderr, "%s\n", almanac::describe(recurrence.error()).c_str());
    return 1;
  }
  auto defined = (*engine)->define_schedule({.name = "tidy",
                                             .recurrence = *recurrence,
                                             .task = {.kind = "tidy", .payload = "the attic"},
                                             .missed = almanac::MissedPolicy::skip,
                                             .overlap = almanac::OverlapPolicy::queue});
  // [define]
  if (!defined) {
    std::fprintf(stderr, "%s\n", almanac::describe(defined.error()).c_str());
    return 1;
  }
  (*engine)->wait([](const almanac::State& state) {
    return state.tasks.count(almanac::TaskState::succeeded) >= 2;
  });
  return 0;
}
