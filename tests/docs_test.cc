// Prose that goes stale is worse than none: code shown in a page is a region of a compiled file,
// and links lead somewhere.
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/past_commands.h>
#include <almanac/tests/support/recorded_traces.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;

fs::path source_folder() { return std::getenv("ALMANAC_SOURCE_DIR"); }

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    auto end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// The lines between two "// [NAME]" marks, without the indentation they share.
std::vector<std::string> region(std::string_view source, std::string_view name) {
  const auto mark = "// [" + std::string(name) + "]";
  std::vector<std::string> found;
  bool inside = false;
  std::size_t shared = std::string::npos;
  for (const std::string& line : lines_of(source)) {
    if (line.find(mark) != std::string::npos) {
      inside = !inside;
    } else if (inside) {
      found.push_back(line);
      shared = std::min(shared, line.find_first_not_of(' '));
    }
  }
  for (std::string& line : found) line.erase(0, std::min(shared, line.size()));
  return found;
}

struct Snippet {
  std::string file;
  std::string region;
  std::vector<std::string> lines;
};

// The fenced code behind each "<!-- snippet: FILE -->", or "… FILE#REGION -->" where the file has
// regions of other names than "readme".
std::vector<Snippet> snippets(std::string_view page) {
  constexpr std::string_view mark = "<!-- snippet: ";
  std::vector<Snippet> found;
  bool open = false;
  bool fenced = false;
  for (const std::string& line : lines_of(page)) {
    if (line.starts_with(mark)) {
      auto name = line.substr(mark.size(), line.find(" -->") - mark.size());
      auto hash = std::min(name.find('#'), name.size());
      auto part = hash == name.size() ? "readme" : name.substr(hash + 1);
      found.push_back({name.substr(0, hash), part, {}});
      open = true;
    } else if (open && line.starts_with("```")) {
      open = !fenced;
      fenced = !fenced;
    } else if (fenced) {
      found.back().lines.push_back(line);
    }
  }
  return found;
}

// The first snippet that is not what its file says.
std::optional<std::string> stale_snippet(std::string_view page, const fs::path& root) {
  for (const Snippet& snippet : snippets(page)) {
    auto lines = region(read(root / snippet.file), snippet.region);
    if (snippet.lines.empty() || snippet.lines != lines) {
      return snippet.file + "#" + snippet.region;
    }
  }
  return std::nullopt;
}

// The first relative link that leads nowhere.
std::optional<std::string> broken_link(std::string_view page, const fs::path& folder) {
  for (auto at = page.find("]("); at != std::string_view::npos; at = page.find("](", at + 2)) {
    auto end = page.find(')', at);
    std::string target(page.substr(at + 2, end - at - 2));
    target = target.substr(0, target.find('#'));
    bool is_code = target.find(' ') != std::string::npos;  // [](const State& state)
    if (target.empty() || is_code || target.find("://") != std::string::npos) continue;
    if (!fs::exists(folder / target)) return target;
  }
  return std::nullopt;
}

std::vector<fs::path> pages() {
  std::vector<fs::path> found;
  fs::recursive_directory_iterator entry(source_folder());
  for (; entry != fs::recursive_directory_iterator(); ++entry) {
    auto name = entry->path().filename().string();
    bool skipped = name == "build" || name.starts_with('.');
    if (entry->is_directory() && skipped) entry.disable_recursion_pending();
    if (entry->path().extension() == ".md") found.push_back(entry->path());
  }
  return found;
}

// The first line of C++ in a page that no mark of a snippet stands in front of.
std::optional<std::string> uncompiled_code(std::string_view page) {
  std::string before;
  bool is_code = false;
  for (const std::string& line : lines_of(page)) {
    if (is_code) return line;
    is_code = line == "```cpp" && !before.starts_with("<!-- snippet: ");
    before = line;
  }
  return std::nullopt;
}

TEST(Docs, CodeInGuidesIsCompiledSomewhere) {
  std::size_t checked = 0;
  for (const fs::path& page : pages()) {
    if (page.parent_path().filename() != "guides") continue;
    ++checked;
    const auto code = uncompiled_code(read(page));
    EXPECT_FALSE(code) << page << " shows what nobody compiles: " << code.value_or("");
  }
  EXPECT_GT(checked, 10U);
}

TEST(Docs, CodeInPagesIsARegionOfACompiledFile) {
  std::size_t checked = 0;
  for (const fs::path& page : pages()) {
    auto text = read(page);
    checked += snippets(text).size();
    auto stale = stale_snippet(text, source_folder());
    EXPECT_FALSE(stale) << page << " shows " << stale.value_or("") << " as it was";
  }
  EXPECT_GE(checked, 1U);
}

TEST(Docs, ACodeRegionThatChangedIsSeen) {
  auto page = read(source_folder() / "README.md");
  auto at = page.find("engine->handle");
  if (at == std::string::npos) at = page.find("->handle(");
  ASSERT_NE(at, std::string::npos);
  page[at] = '?';
  EXPECT_TRUE(stale_snippet(page, source_folder()));
}

TEST(Docs, LinksLeadToFilesThatAreThere) {
  for (const fs::path& page : pages()) {
    auto broken = broken_link(read(page), page.parent_path());
    EXPECT_FALSE(broken) << page << " links to " << broken.value_or("");
  }
}

TEST(Docs, ALinkToNowhereIsSeen) {
  EXPECT_EQ(broken_link("see [this](nowhere.md#part)", source_folder()), "nowhere.md");
  EXPECT_FALSE(broken_link("see [this](README.md)", source_folder()));
}

// ---- Commands ----------------------------------------------------------------------------------

struct ShownCommand {
  std::string command;
  std::vector<std::string> output;
};

// The commands of the fenced text behind each "<!-- run: LOG -->", in order.
std::vector<ShownCommand> shown_commands(std::string_view page, std::string_view log) {
  const auto mark = "<!-- run: " + std::string(log) + " -->";
  std::vector<ShownCommand> found;
  bool is_marked = false;
  bool fenced = false;
  for (const std::string& line : lines_of(page)) {
    if (line == mark) {
      is_marked = true;
    } else if (is_marked && line.starts_with("```")) {
      is_marked = !fenced;
      fenced = !fenced;
    } else if (fenced && line.starts_with("$ ")) {
      found.push_back({line.substr(2), {}});
    } else if (fenced) {
      found.back().output.push_back(line);
    }
  }
  return found;
}

// What each prints, run by one shell in `folder`.
std::vector<std::vector<std::string>> run_all(const std::vector<ShownCommand>& commands,
                                              const fs::path& folder) {
  constexpr std::string_view end = "-- end of a command --";
  const auto bin = fs::path(almanac::test::almanac_path()).parent_path().string();
  std::string script = "exec 2>&1\ncd '" + folder.string() + "'\nPATH='" + bin + "':$PATH\n";
  for (const ShownCommand& shown : commands) {
    script += shown.command + "\necho '" + std::string(end) + "'\n";
  }
  almanac::test::write_file(folder / "script", script);
  const auto line = "sh '" + (folder / "script").string() + "' > '" + (folder / "output").string();
  EXPECT_EQ(std::system((line + "'").c_str()), 0);
  std::vector<std::vector<std::string>> outputs(1);
  for (auto& printed : lines_of(read(folder / "output"))) {
    if (printed == end) {
      outputs.emplace_back();
    } else {
      outputs.back().push_back(std::move(printed));
    }
  }
  return outputs;
}

// "…" stands for anything, once in a line.
bool shows(std::string_view shown, std::string_view printed) {
  const auto gap = shown.find("…");
  if (shown == printed || gap == std::string_view::npos) return shown == printed;
  const auto rest = shown.substr(gap + std::string_view("…").size());
  return printed.size() >= gap + rest.size() && printed.starts_with(shown.substr(0, gap)) &&
         printed.ends_with(rest);
}

void expect_shown(const std::vector<ShownCommand>& commands,
                  const std::vector<std::vector<std::string>>& printed) {
  ASSERT_EQ(printed.size(), commands.size() + 1);
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const auto& lines = commands[i].output;
    EXPECT_TRUE(std::ranges::equal(lines, printed[i], shows)) << commands[i].command << "\nprints\n"
                                                              << testing::PrintToString(printed[i]);
  }
}

std::string time_travel_page() { return read(source_folder() / "docs/guides/time-travel.md"); }

class ShownCommands : public almanac::test::PastCommands {
 protected:
  struct Page {
    const char* guide;
    const char* mark;  // of the blocks that are run
    std::size_t commands_min = 0;
    const char* log;  // what ALMANAC_DIR names while they run
  };
  void expect_true(const Page& page) {
    const auto text = read(source_folder() / "docs/guides" / page.guide);
    const auto commands = shown_commands(text, page.mark);
    EXPECT_GE(commands.size(), page.commands_min);
    ASSERT_EQ(::setenv("ALMANAC_DIR", page.log, 1), 0);
    expect_shown(commands, run_all(commands, folder_.path()));
  }
};

TEST_F(ShownCommands, PrintWhatThePageSays) {
  expect_true({.guide = "time-travel.md", .mark = "told", .commands_min = 8, .log = "log"});
}

TEST_F(ShownCommands, OfSnapshotsPrintWhatThePageSays) {
  expect_true({.guide = "backup.md", .mark = "told", .commands_min = 4, .log = "log"});
}

TEST_F(ShownCommands, OfSchedulesPrintWhatThePageSays) {
  expect_true({.guide = "recurring.md", .mark = "told", .commands_min = 10, .log = "log"});
}

TEST_F(ShownCommands, OfMemoriesPrintWhatThePageSays) {
  expect_true({.guide = "memory.md", .mark = "fresh", .commands_min = 8, .log = "memories"});
}

TEST_F(ShownCommands, OfSchedulingPrintWhatThePageSays) {
  expect_true({.guide = "scheduling.md", .mark = "fresh", .commands_min = 7, .log = "fresh"});
}

TEST_F(ShownCommands, OfLimitsPrintWhatThePageSays) {
  expect_true({.guide = "limits.md", .mark = "fresh", .commands_min = 8, .log = "fresh"});
}

TEST_F(ShownCommands, OfCircuitsPrintWhatThePageSays) {
  expect_true({.guide = "resilience.md", .mark = "fresh", .commands_min = 6, .log = "fresh"});
}

TEST_F(ShownCommands, OfGroupsPrintWhatThePageSays) {
  expect_true({.guide = "tasks.md", .mark = "fresh", .commands_min = 7, .log = "fresh"});
}

TEST_F(ShownCommands, OfHealthPrintWhatThePageSays) {
  expect_true({.guide = "resilience.md", .mark = "health", .commands_min = 2, .log = "fresh"});
}

TEST_F(ShownCommands, OfAdvisorsPrintWhatThePageSays) {
  fs::create_directory_symlink(source_folder() / "examples", folder_ / "examples");
  expect_true({.guide = "advisors.md", .mark = "advisor", .commands_min = 6, .log = "advised"});
}

TEST_F(ShownCommands, OfWorkersPrintWhatThePageSays) {
  fs::create_directory_symlink(source_folder() / "examples", folder_ / "examples");
  almanac::test::ChildProcess daemon(
      {almanac::test::almanac_path(), "serve", "--dir", (folder_ / "work").string()});
  ASSERT_TRUE(daemon.read_line().starts_with("serving "));
  ASSERT_TRUE(daemon.read_line().starts_with("socket "));
  expect_true({.guide = "workers.md", .mark = "served", .commands_min = 15, .log = "work"});
  daemon.kill(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0);
}

TEST_F(ShownCommands, OfTheRecordedNightPrintWhatThePageSays) {
  if (!almanac::test::recorded_traces()) {
    std::puts("not checked: ALMANAC_TRACE_DIR does not say where the recorded requests are");
    return;
  }
  const auto commands = shown_commands(time_travel_page(), "trace");
  EXPECT_GE(commands.size(), 8U);
  fs::create_directory_symlink(source_folder() / "examples", folder_ / "examples");
  expect_shown(commands, run_all(commands, folder_.path()));
}

TEST_F(ShownCommands, OfWhatIfPrintWhatThePageSays) {
  const auto page = read(source_folder() / "docs/guides/what-if.md");
  auto commands = shown_commands(page, "told");
  EXPECT_GE(commands.size(), 4U);
  if (almanac::test::recorded_traces()) {
    std::ranges::copy(shown_commands(page, "trace"), std::back_inserter(commands));
  } else {
    std::puts("not all checked: ALMANAC_TRACE_DIR does not say where the recorded requests are");
  }
  ASSERT_EQ(::setenv("ALMANAC_DIR", "log", 1), 0);
  expect_shown(commands, run_all(commands, folder_.path()));
}

TEST_F(ShownCommands, ThatPrintSomethingElseAreSeen) {
  EXPECT_TRUE(shows("timeline  …", "timeline  12ab"));
  EXPECT_FALSE(shows("timeline  …", "origin  12ab"));
  EXPECT_FALSE(shows("first …, at 9", "first"));
  EXPECT_FALSE(shows("9 tasks", "10 tasks"));
  const auto page = "<!-- run: told -->\n```\n$ echo 1\n1\n$ echo 2\n3\n```\n$ echo 4\n";
  const auto commands = shown_commands(page, "told");
  ASSERT_EQ(commands.size(), 2U);
  const auto printed = run_all(commands, folder_.path());
  EXPECT_TRUE(std::ranges::equal(commands[0].output, printed[0], shows));
  EXPECT_FALSE(std::ranges::equal(commands[1].output, printed[1], shows));
}

}  // namespace
