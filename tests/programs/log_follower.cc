// Another process that follows a log, for tests of subscriptions: says "open LAST", follows from a
// position on and says "followed FROM through UNTIL" when it was given that one, or what was wrong.
//
//   log_follower DIR FROM UNTIL
#include <almanac/log/log.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

namespace almanac::test {
namespace {

void say(std::string_view line) { std::cout << line << std::endl; }

int follow(const Log& log, Position from, Position until) {
  auto subscription = log.subscribe(from);
  auto expected = from;
  while (expected <= until) {
    auto given = subscription.next(
        [&](const RecordedEvent& recorded) -> Result<bool> {
          if (recorded.position != expected) {
            return fail(ErrorCode::invalid, "got " + std::to_string(recorded.position.value) +
                                                " for " + std::to_string(expected.value));
          }
          expected = expected.next();
          return expected <= until;
        },
        std::chrono::hours(1));
    if (!given) {
      say(std::string(name(given.error().code)) + ": " + given.error().message);
      return 1;
    }
  }
  say("followed " + std::to_string(from.value) + " through " + std::to_string(until.value));
  return 0;
}

int run(const std::string& folder, Position from, Position until) {
  auto log = Log::open(folder, {.access = Access::read});
  if (!log) {
    say(std::string(name(log.error().code)) + ": " + log.error().message);
    return 1;
  }
  say("open " + std::to_string((*log)->opened_tail().last.value));
  return follow(**log, from, until);
}

}  // namespace
}  // namespace almanac::test

int main(int count, char** arguments) {
  using almanac::Position;
  if (count < 4) return 2;
  return almanac::test::run(arguments[1], Position(std::strtoull(arguments[2], nullptr, 10)),
                            Position(std::strtoull(arguments[3], nullptr, 10)));
}
