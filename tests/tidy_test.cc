// The rules of the house that a machine can check, over the tree as it stands. Each rule is a
// function from source files to findings, and each is shown to find a planted fault.
#include <almanac/tests/support/source_tree.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

// ---- What the rules know about this tree -------------------------------------------------------

// A file includes its own folder and those before it.
constexpr std::array<std::string_view, 6> arrow = {"log",    "projections", "snapshots",
                                                   "engine", "tools",       "daemon"};
constexpr std::array<std::string_view, 9> described_folders = {
    "log", "projections", "snapshots", "engine", "tools", "daemon", "web", "tests", "bench"};
constexpr std::array<std::string_view, 10> all_folders = {
    "log",    "projections", "snapshots", "engine", "tools",
    "daemon", "web",         "tests",     "bench",  "examples"};

// One door per library. `stems` are the files that may include it, separated by spaces ("*codec"
// is every name that ends so); empty means any file of the folder, but only `pairs_max` of them.
struct Door {
  std::string_view library;
  std::string_view header;  // how the include begins
  std::string_view folder;
  std::string_view stems;
  std::size_t pairs_max = 1;
};
constexpr std::size_t any_number = 1'000;
constexpr std::array doors = {
    Door{"LMDB", "lmdb.h", "log", ""},
    Door{"Cap'n Proto", "capnp/", "log", "*codec", any_number},
    Door{"Cap'n Proto", "kj/", "log", "*codec", any_number},
    Door{"libsodium", "sodium", "log", "hash crypto sha256", 3},
    Door{"xxHash", "xxhash.h", "log", "hash"},
    Door{"zstd", "zstd", "snapshots", ""},
    Door{"libuv", "uv.h", "engine", "loop"},
    Door{"FAISS", "faiss/", "engine", "embedding_index"},
    Door{"spdlog", "spdlog/", "engine", "diagnostics"},
    Door{"date", "date/", "engine", "time_zone"},
    Door{"Vulkan", "vulkan/", "engine", ""},
    Door{"llhttp", "llhttp.h", "daemon", "http_parser"},
    Door{"ncurses", "curses.h", "tools", "terminal_screen"},
    Door{"OpenSSL", "openssl/", "daemon", "tls_channel"},
    Door{"CLI11", "CLI/", "tools", "main usage_error", 2},
    Door{"toml++", "toml++/", "tools", ""},
    Door{"RapidJSON", "rapidjson/", "tools", "workload_jsonl event_json json_tree", any_number},
};

// Headers of these folders are installed and show no foreign type; those of the tools do not.
constexpr std::array<std::string_view, 4> plain_folders = {"log", "projections", "snapshots",
                                                           "engine"};
constexpr std::array<std::string_view, 2> not_installed = {"log/lmdb.h", "log/store_environment.h"};
constexpr std::size_t file_lines_max = 500;
constexpr std::size_t line_columns_max = 100;
constexpr std::size_t function_lines_max = 60;

bool has_sizes(const SourceFile& file) {
  return file.is_code() || file.is_script() || file.path.ends_with(".capnp");
}

// ---- The rules ---------------------------------------------------------------------------------

using Findings = std::vector<std::string>;

template <class Range, class Value>
bool contains(const Range& range, const Value& value) {
  return std::ranges::find(range, value) != std::ranges::end(range);
}

std::string at(const SourceFile& file, std::size_t line) {
  return file.path + ":" + std::to_string(line) + ": ";
}

bool is_generated_schema(const Include& include) { return include.path.ends_with(".capnp.h"); }

// What a file of `folder` may include of our own folders.
bool may_include(std::string_view folder, std::string_view other) {
  if (folder == "tests" || folder == "bench") return true;
  const auto own = std::ranges::find(arrow, folder == "examples" ? "engine" : folder);
  const auto its = std::ranges::find(arrow, other);
  return its != arrow.end() && its <= own;
}

Findings against_the_arrow(const SourceTree& tree) {
  static constexpr std::string_view root = "almanac/";
  Findings findings;
  for (const SourceFile& file : tree) {
    if (!file.is_code()) continue;
    for (const Include& include : includes_of(file)) {
      const std::string where = at(file, include.line);
      if (include.quoted) findings.push_back(where + "our own headers are <almanac/...>");
      if (!include.path.starts_with(root)) continue;
      const std::string inside = include.path.substr(root.size());
      if (inside == "version.h") continue;
      const std::string other = inside.substr(0, inside.find('/'));
      if (!may_include(file.folder(), other)) {
        findings.push_back(where + std::string(file.folder()) + " may not include " + other);
      }
    }
  }
  return findings;
}

bool is_allowed_stem(std::string_view stems, std::string_view stem) {
  if (stems.empty()) return true;
  if (stems.starts_with('*')) return stem.ends_with(stems.substr(1));
  for (std::size_t begin = 0; begin < stems.size();) {
    const std::size_t end = std::min(stems.find(' ', begin), stems.size());
    if (stems.substr(begin, end - begin) == stem) return true;
    begin = end + 1;
  }
  return false;
}

Findings beside_the_door(const SourceTree& tree, const Door& door) {
  Findings findings;
  std::set<std::string> pairs;
  for (const SourceFile& file : tree) {
    if (!file.is_code() || !(contains(arrow, file.folder()) || file.folder() == "examples")) {
      continue;
    }
    for (const Include& include : includes_of(file)) {
      if (!include.path.starts_with(door.header)) continue;
      const std::string where = at(file, include.line);
      if (file.folder() != door.folder || !is_allowed_stem(door.stems, file.stem())) {
        findings.push_back(where + "not the door to " + std::string(door.library));
      }
      pairs.insert(file.path.substr(0, file.path.rfind('.')));
      if (pairs.size() > door.pairs_max) {
        findings.push_back(where + "a second door to " + std::string(door.library));
      }
    }
  }
  return findings;
}

// CLI11 takes seconds to compile: one .cc, and no header.
Findings slow_library_in_header(const SourceTree& tree) {
  Findings findings;
  for (const SourceFile& file : tree) {
    if (!file.is_header()) continue;
    for (const Include& include : includes_of(file)) {
      if (!include.path.starts_with("CLI/")) continue;
      findings.push_back(at(file, include.line) + "CLI11 belongs into one .cc file");
    }
  }
  return findings;
}

Findings schema_outside_codec(const SourceTree& tree) {
  Findings findings;
  for (const SourceFile& file : tree) {
    if (!file.is_code() || file.folder() == "tests" || file.folder() == "bench") continue;
    for (const Include& include : includes_of(file)) {
      if (!is_generated_schema(include)) continue;
      if (file.folder() == "log" && file.stem().ends_with("codec")) continue;
      findings.push_back(at(file, include.line) + "generated code is for the codecs alone");
    }
  }
  return findings;
}

// Our own, the standard library's (no dot in the name) and the operating system's.
bool is_plain(const std::string& header) {
  static const std::set<std::string, std::less<>> of_system = {
      "errno.h", "fcntl.h", "pthread.h", "signal.h", "stddef.h", "time.h", "unistd.h"};
  return header.starts_with("almanac/") || header.starts_with("sys/") ||
         header.find_first_of("./") == std::string::npos || of_system.contains(header);
}

Findings foreign_in_header(const SourceTree& tree) {
  Findings findings;
  for (const SourceFile& file : tree) {
    if (!file.is_header() || !contains(plain_folders, file.folder())) continue;
    if (file.path.ends_with("_codec.h") || contains(not_installed, file.path)) continue;
    for (const Include& include : includes_of(file)) {
      if (is_plain(include.path)) continue;
      findings.push_back(at(file, include.line) + "<" + include.path + "> in an installed header");
    }
  }
  return findings;
}

std::size_t columns(std::string_view line) {
  return static_cast<std::size_t>(std::ranges::count_if(
      line, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

Findings over_size(const SourceTree& tree) {
  Findings findings;
  for (const SourceFile& file : tree) {
    if (!has_sizes(file)) continue;
    const auto lines = lines_in(file.text);
    if (lines.size() > file_lines_max) {
      findings.push_back(at(file, lines.size()) + "the file has over 500 lines");
    }
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (columns(lines[i]) <= line_columns_max) continue;
      findings.push_back(at(file, i + 1) + "the line has over 100 columns");
    }
    if (!file.is_code()) continue;
    for (const FunctionBody& function : functions_of(file)) {
      if (function.lines <= function_lines_max) continue;
      findings.push_back(at(file, function.line) + "the function has " +
                         std::to_string(function.lines) + " lines, over 60");
    }
  }
  return findings;
}

Findings without_readme(const SourceTree& tree) {
  std::map<std::string, bool, std::less<>> has_readme;
  for (const SourceFile& file : tree) {
    if (file.is_code() || file.is_script())
      has_readme.try_emplace(std::string(file.folder()), false);
  }
  for (const SourceFile& file : tree) {
    if (file.path == std::string(file.folder()) + "/README.md") {
      has_readme[std::string(file.folder())] = true;
    }
  }
  Findings findings;
  for (const auto& [folder, has] : has_readme) {
    if (!has && contains(described_folders, folder)) {
      findings.push_back(folder + "/ has no README.md");
    }
  }
  return findings;
}

// What must not be left behind, written in halves so that this file passes. The prefix of a
// disabled test stands at the front of its name, the others stand alone.
constexpr std::string_view disabled =
    "DISABLED"
    "_";
constexpr std::array<std::string_view, 7> left_behind = {
    "waitFor"
    "Timeout",
    "sleep_"
    "for",
    "sleep_"
    "until",
    "us"
    "leep",
    "GTEST_"
    "SKIP",
    "TO"
    "DO",
    "FIX"
    "ME"};

Findings unfinished(const SourceTree& tree) {
  Findings findings;
  for (const SourceFile& file : tree) {
    if (!has_sizes(file)) continue;
    const auto lines = lines_in(file.text);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const bool found =
          lines[i].find(disabled) != std::string_view::npos ||
          std::ranges::any_of(left_behind, [&](auto word) { return has_word(lines[i], word); });
      if (found) findings.push_back(at(file, i + 1) + "left behind: " + std::string(lines[i]));
    }
  }
  return findings;
}

// ---- The tree as it stands ---------------------------------------------------------------------

const SourceTree& real_tree() {
  static const SourceTree tree = [] {
    const char* root = std::getenv("ALMANAC_SOURCE_DIR");
    return root == nullptr ? SourceTree{} : read_source_tree(root, all_folders);
  }();
  return tree;
}

std::string joined(const Findings& findings) {
  std::string text;
  for (const std::string& finding : findings) text += finding + "\n";
  return text;
}

TEST(Tree, IsFound) {
  ASSERT_NE(std::getenv("ALMANAC_SOURCE_DIR"), nullptr) << "run this through ctest";
  EXPECT_TRUE(std::ranges::any_of(
      real_tree(), [](const SourceFile& file) { return file.path == "tests/tidy_test.cc"; }));
}

TEST(Tree, FollowsTheArrow) { EXPECT_EQ(joined(against_the_arrow(real_tree())), ""); }

TEST(Tree, HasOneDoorPerLibrary) {
  for (const Door& door : doors) EXPECT_EQ(joined(beside_the_door(real_tree(), door)), "");
  EXPECT_EQ(joined(slow_library_in_header(real_tree())), "");
}

TEST(Tree, ShowsGeneratedCodeToCodecsAlone) {
  EXPECT_EQ(joined(schema_outside_codec(real_tree())), "");
}

TEST(Tree, HasNoForeignHeaderInAnInstalledOne) {
  EXPECT_EQ(joined(foreign_in_header(real_tree())), "");
}

TEST(Tree, KeepsToTheSizes) { EXPECT_EQ(joined(over_size(real_tree())), ""); }

TEST(Tree, DescribesEachFolder) { EXPECT_EQ(joined(without_readme(real_tree())), ""); }

TEST(Tree, IsFinished) { EXPECT_EQ(joined(unfinished(real_tree())), ""); }

// ---- Each rule finds a planted fault, and passes what is right ---------------------------------

SourceFile file_with(std::string path, std::string text) {
  return {.path = std::move(path), .text = std::move(text)};
}

const Door& door_to(std::string_view header) {
  return *std::ranges::find(doors, header, &Door::header);
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST(ArrowRule, FindsAnIncludeOfAFolderToTheRight) {
  const auto findings =
      against_the_arrow({file_with("log/log.cc", "#include <almanac/engine/loop.h>\n"),
                         file_with("engine/loop.cc", "#include <almanac/log/log.h>\n")});
  EXPECT_EQ(joined(findings), "log/log.cc:1: log may not include engine\n");
}

TEST(ArrowRule, FindsThatOurCodeRestsOnTests) {
  EXPECT_EQ(
      against_the_arrow({file_with("tools/a.cc", "#include <almanac/tests/support/x.h>\n")}).size(),
      1U);
  EXPECT_TRUE(
      against_the_arrow({file_with("tests/a.cc", "#include <almanac/tools/x.h>\n")}).empty());
}

TEST(ArrowRule, FindsQuotedIncludesButNotThoseInComments) {
  EXPECT_EQ(against_the_arrow({file_with("log/a.cc", "\n#include \"log.h\"\n")}).size(), 1U);
  EXPECT_TRUE(against_the_arrow({file_with("log/a.cc", "// #include \"log.h\"\n")}).empty());
}

TEST(ArrowRule, LetsExamplesSeeNoMoreThanTheEngine) {
  EXPECT_EQ(against_the_arrow({file_with("examples/a.cc", "#include <almanac/tools/x.h>\n"),
                               file_with("examples/b.cc", "#include <almanac/engine/x.h>\n")})
                .size(),
            1U);
}

TEST(DoorRule, FindsASecondPair) {
  const SourceTree tree = {file_with("log/index.cc", "#include <lmdb.h>\n"),
                           file_with("log/store.cc", "#include <lmdb.h>\n"),
                           file_with("log/store.h", "#include <lmdb.h>\n")};
  EXPECT_EQ(joined(beside_the_door({tree[1], tree[2]}, door_to("lmdb.h"))), "");
  EXPECT_FALSE(beside_the_door(tree, door_to("lmdb.h")).empty());
}

TEST(DoorRule, FindsTheWrongFolder) {
  EXPECT_EQ(
      joined(beside_the_door({file_with("tools/a.cc", "#include <lmdb.h>\n")}, door_to("lmdb.h"))),
      "tools/a.cc:1: not the door to LMDB\n");
}

TEST(DoorRule, FindsAFileThatIsNotNamedAsADoor) {
  const Door door{"libuv", "uv.h", "engine", "loop timer", any_number};
  EXPECT_EQ(joined(beside_the_door({file_with("engine/decide.cc", "#include <uv.h>\n"),
                                    file_with("engine/loop.cc", "#include <uv.h>\n"),
                                    file_with("engine/timer.cc", "#include <uv.h>\n")},
                                   door)),
            "engine/decide.cc:1: not the door to libuv\n");
}

TEST(DoorRule, FindsTheCommandLineLibraryInAHeader) {
  EXPECT_EQ(slow_library_in_header({file_with("tools/a.h", "#include <CLI/CLI.hpp>\n")}).size(),
            1U);
  EXPECT_TRUE(
      slow_library_in_header({file_with("tools/a.cc", "#include <CLI/CLI.hpp>\n")}).empty());
}

TEST(SchemaRule, FindsGeneratedCodeOutsideTheCodecs) {
  const std::string include = "#include <almanac/log/frame.capnp.h>\n";
  EXPECT_EQ(schema_outside_codec({file_with("log/writer.cc", include)}).size(), 1U);
  EXPECT_TRUE(schema_outside_codec({file_with("log/events_codec.h", include)}).empty());
}

TEST(HeaderRule, FindsAForeignInclude) {
  EXPECT_EQ(joined(foreign_in_header(
                {file_with("engine/engine.h", "#include <nlohmann/json.hpp>\n"),
                 file_with("engine/loop.h", "#include <sys/types.h>\n#include <string>\n"),
                 file_with("log/events_codec.h", "#include <capnp/any.h>\n"),
                 file_with("log/file.h", "#include <almanac/log/a.h>\n")})),
            "engine/engine.h:1: <nlohmann/json.hpp> in an installed header\n");
}

TEST(SizeRule, FindsALongFileAndALongLine) {
  EXPECT_TRUE(over_size({file_with("log/a.cc", repeated("//\n", file_lines_max))}).empty());
  EXPECT_EQ(over_size({file_with("log/a.cc", repeated("//\n", file_lines_max + 1))}).size(), 1U);
  EXPECT_TRUE(over_size({file_with("log/a.cc", repeated("…", line_columns_max))}).empty());
  EXPECT_EQ(over_size({file_with("log/a.cc", repeated("…", line_columns_max + 1))}).size(), 1U);
}

TEST(SizeRule, HoldsOfThePageToo) {
  for (const std::string name : {"web/src/a.ts", "web/src/a.tsx", "web/tests/a.js", "web/a.css"}) {
    EXPECT_EQ(over_size({file_with(name, repeated("//\n", file_lines_max + 1))}).size(), 1U)
        << name;
    EXPECT_EQ(over_size({file_with(name, repeated("x", line_columns_max + 1))}).size(), 1U) << name;
  }
}

TEST(SizeRule, FindsALongFunctionWhereverItStands) {
  const std::string body = repeated("  f();\n", function_lines_max - 2);
  for (const std::string head :
       {"void f() {\n", "template <class T>  void f(T) {\n", "TEST(A, B) {\n"}) {
    EXPECT_EQ(joined(over_size({file_with("log/a.cc", head + body + "}\n")})), "") << head;
    EXPECT_EQ(over_size({file_with("log/a.cc", head + "\n" + body + "}\n")}).size(), 1U) << head;
  }
  const std::string inside =
      "namespace a {\nstruct B : C<int> {\n int g() const {\n" + body + "\n}\n};\n}\n";
  EXPECT_EQ(joined(over_size({file_with("log/a.h", inside)})),
            "log/a.h:3: the function has 61 lines, over 60\n");
}

TEST(SizeRule, LetsTablesAndClassesBeLong) {
  const std::string rows = repeated("  1,\n", function_lines_max + 1);
  EXPECT_EQ(joined(over_size({file_with("log/a.cc", "int a[] = {\n" + rows + "};\n"),
                              file_with("log/b.cc", "auto b = f({\n" + rows + "});\n"),
                              file_with("log/c.cc", "enum class C {\n" + rows + "};\n")})),
            "");
}

TEST(ReadmeRule, FindsAFolderWithoutOne) {
  EXPECT_EQ(joined(without_readme({file_with("log/a.cc", ""), file_with("bench/a.cc", ""),
                                   file_with("bench/README.md", "")})),
            "log/ has no README.md\n");
}

TEST(UnfinishedRule, FindsWhatIsLeftForLater) {
  for (const std::string word : {"TO"
                                 "DO",
                                 "FIX"
                                 "ME",
                                 "GTEST_"
                                 "SKIP",
                                 "usl"
                                 "eep",
                                 "DISABLED"
                                 "_x",
                                 "page.waitFor"
                                 "Timeout",
                                 "std::this_thread::sleep_"
                                 "for"}) {
    EXPECT_EQ(unfinished({file_with("log/a.cc", "int a;  // " + word + "()\n")}).size(), 1U)
        << word;
  }
  EXPECT_TRUE(unfinished({file_with("log/a.cc", "int todo_list;\n")}).empty());
}

TEST(Blanking, LeavesCodeAndPlacesAlone) {
  EXPECT_EQ(blanked("a = \"{\\\"\"; // {\nb"), "a =      ;     \nb");
  EXPECT_EQ(blanked("a = 1'000; c = '{'; /* {\n */ d"), "a = 1'000; c =    ;     \n    d");
  EXPECT_EQ(blanked("R\"x({\")x\" }"), "R         }");
}

}  // namespace
}  // namespace almanac::test
