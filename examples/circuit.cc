// Circuits: a service that fails is not asked for a while, by tasks or by the program itself.
#include <almanac/engine/engine.h>

#include <chrono>
#include <cstdio>
#include <future>
#include <string>

namespace {

int fail(const almanac::Error& error) {
  std::fprintf(stderr, "%s\n", almanac::describe(error).c_str());
  return 1;
}

// Down today.
almanac::Result<std::string> search_for(const std::string& words) {
  return almanac::fail(almanac::ErrorCode::io, "nobody answers who could look for " + words);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace std::chrono_literals;
  std::promise<void> has_opened;
  auto opened = almanac::Engine::open({.folder = argc > 1 ? argv[1] : "guarded",
                                       .on_circuit = [&](const almanac::CircuitMove& move) {
                                         if (move.to == almanac::CircuitState::open)
                                           has_opened.set_value();
                                       }});
  if (!opened) return fail(opened.error());
  almanac::Engine& engine = **opened;

  // [guide]
  auto set = engine.configure_circuit("search", {.consecutive_failures = 3, .cooldown = 5s});
  if (!set) return fail(set.error());
  auto gate = engine.circuit("search");  // lives as long as the engine
  if (!gate) return fail(gate.error());
  almanac::CircuitGate& search = **gate;

  for (int i = 0; i < 3; ++i) {
    auto found = search.call([] { return search_for("a needle"); });
    std::puts(found && found->has_value() ? "found" : "not found");
  }

  auto permit = search.allow();  // the same in steps; a permit is a scope as well
  if (permit) search_for("a needle") ? permit->succeeded() : permit->failed();
  // [guide]
  if (has_opened.get_future().wait_for(10s) != std::future_status::ready) return 1;
  auto refused = search.allow();
  std::printf("%s\n", refused ? "allowed" : "refused until it has cooled down");
  return 0;
}
