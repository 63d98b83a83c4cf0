// Many threads that append to one log until the process is killed, for the linearizability test.
// Each says what it is about to do, then what it was answered, in lines that are written whole:
//
//   log_clients DIR CLIENTS FIRST_ID SEED
//
//   open                                     the log is open
//   i ID STREAM EXPECTED|any TIME            about to append event ID to the stream
//   s ID POSITION TIME                       it was stored
//   c ID TIME WHY                            conflict
//   r ID TIME WHY                            refused for another reason
//   u ID TIME WHY                            unknown
#include <almanac/log/log.h>

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

// The same clock for every process of a machine.
std::string now() {
  return std::to_string(std::chrono::steady_clock::now().time_since_epoch().count());
}

void say(const std::string& line) {
  if (::write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    std::_Exit(1);  // nobody listens any more
  }
}

struct Choice {
  std::uint64_t stream = 0;
  std::optional<std::uint64_t> expected;
};

// Few streams, which all clients want, and fresh ones, which all want to begin.
Choice choose(const Log& log, std::mt19937_64& random, std::uint64_t id) {
  Choice choice{random() % 4, std::nullopt};
  if (random() % 3 == 0) return choice;
  if (random() % 4 == 0) return {1'000 + id / 8, 0};
  choice.expected = log.version("stream " + std::to_string(choice.stream)).value_or(0);
  if (random() % 8 == 0) *choice.expected += 1;
  return choice;
}

std::string answer(const Result<Appended>& appended, const std::string& id) {
  if (appended) return "s " + id + " " + std::to_string(appended->first.value) + " " + now() + "\n";
  const char* word = "r ";
  if (appended.error().code == ErrorCode::conflict) word = "c ";
  if (appended.error().code == ErrorCode::unknown_outcome) word = "u ";
  return word + id + " " + now() + " " + describe(appended.error()) + "\n";
}

void append_for_ever(Log& log, std::atomic<std::uint64_t>& next, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  while (true) {
    const auto id = next++;
    const auto choice = choose(log, random, id);
    const auto stream = "stream " + std::to_string(choice.stream);
    const auto number = std::to_string(id);
    std::vector<ExpectedVersion> expected;
    if (choice.expected) expected.push_back({stream, *choice.expected});
    say("i " + number + " " + std::to_string(choice.stream) + " " +
        (choice.expected ? std::to_string(*choice.expected) : "any") + " " + now() + "\n");
    const Event event{.at = {}, .stream = stream, .correlation = Position(id)};
    say(answer(log.append_and_wait(event, {.expected = expected}), number));
  }
}

int run(const std::string& folder, std::uint64_t clients, std::uint64_t first_id,
        std::uint64_t seed) {
  auto log = Log::open(folder);
  if (!log) {
    say(describe(log.error()) + "\n");
    return 1;
  }
  say("open\n");
  std::atomic<std::uint64_t> next = first_id;
  std::vector<std::jthread> threads;
  for (std::uint64_t client = 0; client < clients; ++client) {
    threads.emplace_back([&, client] { append_for_ever(**log, next, seed * clients + client); });
  }
  return 0;
}

}  // namespace
}  // namespace almanac::test

int main(int count, char** arguments) {
  if (count < 5) return 2;
  auto number = [&](int i) { return std::strtoull(arguments[i], nullptr, 10); };
  return almanac::test::run(arguments[1], number(2), number(3), number(4));
}
