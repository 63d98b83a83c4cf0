// A projection of the program's own, published with the scheduler's state: how many attempts there
// were and how many of them failed, over all runs of this program.
#include <almanac/engine/engine.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

namespace {

struct Effort {
  std::uint64_t attempts = 0;
  std::uint64_t failed = 0;
};

void fold(Effort& effort, const almanac::RecordedEvent& recorded) {
  const auto& body = recorded.event.body;
  if (std::holds_alternative<almanac::TaskStarted>(body)) ++effort.attempts;
  if (std::holds_alternative<almanac::TaskAttemptFailed>(body)) ++effort.failed;
}

// With these two an engine that is opened again folds only what is new.
std::vector<std::byte> encode(const Effort& effort) {
  auto bytes = std::as_bytes(std::span(&effort, 1));
  return {bytes.begin(), bytes.end()};
}

almanac::Result<Effort> decode(almanac::Bytes bytes) {
  Effort effort;
  if (bytes.size() != sizeof(effort))
    return almanac::fail(almanac::ErrorCode::corrupt, "no effort");
  std::memcpy(&effort, bytes.data(), sizeof(effort));
  return effort;
}

int give_up(const almanac::Error& error) {
  std::fprintf(stderr, "%s\n", almanac::describe(error).c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder = argc > 1 ? argv[1] : "efforts";
  const almanac::InlineProjection<Effort> efforts(
      {.name = "effort", .fold = fold, .encode = encode, .decode = decode});
  auto engine = almanac::Engine::open({.folder = folder, .projections = {efforts}});
  if (!engine) return give_up(engine.error());

  (*engine)->handle("guess", [](const almanac::Attempt& attempt) {
    bool right = almanac::as_text(attempt.payload) == "easy" || attempt.number == 2;
    return right ? almanac::Outcome::success() : almanac::Outcome::failure("wrong");
  });
  for (const char* riddle : {"easy", "hard"}) {
    auto task = (*engine)->submit({.kind = "guess",
                                   .payload = riddle,
                                   .attempts_max = 2,
                                   .backoff = {almanac::Duration(1), almanac::Duration(1)}});
    if (!task) return give_up(task.error());
  }
  (*engine)->wait([](const almanac::State& state) { return state.tasks.live() == 0; });

  auto published = (*engine)->published();
  auto effort = efforts.in(*published);  // at published->state.position
  if (!effort) return give_up(effort.error());
  std::printf("%zu attempts, %zu of them failed\n", (*effort)->attempts, (*effort)->failed);
  return 0;
}
