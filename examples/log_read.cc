// The log without the engine: reading and following. docs/guides/log.md shows the parts.
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

void print(const RecordedEvent& recorded) {
  const auto* custom = std::get_if<CustomEvent>(&recorded.event.body);
  const std::string type(custom != nullptr ? custom->type : type_name(recorded.event.body));
  std::printf("%zu %s\n", recorded.position.value, type.c_str());
}

// [forward]
Result<void> print_all(const Log& log) {
  return log.read(Position(1), [](const RecordedEvent& recorded) -> Result<bool> {
    print(recorded);  // its views live until this returns
    return true;      // false ends the reading
  });
}
// [forward]

// [options]
Result<void> print_newest_notes(const Log& log) {
  int left = 10;
  return log.read(ReadOptions{.direction = Direction::backward,
                              .since = system_now() - 24h,
                              .types = {"NoteTaken", "NoteRemoved"}},
                  [&](const RecordedEvent& recorded) -> Result<bool> {
                    print(recorded);
                    return --left > 0;
                  });
}
// [options]

// [stream]
Result<std::size_t> withdrawals(const Log& log) {
  std::size_t count = 0;
  auto read = log.read_stream("account 7", 1, [&](const RecordedEvent& recorded) -> Result<bool> {
    const auto* custom = std::get_if<CustomEvent>(&recorded.event.body);
    if (custom != nullptr && custom->type == "Withdrawn") ++count;
    return true;
  });
  if (!read) return std::unexpected(read.error());
  return count;
}
// [stream]

// [time]
Result<void> print_since(const Log& log, Time time) {
  auto from = log.position_at(time);
  if (!from) return std::unexpected(from.error());
  return log.read(*from, [](const RecordedEvent& recorded) -> Result<bool> {
    print(recorded);
    return true;
  });
}
// [time]

// [follow]
// Until nothing has come for so long. Answers from where to go on.
Result<Position> follow(const Log& log, Position from, std::chrono::milliseconds patience) {
  auto subscription = log.subscribe(from);
  while (true) {
    auto given = subscription.next(
        [](const RecordedEvent& recorded) -> Result<bool> {
          print(recorded);
          return true;
        },
        patience);
    if (!given) return std::unexpected(given.error());
    if (!*given) return subscription.position();
  }
}
// [follow]

}  // namespace

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : "notes";
  // [open]
  auto log = Log::open(folder, {.access = Access::read});
  if (!log) return give_up(log.error());
  // [open]
  if (auto read = print_all(**log); !read) return give_up(read.error());
  if (auto read = print_newest_notes(**log); !read) return give_up(read.error());
  if (auto count = withdrawals(**log); !count) return give_up(count.error());
  if (auto read = print_since(**log, system_now() - 1h); !read) return give_up(read.error());
  if (auto next = follow(**log, Position(1), 100ms); !next) return give_up(next.error());
  return 0;
}
