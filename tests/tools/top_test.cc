// `almanac top`: what its page says, how it fits, and what its keys do on a real terminal.
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tools/text.h>
#include <almanac/tools/top_page.h>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace almanac::test {
namespace {

using nlohmann::ordered_json;

ordered_json running_task(std::uint64_t id, const std::string& label, std::int64_t seconds) {
  return {{"id", id},
          {"label", label},
          {"queue", id % 2 == 0 ? "mail" : "web"},
          {"kind", "command"},
          {"state", "running"},
          {"attempt", 1},
          {"since", "2026-11-22T10:00:00.000000Z"},
          {"running_us", seconds * 1'000'000},
          {"permille", id == 3 ? ordered_json(420) : ordered_json()},
          {"worker", nullptr}};
}

ordered_json some_overview() {
  ordered_json overview = ordered_json::parse(R"({
    "position": 1234, "time": "2026-11-22T10:00:09.000000Z", "now": "2026-11-22T10:00:10.5Z",
    "engine": {"running": true, "slots": 4, "started_at": null, "version": "0.1.0"},
    "health": {"health": "degraded", "since": null, "reasons": ["circuit search is open"]},
    "tasks": {"ready": 7, "running": 3, "succeeded": 100, "failed": 2}, "live": 10,
    "rates": [{"minutes": 1, "enqueued_per_minute": 12.0, "started_per_minute": 11.0,
               "ended_per_minute": 10.5, "failed_per_minute": 0.0, "sampled": false},
              {"minutes": 60, "enqueued_per_minute": 3.25, "started_per_minute": 3.0,
               "ended_per_minute": 3.0, "failed_per_minute": 0.5, "sampled": true}],
    "queues": [{"queue": "mail", "slots": 0, "paused": true, "ready": 7, "running": 1,
                "delayed": 0, "waiting": 0, "succeeded": 60, "failed": 2},
               {"queue": "web", "slots": 2, "paused": false, "ready": 0, "running": 2,
                "delayed": 0, "waiting": 0, "succeeded": 40, "failed": 0}],
    "running": [], "running_left_out": 5,
    "ended": [{"id": 9, "label": "send", "queue": "mail", "kind": "command", "state": "failed",
               "attempt": 3, "ended_at": "2026-11-22T10:00:08.000000Z", "code": 75}],
    "circuits": [{"service": "search", "state": "open", "since": "2026-11-22T09:59:00.000000Z",
                  "until": null}],
    "components": [{"component": "ui", "implementation": "build-a", "state": "given_up",
                    "issue": "build_failed", "repair_at": null}],
    "gpus": [{"gpu": "x", "name": "H", "presence": "present", "heap": 0, "level": "warning",
              "since": null, "size": 1073741824, "used": 1046478848}],
    "alerts": []})");
  overview["running"] = ordered_json::array(
      {running_task(3, "zip", 90), running_task(8, "\xE6\x97\xA5\xE6\x9C\xAC \x1b[31m", 60),
       running_task(5, "alpha", 1)});
  return overview;
}

std::string text_of_page(const std::vector<TopLine>& page) {
  std::string text;
  for (const TopLine& line : page) text += line.text + "\n";
  return text;
}

std::vector<std::uint64_t> tasks_of(const std::vector<TopLine>& page) {
  std::vector<std::uint64_t> tasks;
  for (const TopLine& line : page) {
    if (line.task != 0) tasks.push_back(line.task);
  }
  return tasks;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

TEST(TopPage, SaysHowThingsStand) {
  const std::string text = text_of_page(top_page(some_overview(), {}));
  for (const char* part :
       {"position 1234", "2026-11-22 10:00:10Z", "4 slots", "degraded", "circuit search is open",
        "7 ready", "100 succeeded", "12.0 enqueued", "~0.5 failed", "mail (paused)",
        "RUNNING (5 more)", "1m30s", "42%", "given_up", "search", "warning", "998.0 MiB of 1.0 GiB",
        "75", "10:00:08Z"}) {
    EXPECT_TRUE(has(text, part)) << part << "\n" << text;
  }
  EXPECT_FALSE(has(text, "\x1b")) << "an escape of a label is not for the terminal";
}

TEST(TopPage, FitsEveryWidthAndHeight) {
  for (std::size_t columns_max : {20U, 40U, 45U, 80U, 200U}) {
    for (std::size_t rows : {0U, 5U, 12U, 24U, 60U}) {
      const auto page = top_page(some_overview(), {.columns = columns_max, .rows = rows});
      if (rows > 0) {
        EXPECT_LE(page.size(), rows);
      }
      for (const TopLine& line : page) EXPECT_LE(columns(line.text), columns_max) << line.text;
    }
  }
  const auto narrow = text_of_page(top_page(some_overview(), {.columns = 40}));
  EXPECT_TRUE(has(narrow, "zip")) << narrow;
  const auto low = text_of_page(top_page(some_overview(), {.rows = 20}));
  EXPECT_TRUE(has(low, "more)")) << low;
}

TEST(TopPage, SortsAndFilters) {
  const ordered_json overview = some_overview();
  EXPECT_EQ(tasks_of(top_page(overview, {})), (std::vector<std::uint64_t>{3, 8, 5, 9}));
  EXPECT_EQ(tasks_of(top_page(overview, {.sort = TopSort::id})),
            (std::vector<std::uint64_t>{3, 5, 8, 9}));
  EXPECT_EQ(tasks_of(top_page(overview, {.sort = TopSort::queue})),
            (std::vector<std::uint64_t>{8, 3, 5, 9}));
  EXPECT_EQ(tasks_of(top_page(overview, {.sort = TopSort::label})),
            (std::vector<std::uint64_t>{5, 3, 8, 9}));
  EXPECT_EQ(tasks_of(top_page(overview, {.filter = "mail"})), (std::vector<std::uint64_t>{8, 9}));
  EXPECT_EQ(tasks_of(top_page(overview, {.filter = "nothing"})), std::vector<std::uint64_t>());
}

TEST(TopPage, SaysWhenItIsOfThePast) {
  const std::string text = text_of_page(top_page(some_overview(), {.mode = "past"}));
  EXPECT_TRUE(has(text, "past")) << text;
  EXPECT_TRUE(has(text, "2026-11-22 10:00:09Z")) << text;
}

// ---- The command ----

class Top : public ::testing::Test {
 protected:
  CommandOutput almanac(std::vector<std::string> arguments) {
    return run_almanac({.arguments = std::move(arguments), .folder = folder.path()});
  }
  void submit(const std::string& label) {
    const CommandOutput done = almanac({"submit", "--name", label, "--", "true"});
    ASSERT_EQ(done.code, 0) << done.errors;
  }
  struct Step {
    std::string_view shown;  // once this is there behind what the step before waited for …
    std::function<void(const Terminal&)> act;  // … this is done
  };
  // The command on a terminal of its own.
  CommandOutput watch(std::vector<Step> steps, std::map<std::string, std::string> more = {},
                      std::size_t width = 80) {
    std::map<std::string, std::string> environment = std::move(more);
    environment.try_emplace("TERM", "xterm");
    std::size_t next = 0;
    std::size_t begin = 0;
    auto output =
        run_on_terminal({.arguments = {"top"}, .folder = folder.path(), .environment = environment},
                        width, [&](const std::string& text, const Terminal& terminal) {
                          while (next < steps.size()) {
                            const auto found = text.find(steps[next].shown, begin);
                            if (found == text.npos) return;
                            begin = found + steps[next].shown.size();
                            steps[next++].act(terminal);
                          }
                        });
    EXPECT_EQ(next, steps.size()) << "never shown: "
                                  << steps[std::min(next, steps.size() - 1)].shown;
    return output;
  }
  static std::function<void(const Terminal&)> type(std::string keys) {
    return [keys = std::move(keys)](const Terminal& terminal) { terminal.type(keys); };
  }

  TempFolder folder;
};

TEST_F(Top, PrintsOnePageWhereThereIsNoTerminal) {
  submit("first");
  const CommandOutput plain = almanac({"top"});
  EXPECT_EQ(plain.code, 0) << plain.errors;
  EXPECT_TRUE(has(plain.output, "1 ready")) << plain.output;
  EXPECT_FALSE(has(plain.output, "\x1b"));
  const auto json = ordered_json::parse(almanac({"top", "--once", "--json"}).output);
  EXPECT_EQ(json["tasks"]["ready"], 1);
  const auto before = ordered_json::parse(almanac({"top", "--json", "--at", "1"}).output);
  EXPECT_EQ(before["tasks"]["ready"], 0);
  EXPECT_EQ(almanac({"top", "--at", "99"}).code, 3);
  EXPECT_EQ(run_almanac({.arguments = {"top", "--dir", "nowhere"}, .folder = folder.path()}).code,
            3);
}

TEST_F(Top, FollowsTheLogAndActsOnKeys) {
  submit("first");
  const CommandOutput done =
      watch({{"QUEUES", type("?")},
             {"hundredth of the log", type("?")},
             {"default",
              [&](const Terminal& terminal) {
                const auto more = almanac({"submit", "--queue", "second-queue", "--", "true"});
                EXPECT_EQ(more.code, 0) << more.errors;
                (void)terminal;
              }},
             {"second-queue", type("/zzz\r")},
             {"filter zzz", type("\x1b")},
             {"second-queue", type("<")},
             {"past", type("q")}});
  EXPECT_EQ(done.code, 0) << done.output;
  EXPECT_TRUE(done.echoes);
}

TEST_F(Top, ShowsTheTaskThatIsChosen) {
  submit("picked-one");
  ASSERT_EQ(almanac({"run"}).code, 0);
  const CommandOutput done = watch({{"picked-one", type("\x1bOB")},
                                    {"[0;7m", type("\r")},  // in reverse
                                    {"attempts_max", type("q")}});
  EXPECT_EQ(done.code, 0) << done.output;
}

TEST_F(Top, FitsATerminalThatChangesItsSize) {
  submit("first");
  const CommandOutput done =
      watch({{"QUEUES",
              [](const Terminal& terminal) {
                const winsize size{.ws_row = 40, .ws_col = 45, .ws_xpixel = 0, .ws_ypixel = 0};
                EXPECT_EQ(::ioctl(terminal.keys.get(), TIOCSWINSZ, &size), 0);
              }},
             {"QUEUES", type("q")}});
  EXPECT_EQ(done.code, 0) << done.output;
}

TEST_F(Top, HasColoursUnlessNobodyWantsThem) {
  submit("first");
  const CommandOutput coloured = watch({{"QUEUES", type("q")}});
  EXPECT_TRUE(has(coloured.output, "\x1b[32m")) << "healthy is green";
  const CommandOutput plain = watch({{"QUEUES", type("q")}}, {{"NO_COLOR", "1"}});
  EXPECT_FALSE(has(plain.output, "\x1b[32m"));
  EXPECT_TRUE(has(plain.output, "healthy"));
}

TEST_F(Top, PrintsOnePageOnATerminalItDoesNotKnow) {
  submit("first");
  const CommandOutput done =
      watch({{"1 ready", [](const Terminal&) {}}}, {{"TERM", "no-such-terminal"}});
  EXPECT_EQ(done.code, 0) << done.output;
}

TEST_F(Top, GivesTheTerminalBackWhenASignalEndsIt) {
  submit("first");
  for (const int signal : {SIGINT, SIGTERM}) {
    const CommandOutput done = watch(
        {{"QUEUES", [signal](const Terminal& terminal) { ::kill(terminal.process, signal); }}});
    EXPECT_EQ(done.code, 0) << signal;
    EXPECT_TRUE(done.echoes) << signal;
  }
}

}  // namespace
}  // namespace almanac::test
