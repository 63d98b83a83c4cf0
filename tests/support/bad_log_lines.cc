#include <almanac/tests/support/bad_row.h>

namespace almanac::test {

using enum ExitCode;

const std::vector<Row>& bad_log_lines() {
  static const std::vector<Row> rows = {
      {"positions the wrong way round",
       {"log", "cat", "--from", "10", "--to", "5"},
       usage,
       {"--from", "swap"}},
      {"negative position", {"log", "cat", "--from", "-3"}, usage, {"--from", "'-3'"}},
      {"times the wrong way round",
       {"log", "cat", "--since", "now", "--until", "1 day ago"},
       usage,
       {"--until lies before --since", "swap"}},
      {"time without a zone in a filter",
       {"log", "tail", "--since", "2026-11-21T10:00:00"},
       usage,
       {"has no zone", "2 hours ago"}},
      {"duration without its direction",
       {"log", "grep", "x", "--until", "2 hours"},
       usage,
       {"'2 hours'", "2 hours ago"}},
      {"empty stream", {"log", "cat", "--stream", ""}, usage, {"--stream", "empty"}},
      {"lines that are no number", {"log", "tail", "-n", "all"}, usage, {"--lines", "'all'"}},
      {"grep for nothing", {"log", "grep"}, usage, {"pattern is missing"}},
      {"grep for an empty text", {"log", "grep", ""}, usage, {"pattern", "empty"}},
      {"grep for half an expression", {"log", "grep", "-E", "a("}, usage, {"'a('", "-E"}},
  };
  return rows;
}

}  // namespace almanac::test
