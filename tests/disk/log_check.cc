#include <almanac/tests/disk/log_check.h>

#include <almanac/log/verify.h>
#include <almanac/tests/disk/log_oracle.h>
#include <almanac/tests/support/test_log.h>

namespace almanac::test {
namespace {

constexpr std::size_t map_bytes = 256 * limits::mebibyte;

// What is read from a position on.
struct Contents {
  std::uint64_t base = 0;
  std::uint64_t events = 0;
  std::uint64_t content = 0;
  Time latest = {};
};

Result<Contents> read_behind(const Log& log, Contents contents) {
  auto read = log.read(Position(contents.events + 1), [&](const RecordedEvent& recorded) {
    ++contents.events;
    contents.content = content_behind(contents.content, recorded.event);
    contents.latest = recorded.event.at;
    return Result<bool>(recorded.position == Position(contents.events));
  });
  if (!read) return std::unexpected(read.error());
  return contents;
}

Result<Contents> read_all(const Log& log) {
  auto base = log.base();
  if (!base) return std::unexpected(base.error());
  return read_behind(log, {.base = base->last.value, .events = base->last.value});
}

FoundLog failed(FoundLog found, Problem problem, const std::string& text) {
  found.problem = problem;
  found.text = text;
  return found;
}

void mark(Recorder* recorder, Mark::Kind kind, const Contents& contents) {
  if (recorder == nullptr) return;
  recorder->mark({kind, contents.events, contents.content, contents.base});
}

// One event more, as whoever uses the log would go on with it.
Result<Contents> append_one(TestLog& log, Contents contents, Recorder* recorder) {
  const Event event{.at = contents.latest + Duration(1),
                    .stream = "after",
                    .body = CustomEvent{"after", as_bytes("the power came back")}};
  Contents after{contents.base, contents.events + 1, content_behind(contents.content, event),
                 event.at};
  mark(recorder, Mark::Kind::appended, after);
  auto position = log.append({event});
  if (!position) return std::unexpected(position.error());
  mark(recorder, Mark::Kind::acknowledged, after);
  return after;
}

}  // namespace

std::string_view name(Problem problem) {
  switch (problem) {
    case Problem::none: return "none";
    case Problem::unopenable: return "unopenable";
    case Problem::damaged: return "damaged";
    case Problem::stuck: return "stuck";
    case Problem::unstable: return "unstable";
  }
  return "?";
}

FoundLog check_log(const std::filesystem::path& folder, Recorder* recorder) {
  FoundLog found;
  Contents after;
  {
    auto log = TestLog::open(folder, {.map_bytes = map_bytes});
    if (!log) return failed(found, Problem::unopenable, describe(log.error()));
    auto contents = read_all(***log);
    if (!contents) return failed(found, Problem::damaged, describe(contents.error()));
    found.base = contents->base;
    found.events = contents->events;
    found.content = contents->content;
    mark(recorder, Mark::Kind::found, *contents);
    mark(recorder, Mark::Kind::shown, *contents);
    auto verified = verify(***log);
    if (!verified) return failed(found, Problem::damaged, describe(verified.error()));
    if (verified->last != Position(contents->events)) {
      return failed(found, Problem::unstable, "verify and read see different ends");
    }
    auto appended = append_one(**log, *contents, recorder);
    if (!appended) return failed(found, Problem::stuck, describe(appended.error()));
    after = *appended;
  }
  auto log = TestLog::open(folder, {.map_bytes = map_bytes});
  if (!log) return failed(found, Problem::stuck, "opened again: " + describe(log.error()));
  auto again = read_behind(***log, {found.base, found.events, found.content});
  if (!again) return failed(found, Problem::stuck, "opened again: " + describe(again.error()));
  if (again->events != after.events || again->content != after.content) {
    return failed(found, Problem::unstable, "opened again, the log is another one");
  }
  return found;
}

}  // namespace almanac::test
