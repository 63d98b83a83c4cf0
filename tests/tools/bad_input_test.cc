// Everything that can be asked for wrongly, in one table: command lines, workloads, folders, and in
// bad_log_lines.cc what is asked of the log. Each row runs the real command and says how it must
// end. Common to all: nothing on standard output, a sentence and a next step on standard error, no
// death by a signal, and not one byte changed.
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/bad_row.h>
#include <almanac/tests/support/file_bytes.h>

#include <almanac/tools/exit_code.h>

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <iterator>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;
using enum ExitCode;

// ---- The table ---------------------------------------------------------------------------------

using Words = std::vector<std::string>;

Words submit(Words words) {
  words.insert(words.begin(), {"submit", "--dir", "log"});
  words.insert(words.end(), {"--", "/bin/true"});
  return words;
}
constexpr std::size_t lmdb_page = 4096;
constexpr std::size_t lmdb_version_at = 20;
constexpr std::string_view frame_mark = "ALMF";
const Words run_toml = {"run", "w.toml", "--dir", "log"};
const Words run_jsonl = {"run", "w.jsonl", "--dir", "log"};
const Words list_log = {"list", "--dir", "log"};
const Words verify_log = {"log", "verify", "--dir", "log"};

const std::vector<Row> bad_command_lines = {
    {"no command", {}, usage, {"no command", "run, submit, list"}},
    {"unknown command", {"rum"}, usage, {"'rum'", "did you mean 'run'?"}},
    {"unknown command of log", {"log", "dog"}, usage, {"'dog'", "`almanac log --help`"}},
    {"unknown command of log with an option",
     {"log", "cta", "--dir", "log"},
     usage,
     {"no command 'cta'", "did you mean 'cat'?"}},
    {"unknown command with one behind it", {"tokn", "list"}, usage, {"did you mean 'token'?"}},
    {"half a command", {"state"}, usage, {"`almanac state`", "digest"}},
    {"unknown option", {"list", "--jsn"}, usage, {"'--jsn'", "did you mean '--json'?"}},
    {"unknown option before --",
     {"submit", "--bogus", "3", "--", "/bin/true"},
     usage,
     {"'--bogus'", "`almanac submit --help`"}},
    {"option before the command", {"--dir", "x", "list"}, usage, {"'--dir'"}},
    {"one word too many", {"run", "a.toml", "b.toml"}, usage, {"'b.toml'", "too many"}},
    {"slots that are no number", {"run", "--slots", "x"}, usage, {"--slots", "'x'"}},
    {"negative slots", {"run", "--slots", "-1"}, usage, {"--slots", "'-1'"}},
    {"too many slots", {"run", "--slots", "4097"}, usage, {"'4097'", "0 and 4096"}},
    {"slots without their number", {"run", "--slots"}, usage, {"--slots needs a value"}},
    {"slots twice", {"run", "--slots", "1", "--slots", "2"}, usage, {"more than once"}},
    {"grace without a unit", {"run", "--grace", "5"}, usage, {"'5' has no unit", "5s"}},
    {"grace that is no duration", {"run", "--grace", "soon"}, usage, {"'soon'", "30s"}},
    {"empty folder name", {"list", "--dir", ""}, usage, {"--dir", "empty"}},
    {"empty workload name", {"run", ""}, usage, {"workload", "empty"}},
    {"show without a task", {"show"}, usage, {"id is missing"}},
    {"show of task 0", {"show", "0"}, usage, {"'0'", "1 or more"}},
    {"show of no number", {"show", "first"}, usage, {"'first'"}},
    {"show of a huge number", {"show", "18446744073709551616"}, usage, {"18446744073709551616"}},
    {"submit without a command", {"submit"}, usage, {"command is missing"}},
    {"submit without two dashes", {"submit", "tar", "-czf", "x"}, usage, {"'-czf'", "write --"}},
    {"submit of an empty word", {"submit", "--", ""}, usage, {"needs a program", "name first"}},
    {"submit of what is not UTF-8", {"submit", "--", "\xff"}, usage, {"UTF-8"}},
    {"delay and moment",
     submit({"--delay", "1s", "--run-at", "2026-11-21T10:00:00Z"}),
     usage,
     {"--delay", "--run-at", "keep one"}},
    {"delay without a unit", submit({"--delay", "5"}), usage, {"'5' has no unit"}},
    {"moment without a zone",
     submit({"--run-at", "2026-11-21T10:00:00"}),
     usage,
     {"has no zone", "2026-11-21T10:00:00Z"}},
    {"moment that never comes",
     submit({"--run-at", "2026-02-30T10:00:00Z"}),
     usage,
     {"does not exist"}},
    {"negative time-out", submit({"--timeout", "-5s"}), usage, {"cannot be negative"}},
    {"no attempts", submit({"--attempts", "0"}), usage, {"--attempts", "1 and 1000"}},
    {"huge priority", submit({"--priority", "9999999999"}), usage, {"--priority"}},
    {"empty queue", submit({"--queue", ""}), usage, {"--queue", "is empty"}},
    {"queue with a new line", submit({"--queue", "a\nb"}), usage, {"control character"}},
    {"tag that is not UTF-8", submit({"--tag", "\xff"}), usage, {"UTF-8"}},
    {"long label", submit({"--name", std::string(513, 'n')}), usage, {"513", "limit of 512"}},
    {"dependency on no number", submit({"--after", "first"}), usage, {"--after", "'first'"}},
    {"dependency on nothing",
     submit({"--after", "9"}),
     usage,
     {"task 9", "does not exist"},
     log_of_three_tasks},
    {"key of other content",
     submit({"--key", "first", "--queue", "other"}),
     conflict,
     {"task 1", "other content", "another key"},
     log_of_three_tasks},
    {"show of a missing task",
     {"show", "7", "--dir", "log"},
     not_found,
     {"no task 7", "almanac list"},
     log_of_three_tasks},
    {"cancel of a missing task",
     {"cancel", "3", "7", "--dir", "log"},
     not_found,
     {"no task 7"},
     log_of_three_tasks},
    {"cancel of a task that succeeded",
     {"cancel", "3", "1", "--dir", "log"},
     conflict,
     {"task 1 has already succeeded"},
     log_of_three_tasks},
    {"cancel of a task that failed",
     {"cancel", "2", "--dir", "log"},
     conflict,
     {"task 2 has already failed"},
     log_of_three_tasks},
    {"unknown state",
     {"list", "--state", "nonsense", "--dir", "log"},
     usage,
     {"'nonsense'", "waiting"},
     log_of_three_tasks},
    {"a group of no log", {"group", "close", "g", "--dir", "log"}, not_found, {"no log in log"}},
    {"a model of no log", {"model", "pin", "m", "--dir", "log"}, not_found, {"no log in log"}},
    {"a limit of no log", {"limits", "--lift", "l", "--dir", "log"}, not_found, {"no log in log"}},
    {"a circuit of no log",
     {"circuit", "reset", "c", "--dir", "log"},
     not_found,
     {"no log in log"}},
    {"a memory of no log", {"memory", "forget", "1", "--dir", "log"}, not_found, {"no log in log"}},
    {"slots of a queue that are no number",
     {"queue", "set", "a", "--slots", "x"},
     usage,
     {"'x'", "write digits"}},
    {"an option that is missing", {"heal", "fix"}, usage, {"almanac: --components is missing"}},
    {"columns of no file", {"whatif", "--columns", "arrival=at"}, usage, {"--trace FILE"}},
    {"an order of no models", {"whatif", "--model-order", "batched"}, usage, {"--models FILE"}},
    {"components of no file",
     {"run", "--components", "c.toml"},
     not_found,
     {"no file of components 'c.toml'"}},
    {"negative limit", {"list", "--limit", "-3"}, usage, {"--limit", "'-3'"}},
    {"control characters in the line", {"list", "--\x1b[31mred"}, usage, {"\\x1b[31mred"}},
};

const std::vector<Row> bad_workloads = {
    {"missing workload", run_toml, not_found, {"'w.toml'", "check the path"}},
    {"workload that is a folder", run_toml, usage, {"is a folder"}, folder("w.toml")},
    {"workload of an unknown kind",
     {"run", "w.txt", "--dir", "log"},
     usage,
     {"'w.txt'", ".toml"},
     file("w.txt", "x")},
    {"workload that may not be read",
     run_jsonl,
     refused,
     {"'w.jsonl'", "Permission denied"},
     unreadable_workload},
    {"empty workload", run_toml, usage, {"w.toml:1", "no task", "[[task]]"}, toml("")},
    {"workload of empty lines", run_jsonl, usage, {"w.jsonl:1", "no task"}, jsonl("\n\n")},
    {"empty standard input", {"run", "-"}, usage, {"standard input:1", "no task"}},
    {"broken TOML", run_toml, usage, {"w.toml:1", "not valid TOML"}, toml("[[task]\nname = 1")},
    {"broken JSON",
     run_jsonl,
     usage,
     {"w.jsonl:2", "not valid JSON", "one whole JSON object"},
     jsonl("{\"shell\":\"true\"}\n{\"shell\":")},
    {"workload that is not UTF-8",
     run_jsonl,
     usage,
     {"w.jsonl:1", "UTF-8"},
     jsonl("{\"shell\":\"\xff\"}")},
    {"zero byte in the file", run_toml, usage, {"w.toml:1", "column 3"}, toml("# \0"s)},
    {"zero byte in a word",
     run_toml,
     usage,
     {"w.toml:4", "zero byte"},
     task_with("env = { A = \"a\\u0000b\" }\n")},
    {"unknown key",
     run_toml,
     usage,
     {"w.toml:4", "'timout'", "'timeout'?"},
     task_with("timout = \"1s\"\n")},
    {"text for a number",
     run_toml,
     usage,
     {"w.toml:4", "'priority'", "not text"},
     task_with("priority = \"-1\"\n")},
    {"huge attempts",
     run_toml,
     usage,
     {"w.toml:4", "'attempts'", "1 to 1000"},
     task_with("attempts = 1001\n")},
    {"time-out without a unit",
     run_toml,
     usage,
     {"w.toml:4", "'timeout'", "5s"},
     task_with("timeout = 5\n")},
    {"time without a zone in a workload",
     run_toml,
     usage,
     {"w.toml:4", "no zone"},
     task_with("run_at = 2026-11-21T10:00:00\n")},
    {"command and shell",
     run_toml,
     usage,
     {"w.toml:4", "'command' and 'shell'"},
     task_with("command = [\"true\"]\n")},
    {"task with nothing to run",
     run_toml,
     usage,
     {"w.toml:1", "nothing to run"},
     toml("[[task]]\nname = \"a\"\n")},
    {"task without a name",
     run_toml,
     usage,
     {"w.toml:1", "no name"},
     toml("[[task]]\nshell = \"true\"\n")},
    {"name of two tasks",
     run_jsonl,
     usage,
     {"w.jsonl:2", "'a' is taken", "line 1"},
     jsonl("{\"name\":\"a\",\"shell\":\"true\"}\n{\"name\":\"a\",\"shell\":\"true\"}\n")},
    {"task after an unknown one",
     run_toml,
     usage,
     {"w.toml:4", "'b'", "no task"},
     task_with("after = [\"b\"]\n")},
    {"tasks that wait for each other",
     run_toml,
     usage,
     {"a -> b -> a", "'after'"},
     toml("[[task]]\nname = \"a\"\nshell = \"true\"\nafter = [\"b\"]\n"
          "[[task]]\nname = \"b\"\nshell = \"true\"\nafter = [\"a\"]\n")},
    {"queue without slots",
     run_toml,
     usage,
     {"w.toml:2", "'slots'", "1 to 4096"},
     toml("[queues.disk]\nslots = 0\n[[task]]\nname = \"a\"\nshell = \"true\"\n")},
    {"workload submitted with other content",
     run_toml,
     conflict,
     {"'a'", "task 1", "other content"},
     submitted_workload},
};

const std::vector<Row> bad_folders = {
    {"no log to list", list_log, not_found, {"no log in log", "--dir"}},
    {"no log to run", {"run", "--dir", "log"}, not_found, {"no log in log", "submit"}},
    {"no log to cancel in", {"cancel", "1", "--dir", "log"}, not_found, {"no log in log"}},
    {"empty folder to verify", verify_log, not_found, {"no log"}, folder("log")},
    {"file for a folder", list_log, usage, {"is a file, not a folder"}, file("log", "x")},
    {"file for a folder to write to", submit({}), usage, {"is a file"}, file("log", "x")},
    {"folder below a file",
     {"submit", "--dir", "log/below", "--", "/bin/true"},
     usage,
     {"log is no folder"},
     file("log", "x")},
    {"folder of something else",
     {"submit", "--dir", ".", "--", "/bin/true"},
     refused,
     {"letter.txt", "an empty or a new folder"},
     file("letter.txt", "dear")},
    {"folder that may not be made",
     submit({}),
     refused,
     {"create", "Permission denied"},
     folder_to_read_only},
    {"log that may not be read", list_log, refused, {"Permission denied"}, unreadable_log},
    {"log that may not be written",
     submit({}),
     refused,
     {"Permission denied", "as a user"},
     log_to_read_only},
    {"run of a log that may not be written",
     {"run", "--dir", "log"},
     refused,
     {"Permission denied"},
     log_to_read_only},
    {"submit beside a run", submit({}), conflict, {"another folder"}, log_in_use},
    {"cancel beside a run", {"cancel", "1", "--dir", "log"}, conflict, {"wait"}, log_in_use},
    {"run beside a run", {"run", "--dir", "log"}, conflict, {"stop it"}, log_in_use},
    {"missing file",
     list_log,
     not_found,
     {"no log in log"},
     [](Place& place) {
       log_of_three_tasks(place);
       fs::remove(place.data_file());
     }},
    {"empty file",
     list_log,
     corrupt,
     {"data.mdb is cut short", "backup"},
     damage([](std::string& bytes) { bytes.clear(); })},
    {"file cut short",
     list_log,
     corrupt,
     {"cut short: 20000 bytes of at least"},
     damage([](std::string& bytes) { bytes.resize(20'000); })},
    {"file cut short to write to",
     submit({}),
     corrupt,
     {"cut short"},
     damage([](std::string& bytes) { bytes.resize(20'000); })},
    {"garbage", list_log, corrupt, {"not a log of Almanac"}, damage([](std::string& bytes) {
       std::ranges::fill(bytes, 'g');
     })},
    {"garbage to run",
     {"run", "--dir", "log"},
     corrupt,
     {"not a log of Almanac"},
     damage([](std::string& bytes) { std::ranges::fill(bytes, 'g'); })},
    {"first page of zeros", verify_log, corrupt, {"data.mdb"}, damage([](std::string& bytes) {
       zero_page(bytes, 0);
     })},
    {"second page of zeros",
     verify_log,
     corrupt,
     {"damaged meta page"},
     damage([](std::string& bytes) { zero_page(bytes, 1); })},
    {"newer LMDB",
     list_log,
     refused,
     {"another version of LMDB", "Almanac that wrote it"},
     damage([](std::string& bytes) {
       bytes.at(lmdb_version_at) = 2;
       bytes.at(lmdb_page + lmdb_version_at) = 2;
     })},
    {"newer format of the store",
     submit({}),
     refused,
     {"format 2", "Almanac that wrote it"},
     damage([](std::string& bytes) { set_behind(bytes, "format\x01", 6, 2); })},
    {"newer format of a frame",
     list_log,
     refused,
     {"frame has format 2", "later one"},
     damage([](std::string& bytes) { set_behind(bytes, frame_mark, frame_mark.size(), 2); })},
    {"flipped bit in a frame",
     list_log,
     corrupt,
     {"checksum", "at position 2", "log verify"},
     damage([](std::string& bytes) { set_behind(bytes, "\"argv\"", 1, 'b'); })},
    {"flipped bit to verify",
     verify_log,
     corrupt,
     {"at position 2", "`almanac log cat`"},
     damage([](std::string& bytes) { set_behind(bytes, "\"argv\"", 1, 'b'); })},
    {"flipped bit to append to",
     submit({}),
     corrupt,
     {"at position 2"},
     damage([](std::string& bytes) { set_behind(bytes, "\"argv\"", 1, 'b'); })},
    {"full disk",
     {"submit", "--dir", "full/log", "--", "/bin/true"},
     storage_full,
     {"No space left on device", "free some space"},
     log_on_full_disk,
     After::whole},
    {"new log on an almost full disk",
     {"submit", "--dir", "full/log", "--", "/bin/true"},
     storage_full,
     {"too full", "nothing was changed"},
     almost_full_disk},
    {"standard output on a full disk",
     list_log,
     storage_full,
     {"No space left on device"},
     output_on_full_disk},
    {"file that cannot grow",
     {"submit", "--dir", "log", "--", "/bin/true", std::string(100'000, 'x')},
     unknown_outcome,
     {"may or may not be on disk", "open the log again"},
     file_that_cannot_grow,
     After::same_tasks},
};

std::vector<Row> table() {
  auto rows = bad_command_lines;
  std::ranges::copy(bad_workloads, std::back_inserter(rows));
  std::ranges::copy(bad_folders, std::back_inserter(rows));
  std::ranges::copy(bad_log_lines(), std::back_inserter(rows));
  return rows;
}

// ---- What holds for every row ------------------------------------------------------------------

// Every file by its path, with its bytes. What a process leaves in a lock while it looks is not
// the log's.
std::map<std::string, std::string> files_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  auto options = fs::directory_options::follow_directory_symlink |
                 fs::directory_options::skip_permission_denied;
  for (const auto& entry : fs::recursive_directory_iterator(folder, options)) {
    auto name = entry.path().lexically_relative(folder).string();
    bool is_readable = entry.is_regular_file() && ::access(entry.path().c_str(), R_OK) == 0;
    bool is_lock = entry.path().filename() == "lock" || entry.path().filename() == "lock.mdb";
    files[name] = !is_readable ? "no file" : is_lock ? "a lock" : read_file(entry);
  }
  return files;
}

// A sentence behind the program's name, and behind it what to do; nothing a terminal obeys.
void expect_helpful(const std::string& errors) {
  auto lines = lines_of(errors);
  auto says = [](const std::string& line) { return line.starts_with("almanac: "); };
  auto helps = [](const std::string& line) { return line.starts_with("  ") && line.size() > 10; };
  ASSERT_TRUE(std::ranges::any_of(lines, says)) << errors;
  EXPECT_TRUE(helps(lines.back())) << errors;
  EXPECT_TRUE(std::ranges::none_of(errors, [](char c) { return c != '\n' && c < ' ' && c >= 0; }));
}

std::string name_of(const Row& row) {
  auto name = row.claim;
  std::ranges::replace_if(name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

class BadInput : public testing::TestWithParam<Row> {};

TEST_P(BadInput, EndsWithItsCodeAndHelpsAndChangesNothing) {
  const Row& row = GetParam();
  Place place;
  row.prepare(place);
  auto before = files_of(place.root.path());
  auto done = run_almanac(
      {.arguments = row.arguments, .folder = place.root.path(), .in_child = place.in_child});
  EXPECT_EQ(done.code, static_cast<int>(row.code)) << done.errors;
  EXPECT_EQ(done.output, "");
  expect_helpful(done.errors);
  for (const auto& says : {row.says, place.says}) {
    for (const auto& text : says) {
      EXPECT_NE(done.errors.find(text), std::string::npos) << text << " is not in " << done.errors;
    }
  }
  if (row.after == After::same_tasks) {
    place.almanac(verify_log);
    auto list = run_almanac({.arguments = list_log, .folder = place.root.path()});
    EXPECT_EQ(lines_of(list.output).size(), 1U + 3U);
    return;
  }
  if (row.after == After::whole) {
    auto verified = run_almanac({.arguments = {"log", "verify", "--dir", "full/log"},
                                 .folder = place.root.path(),
                                 .in_child = place.in_child});
    EXPECT_EQ(verified.code, 0) << verified.errors;
    return;
  }
  auto after = files_of(place.root.path());
  EXPECT_TRUE(after == before) << "files have changed";
}

INSTANTIATE_TEST_SUITE_P(Table, BadInput, testing::ValuesIn(table()),
                         [](const auto& row) { return name_of(row.param); });

TEST(BadInputTable, HasAtLeastFortyRowsAndEveryCodeThatCanHappen) {
  auto rows = table();
  std::set<std::string> names;
  std::set<ExitCode> codes;
  for (const Row& row : rows) {
    names.insert(name_of(row));
    codes.insert(row.code);
  }
  EXPECT_GE(names.size(), 40U);
  EXPECT_EQ(names.size(), rows.size());
  EXPECT_EQ(codes, (std::set{usage, not_found, conflict, corrupt, refused, unknown_outcome,
                             storage_full}));
}

}  // namespace
}  // namespace almanac::test
