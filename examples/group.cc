// A group: tasks that come with several submissions, some of them from within a task that runs, and
// what comes after all of them.
#include <almanac/engine/engine.h>

#include <cstdio>
#include <string>

namespace {

almanac::Outcome outcome_of(bool succeeded, const char* otherwise) {
  return succeeded ? almanac::Outcome::success() : almanac::Outcome::failure(otherwise);
}

bool has_ended(const almanac::State& state, almanac::TaskId id) {
  return almanac::has_ended(state.tasks.all.find(id)->state);
}

}  // namespace

int main(int argc, char** argv) {
  auto opened = almanac::Engine::open({.folder = argc > 1 ? argv[1] : "group"});
  if (!opened) {
    std::fprintf(stderr, "%s\n", almanac::describe(opened.error()).c_str());
    return 1;
  }
  almanac::Engine& engine = **opened;
  engine.handle("page", [](const almanac::Attempt&) { return almanac::Outcome::success(); });
  engine.handle("report", [](const almanac::Attempt&) { return almanac::Outcome::success(); });
  // [guide]
  engine.handle("list", [&](const almanac::Attempt&) {
    const bool all = engine.submit({.kind = "page", .payload = "1", .group = "import"}) &&
                     engine.submit({.kind = "page", .payload = "2", .group = "import"});
    return outcome_of(all, "a page was not submitted");
  });
  auto group = engine.open_group("import");
  auto report = engine.submit({.kind = "report", .after_group = almanac::AfterGroup{"import"}});
  auto list = engine.submit({.kind = "list", .payload = "pages", .group = "import"});
  if (!group || !report || !list) return 1;
  engine.wait([&](const almanac::State& state) { return has_ended(state, list->id); });
  auto closed = engine.close_group("import");  // the report begins when all pages have ended
  // [guide]
  engine.wait([&](const almanac::State& state) { return has_ended(state, report->id); });
  const auto state = engine.state();
  std::printf("report %s\n",
              std::string(almanac::name(state->tasks.all.find(report->id)->state)).c_str());
  return closed ? 0 : 1;
}
