// An advisor: a program in another language that says which of the ready tasks begin first.
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
  const std::string folder = argc > 1 ? argv[1] : "work";
  const std::string script = argc > 2 ? argv[2] : "examples/advisor/ranker.js";
  // [guide]
  almanac::AdvisorSpec ranker{.name = "ranker", .command = {.arguments = {"node", script}}};
  ranker.has_fallback = false;  // nothing begins before it has been heard
  auto engine = almanac::Engine::open({.folder = folder, .slots = 1, .advisor = ranker});
  // [guide]
  if (!engine) return fail(engine.error());
  (*engine)->handle("report", [](const almanac::Attempt& attempt) {
    std::printf("%s\n", std::string(almanac::as_text(attempt.payload)).c_str());
    return almanac::Outcome::success();
  });
  const almanac::Time now = almanac::system_time();
  auto submitted = (*engine)->submit({
      {.kind = "report", .payload = "some day"},
      {.kind = "report", .payload = "in five minutes", .deadline = now + 5min},
      {.kind = "report", .payload = "in two minutes", .deadline = now + 2min},
  });
  if (!submitted) return fail(submitted.error());
  (*engine)->wait([](const almanac::State& state) { return state.tasks.live() == 0; });
  return 0;
}
