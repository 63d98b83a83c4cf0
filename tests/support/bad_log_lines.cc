#include <almanac/tests/support/bad_row.h>

namespace almanac::test {

using enum ExitCode;

namespace {

const std::vector<Row> rows = {
    {"positions the wrong way round",
     {"log", "cat", "--from", "10", "--to", "5"},
     usage,
     {"--from", "swap"}},
    {"negative position", {"log", "cat", "--from", "-3"}, usage, {"--from", "'-3'"}},
    {"times the wrong way round",
     {"log", "cat", "--since", "now", "--until", "1 day ago"},
     usage,
     {"--until lies before --since", "swap"}},
    {"half a time in a filter",
     {"log", "tail", "--since", "2026-11-21T10"},
     usage,
     {"is not a time", "2 hours ago"}},
    {"duration without its direction",
     {"log", "grep", "x", "--until", "2 hours"},
     usage,
     {"'2 hours'", "2 hours ago"}},
    {"empty stream", {"log", "cat", "--stream", ""}, usage, {"--stream", "empty"}},
    {"lines that are no number", {"log", "tail", "-n", "all"}, usage, {"--lines", "'all'"}},
    {"grep for nothing", {"log", "grep"}, usage, {"pattern is missing"}},
    {"grep for an empty text", {"log", "grep", ""}, usage, {"pattern", "empty"}},
    {"grep for half an expression", {"log", "grep", "-E", "a("}, usage, {"'a('", "-E"}},
    {"too many threads", {"log", "verify", "-j", "65"}, usage, {"--jobs", "0 and 64"}},
    {"no log to tell of", {"log", "stat", "--dir", "log"}, not_found, {"no log in log"}},
    {"no log to follow", {"log", "tail", "-f", "--dir", "log"}, not_found, {"no log in log"}},
    {"import of nothing", {"log", "import"}, usage, {"file is missing"}},
    {"import of a missing file",
     {"log", "import", "x.jsonl", "--dir", "log"},
     not_found,
     {"'x.jsonl'", "check the path"}},
    {"import of a folder",
     {"log", "import", "x", "--dir", "log"},
     usage,
     {"'x' is a folder"},
     folder("x")},
    {"import of a workload",
     {"log", "import", "w.jsonl", "--dir", "log"},
     usage,
     {"w.jsonl:1", "first line", "almanac log export"},
     jsonl("{\"shell\":\"true\"}")},
    {"import of an empty file",
     {"log", "import", "w.jsonl", "--dir", "log"},
     usage,
     {"w.jsonl:1", "first line"},
     jsonl("")},
    {"import of a bad line",
     {"log", "import", "w.jsonl", "--dir", "above/log"},
     usage,
     {"w.jsonl:2:1", "'position' is missing"},
     jsonl(R"({"almanac":"log","format":1,"timeline":"000102030405060708090a0b0c0d0e0f",)"
           R"("events":1})"
           "\n{}\n")},
    {"import into a log",
     {"log", "import", "w.jsonl", "--dir", "log"},
     conflict,
     {"log is not empty", "a new folder"},
     [](Place& place) {
       log_of_three_tasks(place);
       place.almanac({"log", "export", "--dir", "log", "-o", "w.jsonl"});
     }},
    {"export over a file",
     {"log", "export", "--dir", "log", "-o", "w.jsonl"},
     conflict,
     {"'w.jsonl' is there already", "another file"},
     [](Place& place) {
       log_of_three_tasks(place);
       jsonl("mine")(place);
     }},
    {"export into a folder that is not there",
     {"log", "export", "--dir", "log", "-o", "none/w.jsonl"},
     not_found,
     {"'none/w.jsonl'", "check the path"},
     log_of_three_tasks},
    {"export of no log", {"log", "export", "--dir", "log"}, not_found, {"no log in log"}},
};

}  // namespace

const std::vector<Row>& bad_log_lines() { return rows; }

}  // namespace almanac::test
