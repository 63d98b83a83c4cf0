// Another process at a log, for tests that need two: opens it and does what it is told, one line
// in, one line out. Ends with its input.
//
//   log_peer write|read DIR [USER_ID]
//
//   append COUNT   numbered events in one batch    "appended through LAST"
//   read FROM      everything from FROM            "read COUNT through LAST"
//   tail           where the log ends              "tail LAST"
//   nest DEPTH     DEPTH reads inside one another, held until it is killed   "holding DEPTH"
#include <almanac/log/log.h>
#include <almanac/tests/support/test_log.h>

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

namespace almanac::test {
namespace {

void say(std::string_view line) { std::cout << line << std::endl; }

std::string failure(const Error& error) {
  return std::string(name(error.code)) + ": " + error.message;
}

std::string with_number(std::string_view text, std::uint64_t number) {
  return std::string(text) + " " + std::to_string(number);
}

std::string read(const Log& log, Position from) {
  std::uint64_t count = 0;
  Position last;
  auto done = log.read(from, [&](const RecordedEvent& recorded) -> Result<bool> {
    ++count;
    last = recorded.position;
    return true;
  });
  return done ? with_number(with_number("read", count) + " through", last.value)
              : failure(done.error());
}

// Holds a read transaction at every level and never comes back.
Result<void> nest(const Log& log, std::uint64_t depth, std::uint64_t left) {
  return log.read_frames(Position(1), [&](const FrameReader&) -> Result<bool> {
    if (left > 1) {
      if (auto inner = nest(log, depth, left - 1); !inner) return std::unexpected(inner.error());
    }
    if (left == 1) {
      say(with_number("holding", depth));
      for (;;) ::pause();
    }
    return false;
  });
}

std::string answer(Log& log, TestLog* writer, const std::string& command, std::uint64_t number) {
  if (command == "append") {
    auto tail = log.tail();
    if (!tail) return failure(tail.error());
    auto first = writer->append(numbered_events(tail->last.value + 1, number));
    return first ? with_number("appended through", first->value + number - 1)
                 : failure(first.error());
  }
  if (command == "read") return read(log, Position(number));
  if (command == "tail") {
    auto tail = log.tail();
    return tail ? with_number("tail", tail->last.value) : failure(tail.error());
  }
  auto nested = nest(log, number, number);
  return nested ? "the log is empty" : failure(nested.error());
}

int serve(Log& log, TestLog* writer) {
  say(with_number("open", log.opened_tail().last.value));
  for (std::string line; std::getline(std::cin, line);) {
    auto space = line.find(' ');
    auto number = space == std::string::npos ? 0 : std::strtoull(&line[space], nullptr, 10);
    say(answer(log, writer, line.substr(0, space), number));
  }
  return 0;
}

int run(bool writing, const std::string& folder) {
  if (!writing) {
    auto log = Log::open(folder, {.access = Access::read});
    if (log) return serve(**log, nullptr);
    say(failure(log.error()));
    return 1;
  }
  auto log = TestLog::open(folder);
  if (log) return serve(***log, log->get());
  say(failure(log.error()));
  return 1;
}

}  // namespace
}  // namespace almanac::test

int main(int count, char** arguments) {
  if (count < 3) return 2;
  if (count > 3) {
    auto id = static_cast<uid_t>(std::strtoul(arguments[3], nullptr, 10));
    if (::setresgid(id, id, id) != 0 || ::setresuid(id, id, id) != 0) return 3;
  }
  return almanac::test::run(std::string_view(arguments[1]) == "write", arguments[2]);
}
