// Workloads that are wrong: each is refused with its line, what is wrong and what to do.
#include <almanac/tools/limits.h>
#include <almanac/tools/workload.h>

#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

struct BadWorkload {
  std::string content;
  int line;
  std::string_view message;    // behind FILE:LINE
  std::string_view next_step;  // how it begins
};

Error refusal(const TempFolder& folder, std::string_view name, std::string_view content) {
  write_file(folder / name, content);
  const auto workload = load_workload(folder / name, Time());
  EXPECT_FALSE(workload) << content.substr(0, 200);
  return workload ? Error{} : workload.error();
}

void expect_refused(std::string_view name, const std::vector<BadWorkload>& table) {
  TempFolder folder;
  for (const BadWorkload& bad : table) {
    SCOPED_TRACE(bad.content.substr(0, 300));
    const auto error = refusal(folder, name, bad.content);
    EXPECT_EQ(error.code, ErrorCode::invalid);
    EXPECT_EQ(error.message, (folder / name).string() + ":" + std::to_string(bad.line) + ": " +
                                 std::string(bad.message));
    EXPECT_TRUE(error.next_step.starts_with(bad.next_step)) << error.next_step;
    EXPECT_FALSE(error.next_step.empty());
  }
}

// A task of TOML with this line in it; the line is the fourth.
std::string task_with(std::string_view line) {
  return "[[task]]\nname = \"a\"\ncommand = [\"true\"]\n" + std::string(line) + "\n";
}

const std::vector<BadWorkload> bad_keys = {
    {task_with("timout = \"30s\""), 4, "unknown key 'timout'", "did you mean 'timeout'?"},
    {task_with("memory = 3"), 4, "unknown key 'memory'", "known here: name, command"},
    {task_with("zoo = 1\nape = 2"), 4, "unknown key 'zoo'", "known here: name, command"},
    {task_with("priority = \"high\""), 4, "'priority' must be a whole number, not text",
     "write it as 3"},
    {task_with("priority = 1.5"), 4,
     "'priority' must be a whole number, not a number with a fraction", "write it as 3"},
    {task_with("priority = 2147483648"), 4, "'priority' must be -2147483648 to 2147483647",
     "write a number in that range"},
    {task_with("attempts = 0"), 4, "'attempts' must be 1 to 1000", "write a number"},
    {task_with("attempts = true"), 4, "'attempts' must be a whole number, not true or false",
     "write it as 3"},
    {task_with("timeout = 30"), 4, "'timeout': the duration '30' has no unit",
     "write 30s for seconds"},
    {task_with("timeout = []"), 4, "'timeout' must be a duration, not a list",
     "write it as \"30s\""},
    {task_with("delay = \"soon\""), 4, "'delay': 'soon' is not a duration",
     "write numbers with units"},
    {task_with("backoff = \"20m\""), 4, "'backoff' of 20m is longer than 'backoff_max' of 10m",
     "raise 'backoff_max'"},
    {task_with("backoff_max = \"1ms\""), 4, "'backoff' of 1s is longer than 'backoff_max' of 1ms",
     "raise 'backoff_max'"},
    {task_with("run_at = 2026-11-21T10:00:00"), 4,
     "'run_at': the time '2026-11-21T10:00:00' has no zone",
     "write 2026-11-21T10:00:00Z when it is meant in UTC"},
    {task_with("run_at = \"tomorrow\""), 4, "'run_at': 'tomorrow' is not a time",
     "write date, time and zone"},
    {task_with("run_at = 1970-01-01T00:00:00Z"), 4, "'run_at' lies before the year 1971",
     "write a time to come"},
    {task_with("run_at = {}"), 4, "'run_at' must be a time, not a table", "write it as"},
    {task_with("delay = \"1s\"\nrun_at = 2026-11-21T10:00:00Z"), 5,
     "'delay' and 'run_at' stand side by side", "keep one of them"},
    {task_with("shell = \"true\""), 4, "'command' and 'shell' stand side by side",
     "keep one of them"},
    {task_with("queue = \"\""), 4, "the queue is empty", "write 1 to 128 bytes"},
    {task_with("queue = \"a\\nb\""), 4, "the queue has a control character in it",
     "write 1 to 128 bytes"},
    {task_with("tags = \"one\""), 4, "'tags' must be a list of texts, not text",
     "write it as [\"one\", \"two\"]"},
    {task_with("tags = [\"one\",\n 2]"), 5,
     "'tags' must be a list of texts, and a whole number is in it", "put each of them"},
    {task_with("tags = [\"one\",\n \"two\",\n \"one\"]"), 6, "'tags' lists 'one' twice",
     "remove one of them"},
    {task_with("cwd = \"a\\u0000b\""), 4, "'cwd' has a zero byte in it", "remove \\u0000"},
    {task_with("env = [\"A=b\"]"), 4, "'env' must be a table, not a list", "write it as"},
    {task_with("[task.env]\nA = 1"), 5, "'A' must be text, not a whole number",
     "write it as \"some text\""},
    {task_with("env = { \"A=B\" = \"c\" }"), 4, "'A=B' cannot name an environment variable",
     "write a name without '='"},
};

TEST(WorkloadRefusal, SaysWhatIsWrongWithAKey) { expect_refused("work.toml", bad_keys); }

const std::string good_task = "[[task]]\nname = \"a\"\nshell = \"true\"\n";
const std::vector<BadWorkload> bad_tasks = {
    {"", 1, "the workload has no task", "write [[task]]"},
    {"# nothing\nname = \"x\"\n", 1, "the workload has no task", "write [[task]]"},
    {"task = []\n", 1, "the workload has no task", "write [[task]]"},
    {"\n[task]\nname = \"a\"\n", 2, "'task' must be a list of tables", "write [[task]]"},
    {"task = [1]\n", 1, "a task must be a table of keys, not a whole number", "write"},
    {good_task + "[[task]]\nshell = \"true\"\n", 4, "the task has no name", "add a line like"},
    {good_task + "[[task]]\nname = \"b\"\n", 4, "the task 'b' has nothing to run",
     "give it either 'command'"},
    {"[[task]]\nname = \"\"\n", 2, "the task's name is empty", "write 1 to 512 bytes"},
    {"[[task]]\nname = \"a\\tb\"\n", 2, "the task's name has a control character in it",
     "write 1 to 512 bytes"},
    {"[[task]]\nname = \"" + std::string(513, 'a') + "\"\n", 2, "the task's name is too long",
     "write 1 to 512 bytes"},
    {"[[task]]\nname = \"" + std::string(508, 'a') + "\"\n", 2,
     "the names of workload and task take over 512 bytes together", "shorten one"},
    {"[[task]]\nname = \"a\"\nshell = \"\"\n", 3, "'shell' is empty", "write what /bin/sh"},
    {"[[task]]\nname = \"a\"\ncommand = []\n", 3, "'command' has no program to run",
     "write the program first"},
    {"[[task]]\nname = \"a\"\ncommand = \"ls -l\"\n", 3,
     "'command' must be a list of texts, not text", "write it as"},
    {good_task + good_task, 5, "the name 'a' is taken by the task on line 2",
     "give each task a name"},
};

TEST(WorkloadRefusal, SaysWhatIsWrongWithATask) { expect_refused("work.toml", bad_tasks); }

TEST(WorkloadRefusal, SaysWhatIsWrongWithDependencies) {
  auto task = [](std::string_view name, std::string_view after) {
    return "[[task]]\nname = \"" + std::string(name) + "\"\nshell = \"true\"\nafter = [" +
           std::string(after) + "]\n";
  };
  std::string ring;
  for (int i = 1; i <= 20; ++i) {
    ring += task("t" + std::to_string(i), "\"t" + std::to_string(i % 20 + 1) + "\"");
  }
  expect_refused(
      "work.toml",
      {
          {task("fetch", "") + task("count", "\"fecth\""), 8,
           "'after' names 'fecth', and no task is called that", "did you mean 'fetch'?"},
          {task("fetch", "\n\"moon\""), 5, "'after' names 'moon', and no task is called that",
           "write the 'name' of a task"},
          {task("a", "\"a\""), 4, "the tasks wait for each other: a -> a", "take one of these"},
          {task("a", "") + task("b", "\"c\"") + task("c", "\"a\", \"b\""), 8,
           "the tasks wait for each other: b -> c -> b", "take one of these"},
          {task("x", "\"b\"") + task("b", "\"c\"") + task("c", "\"d\"") + task("d", "\"b\""), 8,
           "the tasks wait for each other: b -> c -> d -> b", "take one of these"},
          {ring, 4,
           "the tasks wait for each other: t1 -> t2 -> t3 -> t4 -> t5 -> t6 -> t7 -> (12 more) -> "
           "t20 -> t1",
           "take one of these"},
          {task("a", "") + task("b", "\"a\", \"a\""), 8, "'after' lists 'a' twice", "remove one"},
      });
}

const std::vector<BadWorkload> bad_heads = {
    {"nmae = \"x\"\n", 1, "unknown key 'nmae'", "did you mean 'name'?"},
    {"[[tasks]]\nname = \"a\"\n", 1, "unknown key 'tasks'", "did you mean 'task'?"},
    {"name = \"a/b\"\n", 1, "the workload's name has a '/' in it", "give it a 'name'"},
    {"\nname = \"\"\n", 2, "the workload's name is empty", "give it a 'name'"},
    {"name = 7\n", 1, "'name' must be text, not a whole number", "write it as"},
    {"[defaults]\nname = \"x\"\n", 2, "'name' cannot have a default", "write it into each"},
    {"[defaults]\nafter = [\"x\"]\n", 2, "'after' cannot have a default", "write it into"},
    {"[defaults]\nqueu = \"x\"\n", 2, "unknown key 'queu'", "did you mean 'queue'?"},
    {"defaults = 3\n", 1, "'defaults' must be a table, not a whole number", "write it as"},
    {"[queues]\nio = 2\n", 2, "'io' must be a table, not a whole number", "write it as"},
    {"[queues.io]\n", 1, "the queue 'io' is given no settings", "write how many"},
    {"[queues.io]\nslots = 0\n", 2, "'slots' must be 1 to 4096", "write a number"},
    {"[queues.io]\nslot = 2\n", 2, "unknown key 'slot'", "did you mean 'slots'?"},
    {"[queues.\"\"]\nslots = 2\n", 1, "the queue is empty", "give the queue another name"},
};

TEST(WorkloadRefusal, SaysWhatIsWrongWithTheHead) { expect_refused("work.toml", bad_heads); }

const std::vector<BadWorkload> bad_lines = {
    {"", 1, "the workload has no task", "write {\"command\""},
    {"\n\n", 1, "the workload has no task", "write {\"command\""},
    {"{\"shell\":\"a\"}\n{\"shell\":\n", 2, "not valid JSON at column 10: Invalid value.",
     "write one whole JSON object"},
    {"{\"shell\":\"a\"} x\n", 1,
     "not valid JSON at column 15: The document root must not be followed by other values.",
     "write one whole JSON object"},
    {"{\n\"shell\": \"a\"}\n", 1, "not valid JSON at column 2: Missing a name for object member.",
     "write one whole JSON object"},
    {"[]\n", 1, "a task must be a table of keys, not a list", "write {\"command\""},
    {"\n\"a\"\n", 2, "a task must be a table of keys, not text", "write {\"command\""},
    {"{\"shell\":\"a\",\"queue\":\"b\",\"shell\":\"c\"}\n", 1,
     "the key 'shell' stands in one object twice", "remove one of them"},
    {"{\"shell\":\"a\",\"timeout\":null}\n", 1, "'timeout' must be a duration, not null",
     "write it as"},
    {"{\"shell\":\"a\",\"attempts\":18446744073709551615}\n", 1, "'attempts' must be 1 to 1000",
     "write a number"},
    {"{\"shell\":\"\\ud800\"}\n", 1,
     "not valid JSON at column 11: The surrogate pair in string is invalid.", "write one whole"},
    {"{\"shell\":\"a\",\"tags\":" + std::string(16, '[') + std::string(16, ']') + "}\n", 1,
     "objects and lists stand inside each other too deeply", "a task needs no more"},
    {"{\"shell\":\"a\"}\n{\"workload\":{}}\n", 2, "'workload' stands behind a task",
     "move it to the first line"},
    {"{\"workload\":{},\"shell\":\"a\"}\n", 1,
     "'workload' must be an object, alone on the first line", "write {\"workload\""},
    {"{\"workload\":\"x\"}\n", 1, "'workload' must be an object, alone on the first line",
     "write {\"workload\""},
    {"{\"workload\":{\"queue\":{}}}\n", 1, "unknown key 'queue'", "did you mean 'queues'?"},
    {"{\"shell\":\"a\",\"name\":\"line-2\"}\n{\"shell\":\"a\"}\n", 2,
     "the name 'line-2' is taken by the task on line 1", "give each task"},
    {"{\"shell\":\"a\"}\n{\"shell\":\"\xC3(\"}\n", 2, "the byte at column 11 is not UTF-8 text",
     "save the file as UTF-8"},
    {std::string("{\"shell\":\"a\"}\0\n", 15), 1, "the byte at column 14 is not UTF-8 text",
     "save the file as UTF-8"},
};

TEST(WorkloadRefusal, SaysWhatIsWrongWithALineOfJson) { expect_refused("work.jsonl", bad_lines); }

TEST(WorkloadRefusal, SaysWhereTomlIsNotValid) {
  TempFolder folder;
  for (const std::string line : {"name = ", "name = 'a", "= 3", "name = \"b\"", "[[task]"}) {
    const auto error = refusal(folder, "work.toml", task_with(line));
    EXPECT_EQ(error.code, ErrorCode::invalid);
    EXPECT_TRUE(error.message.starts_with((folder / "work.toml").string() +
                                          ":4: not valid TOML at column "))
        << error.message;
    EXPECT_TRUE(error.next_step.starts_with("correct this line")) << error.next_step;
  }
}

TEST(WorkloadRefusal, HoldsTheLimits) {
  TempFolder folder;
  const auto shown = (folder / "work.jsonl").string();
  const std::string long_line = "{\"shell\":\"" + std::string(limits::workload_line_bytes_max, 'a');
  EXPECT_EQ(refusal(folder, "work.jsonl", "\n" + long_line + "\"}").message,
            shown + ":2: the line is over the limit of 16 MiB");
  const std::string large = "{\"shell\":\"" + std::string(limits::payload_bytes_max, 'a') + "\"}\n";
  EXPECT_EQ(refusal(folder, "work.jsonl", large).message,
            shown + ":1: the command of the task 'line-1' is over the limit of 8 MiB");
  std::string tags;
  for (std::size_t i = 0; i <= limits::tags_max; ++i) tags += "\"" + std::to_string(i) + "\",";
  tags.pop_back();
  EXPECT_EQ(refusal(folder, "work.jsonl", "{\"shell\":\"a\",\"tags\":[" + tags + "]}").message,
            shown + ":1: 'tags' has 65 entries, over the limit of 64");
}

TEST(WorkloadRefusal, TellsWhyAFileCannotBeRead) {
  TempFolder folder;
  const auto folder_text = folder.path().string();
  const auto missing = load_workload(folder_text + "/none.toml", Time());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_EQ(missing.error().message, "there is no workload '" + folder_text + "/none.toml'");

  const auto is_folder = load_workload(folder_text, Time());
  ASSERT_FALSE(is_folder);
  EXPECT_EQ(is_folder.error().code, ErrorCode::invalid);
  EXPECT_EQ(is_folder.error().message, "'" + folder_text + "' is a folder, not a workload");

  const auto ending = refusal(folder, "work.yaml", "a: b");
  EXPECT_EQ(ending.code, ErrorCode::invalid);
  EXPECT_EQ(ending.message,
            "the ending of '" + folder_text + "/work.yaml' says nothing about its format");
  EXPECT_EQ(ending.next_step, "call it .toml for TOML, or .jsonl, .ndjson or .json for JSON Lines");

  fs::create_symlink("loop.toml", folder / "loop.toml");
  const auto loop = load_workload(folder / "loop.toml", Time());
  ASSERT_FALSE(loop);
  EXPECT_EQ(loop.error().code, ErrorCode::io);
}

// ---- Damage ------------------------------------------------------------------------------------

// A workload with something taken out, put in or changed.
std::string damaged(std::string content) {
  static const std::vector<std::string> pieces = {"",
                                                  "\"",
                                                  "[",
                                                  "]",
                                                  "{",
                                                  "}",
                                                  ",",
                                                  ":",
                                                  "=",
                                                  "\n",
                                                  "\\",
                                                  "\\u0",
                                                  "#",
                                                  ".",
                                                  "'''",
                                                  "-",
                                                  "9",
                                                  "1e9",
                                                  "1e999",
                                                  "\xFF",
                                                  "\xED\xA0\x80",
                                                  std::string(1, '\0'),
                                                  "[[task]]",
                                                  "null"};
  const auto count = *rc::gen::inRange(1, 4);
  for (int i = 0; i < count && !content.empty(); ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, content.size());
    content.replace(at, *rc::gen::inRange<std::size_t>(0, 3), *rc::gen::elementOf(pieces));
  }
  return content;
}

RC_GTEST_PROP(WorkloadRefusal, NamesTheFileAndLineOfAnyDamage, ()) {
  static const std::string toml =
      "name = \"x\"\n[queues.io]\nslots = 2\n" + task_with("env = { A = \"b\" }\nafter = [\"b\"]") +
      "[[task]]\nname = \"b\"\nshell = '''a\nb'''\nrun_at = 2026-11-21T10:00:00.5Z\n";
  static const std::string json = R"({"workload":{"name":"x","queues":{"io":{"slots":2}}}})"
                                  "\n"
                                  R"({"command":["a"],"env":{"A":"\u00e9"},"after":["b"]})"
                                  "\n"
                                  R"({"name":"b","shell":"a","priority":-12,"delay":"1s"})"
                                  "\n";
  const bool is_toml = *rc::gen::arbitrary<bool>();
  TempFolder folder;
  const auto path = (folder / (is_toml ? "work.toml" : "work.jsonl")).string();
  const auto content = damaged(is_toml ? toml : json);
  write_file(path, content);
  const auto workload = load_workload(path, Time());
  if (workload) return;
  const Error& error = workload.error();
  const std::string& message = error.message;
  RC_ASSERT(error.code == ErrorCode::invalid);
  RC_ASSERT(message.starts_with(path + ":"));
  const int line = std::atoi(message.c_str() + path.size() + 1);
  RC_ASSERT(line >= 1);
  RC_ASSERT(line <= std::ranges::count(content, '\n') + 1);
  RC_ASSERT(!error.next_step.empty());
}

}  // namespace
}  // namespace almanac::test
