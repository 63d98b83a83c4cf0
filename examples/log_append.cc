// The log without the engine: appending. docs/guides/log.md shows the parts.
#include <almanac/log/log.h>

#include <coroutine>
#include <cstdio>
#include <future>
#include <string>
#include <vector>

namespace {

using namespace almanac;

int give_up(const Error& error) {
  std::fprintf(stderr, "%s: %s\n", std::string(name(error.code)).c_str(), describe(error).c_str());
  return 1;
}

// [one]
Result<Position> note(Log& log, std::string_view text) {
  auto appended = log.append_and_wait(
      Event{.stream = "notes", .body = CustomEvent{.type = "NoteTaken", .data = as_bytes(text)}});
  if (!appended) return std::unexpected(appended.error());
  return appended->first;
}
// [one]

// [batch]
Result<Appended> move_note(Log& log, std::string_view text) {
  const std::vector<Event> both{
      {.stream = "notes", .body = CustomEvent{"NoteRemoved", as_bytes(text)}},
      {.stream = "archive", .body = CustomEvent{"NoteKept", as_bytes(text)}},
  };
  return log.append_and_wait(both);
}
// [batch]

// [many]
Result<void> note_all(Log& log, const std::vector<std::string>& texts) {
  AppendTicket last;
  for (const std::string& text : texts) {
    const std::vector<Event> one{{.body = CustomEvent{"NoteTaken", as_bytes(text)}}};
    auto ticket = log.append(one);
    if (!ticket) return std::unexpected(ticket.error());
    last = *ticket;
  }
  return log.wait(last);  // and with the last all others are on disk
}
// [many]

// [grouped]
Result<bool> count_a_visit(Log& log) {
  auto appended = log.append_and_wait(Event{.body = CustomEvent{"Visited", {}}},
                                      {.durability = Durability::grouped});
  if (!appended) return std::unexpected(appended.error());
  return appended->durable;  // false: on disk within LogOptions::grouped_within and one sync
}
// [grouped]

// [expected]
Result<Appended> withdraw(Log& log, std::uint64_t seen_version) {
  const ExpectedVersion expected{.stream = "account 7", .version = seen_version};
  return log.append_and_wait(
      Event{.stream = "account 7", .body = CustomEvent{"Withdrawn", as_bytes("20")}},
      {.expected = {&expected, 1}});
}
// [expected]

// [key]
Result<Appended> pay(Log& log, std::string_view request, std::string_view amount) {
  auto appended = log.append_and_wait(Event{.idempotency_key = request,
                                            .stream = "account 7",
                                            .body = CustomEvent{"Paid", as_bytes(amount)}});
  if (appended && appended->repeated) std::printf("paid before, at %zu\n", appended->first.value);
  return appended;
}
// [key]

// [coroutine]
// A coroutine that nobody waits for. Yours will have a type of its own for this.
struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

Detached note_later(Log& log, std::string text, std::promise<Result<Appended>> done) {
  const std::vector<Event> one{{.body = CustomEvent{"NoteTaken", as_bytes(text)}}};
  Result<Appended> appended = co_await log.append_async(one);
  done.set_value(appended);  // where it was written, unless LogOptions::resume moved it
}
// [coroutine]

// [errors]
// What can be done about a failed append.
const char* advice(const Error& error) {
  switch (error.code) {
    case ErrorCode::invalid: return "the request can never be stored: correct it";
    case ErrorCode::conflict: return "read what was added meanwhile and decide again";
    case ErrorCode::busy: return "append again when a commit has been reported";
    case ErrorCode::refused: return "the log was opened for reading, or without what it needs";
    case ErrorCode::storage_full: return "nothing was stored: trim, or make room, and append again";
    case ErrorCode::unknown_outcome: return "open the log again: only then it is known";
    default: return "";
  }
}
// [errors]

}  // namespace

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : "notes";
  // [open]
  auto opened = Log::open(folder);
  if (!opened) return give_up(opened.error());
  Log& log = **opened;
  std::printf("it ends at position %zu\n", log.tail()->last.value);
  // [open]
  if (auto noted = note(log, "water the plants"); !noted) return give_up(noted.error());
  if (auto moved = move_note(log, "water the plants"); !moved) return give_up(moved.error());
  if (auto noted = note_all(log, {"one", "two", "three"}); !noted) return give_up(noted.error());
  if (auto durable = count_a_visit(log); !durable) return give_up(durable.error());
  auto version = log.version("account 7");
  if (!version) return give_up(version.error());
  if (auto stale = withdraw(log, *version + 1); !stale) std::puts(advice(stale.error()));
  if (auto done = withdraw(log, *version); !done) return give_up(done.error());
  for (int tries = 0; tries < 2; ++tries) {
    if (auto paid = pay(log, "request 4711", "12.50"); !paid) return give_up(paid.error());
  }
  std::promise<Result<Appended>> done;
  auto end = done.get_future();
  note_later(log, "a coroutine was here", std::move(done));
  if (auto noted = end.get(); !noted) return give_up(noted.error());
  return 0;
}
