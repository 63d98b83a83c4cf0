// An engine in a process of its own, to be killed: engine_victim FOLDER NEWS
// Runs a task that ends and two that do not, a command with a child and a handler, and prints a
// line when they do. The command writes its child's number to the named pipe NEWS.
#include <almanac/engine/engine.h>

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>

namespace {

almanac::TaskSpec shell(const std::string& script, std::string key) {
  auto payload = almanac::encode({.arguments = {"/bin/sh", "-c", script}});
  return {.kind = std::string(almanac::command_kind),
          .payload = payload.value_or(""),
          .idempotency_key = std::move(key)};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string news = argv[2];
  auto engine = almanac::Engine::open({.folder = argv[1], .slots = 4});
  if (!engine) return 1;
  (*engine)->handle("forever", [](const almanac::Attempt&) -> almanac::Outcome {
    while (true) ::pause();
  });
  auto submitted = (*engine)->submit(
      {shell("exit 0", "ends"),
       shell("test $ALMANAC_ATTEMPT = 1 || exit 0; sleep 1000 & echo $! > " + news + "; wait",
             "does not end"),
       {.kind = "forever", .idempotency_key = "handler"}});
  if (!submitted) return 1;
  (*engine)->wait([](const almanac::State& state) {
    return state.tasks.count(almanac::TaskState::succeeded) == 1 &&
           state.tasks.count(almanac::TaskState::running) == 2;
  });
  std::puts("running");
  std::fflush(stdout);
  while (true) ::pause();
}
