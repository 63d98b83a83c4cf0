// The log without the engine: keeping it small. docs/guides/log.md shows the parts.
#include <almanac/log/log.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace {

using namespace almanac;
using namespace std::chrono_literals;

int give_up(const Error& error) {
  std::fprintf(stderr, "%s: %s\n", std::string(name(error.code)).c_str(), describe(error).c_str());
  return 1;
}

// Stands for whatever your program makes of the events.
Result<void> save_state(Position through) {
  std::printf("the state at position %zu is kept\n", through.value);
  return {};
}

// [trim]
Result<TrimReport> keep_a_month(Log& log) {
  auto end = log.tail();
  if (!end) return std::unexpected(end.error());
  if (auto saved = save_state(end->last); !saved) return std::unexpected(saved.error());
  if (auto said = log.set_checkpoint(end->last); !said) return std::unexpected(said.error());
  return log.trim({.older_than = system_now() - 24h * 30});
}
// [trim]

// [reserve]
Result<Appended> finish(Log& log, Position order) {
  return log.append_and_wait(
      Event{.stream = "orders", .causation = order, .body = CustomEvent{"OrderFinished", {}}},
      {.space = Space::reserve});
}
// [reserve]

}  // namespace

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : "orders";
  // [quota]
  auto opened = Log::open(folder, {.quota_bytes = 1 * limits::gibibyte});
  if (!opened) return give_up(opened.error());
  Log& log = **opened;
  log.set_reserve(1 * limits::mebibyte);
  // [quota]
  auto order = log.append_and_wait(
      Event{.stream = "orders", .body = CustomEvent{"OrderPlaced", as_bytes("a kettle")}});
  if (!order) return give_up(order.error());
  if (auto finished = finish(log, order->first); !finished) return give_up(finished.error());
  auto trimmed = keep_a_month(log);
  if (!trimmed) return give_up(trimmed.error());
  std::printf("%zu events removed, the log begins at %zu\n", trimmed->events, trimmed->first.value);
  return 0;
}
