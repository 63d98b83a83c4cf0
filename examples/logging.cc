// What a program says of itself, with the task that it is about, also on other threads. Runs in a
// folder of its own, which is removed at the end.
#include <almanac/engine/diagnostics.h>
#include <almanac/engine/engine.h>
#include <almanac/engine/log_context.h>

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>

namespace {

int fail(const almanac::Error& error) {
  std::fprintf(stderr, "logging: %s\n", almanac::describe(error).c_str());
  return 1;
}

int run(const std::filesystem::path& folder) {
  auto set =
      almanac::set_log_file({.path = folder / "program.log", .format = almanac::LogFormat::json});
  if (!set) return fail(set.error());
  auto engine = almanac::Engine::open({.folder = folder / "work"});
  if (!engine) return fail(engine.error());
  (*engine)->handle("ask", [](const almanac::Attempt&) {
    // [guide]
    const almanac::LogScope scope("search", {{"index", "books"}});
    std::thread asking(almanac::in_log_context([] { almanac::warn("the index is cold"); }));
    asking.join();  // … warning: the index is cold (task 1, attempt 1, search) index=books
    // [guide]
    return almanac::Outcome::success();
  });
  auto task = (*engine)->submit({.kind = "ask"});
  if (!task) return fail(task.error());
  (*engine)->wait([&](const almanac::State& state) {
    return almanac::has_ended(state.tasks.all.find(task->id)->state);
  });
  (void)almanac::set_log_file({});  // what was logged is in the file when this returns
  return 0;
}

}  // namespace

int main() {
  const auto folder =
      std::filesystem::temp_directory_path() / ("almanac-logging." + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const int code = run(folder);
  std::filesystem::remove_all(folder);
  return code;
}
