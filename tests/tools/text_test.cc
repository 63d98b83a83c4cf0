#include <almanac/tools/text.h>

#include <almanac/tests/support/command_result.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

// Letters of every width and length, and what is no text at all.
std::string gen_text() {
  static const std::vector<std::string> parts = {
      "a", "ü", "日", "🙂", "e\u0301", " ", "'", "\n", "\x1b", "\xff", "\xe2\x82", "\u202e", "…"};
  auto indexes =
      *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, parts.size()));
  std::string text;
  for (auto index : indexes) text += parts[index];
  return text;
}

RC_GTEST_PROP(Printable, MakesTextThatIsPrintableAlready, ()) {
  auto text = printable(gen_text());
  RC_ASSERT(printable(text) == text);
  RC_ASSERT(std::ranges::none_of(text, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; }));
}

TEST(Columns, AreTwoForWideLettersAndNoneForMarks) {
  EXPECT_EQ(columns(""), 0U);
  EXPECT_EQ(columns("über"), 4U);
  EXPECT_EQ(columns("日本語"), 6U);
  EXPECT_EQ(columns("🙂"), 2U);
  EXPECT_EQ(columns("e\u0301"), 1U);
}

RC_GTEST_PROP(Cut, FitsAndKeepsWhatFits, ()) {
  auto text = printable(gen_text());
  auto columns_max = *rc::gen::inRange<std::size_t>(0, 20);
  auto result = cut(text, columns_max);
  RC_ASSERT(columns(result) <= columns_max);
  if (columns(text) <= columns_max) RC_ASSERT(result == text);
  RC_ASSERT(printable(result) == result);
}

RC_GTEST_PROP(Folded, FitsAndKeepsEverything, ()) {
  const auto text = printable(gen_text() + " " + gen_text() + " " + gen_text());
  const auto columns_max = *rc::gen::inRange<std::size_t>(4, 20);
  std::string kept;
  std::istringstream lines(folded(text, columns_max, 2));
  for (std::string line; std::getline(lines, line); kept += line) {
    RC_ASSERT(columns(line) <= columns_max);
  }
  const auto letters = [](std::string all) {
    std::erase(all, ' ');
    return all;
  };
  RC_ASSERT(letters(kept) == letters(text));
}

TEST(Folded, BreaksBetweenWordsWhereItCan) {
  EXPECT_EQ(folded("one two  three", 9, 2), "one two\n  three");
  EXPECT_EQ(folded("one abcdefghij", 6, 2), "one\n  abcd\n  efgh\n  ij");
  EXPECT_EQ(folded("one two", 7, 2), "one two");
  EXPECT_EQ(folded("one two", 0, 2), "one two");
}

TEST(Table, CutsOtherColumnsBeforeTheOneThatIsKept) {
  Table table({"NAME", "STORED", "TAGS", "CONTENT"});
  table.keep(1);
  table.add({"a name of some length", "2026-11-20T10:00:00Z", "tags of it", "and what it says"});
  const std::string text = table.text(60);
  EXPECT_NE(text.find("2026-11-20T10:00:00Z"), std::string::npos) << text;
  EXPECT_NE(text.find("…"), std::string::npos) << text;
}

RC_GTEST_PROP(ShellLine, IsReadBackByAShell, ()) {
  std::vector<std::string> words = {"x"};
  std::string expected = "x\n";
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
    auto word = gen_text();
    std::erase(word, '\n');
    words.push_back(word);
    expected += word + "\n";
  }
  auto read = run_command({"/bin/sh", "-c", "printf '%s\\n' " + shell_line(words)});
  RC_ASSERT(read.output == expected);
}

TEST(Counted, KnowsOneFromMany) {
  EXPECT_EQ(counted(0, "task"), "0 tasks");
  EXPECT_EQ(counted(1, "task"), "1 task");
  EXPECT_EQ(counted(2, "task"), "2 tasks");
}

TEST(Table, AlignsItsColumnsAndEndsNoLineWithBlanks) {
  Table table({"A", "LONGER", "LAST"});
  table.add({"1", "日", ""});
  table.add({"22", "x", "end"});
  EXPECT_EQ(table.text(0), "A   LONGER  LAST\n1   日\n22  x       end\n");
}

TEST(Table, TakesRoomFromItsWidestCells) {
  Table table({"A", "B"});
  table.add({std::string(30, 'a'), std::string(20, 'b')});
  EXPECT_EQ(table.text(32),
            "A                B\n" + std::string(14, 'a') + "…  " + std::string(14, 'b') + "…\n");
  EXPECT_EQ(table.text(52), "A" + std::string(31, ' ') + "B\n" + std::string(30, 'a') + "  " +
                                std::string(20, 'b') + "\n");
}

TEST(Table, IsCutWhenItCannotBeMadeNarrower) {
  Table table({"FIRST", "SECOND", "THIRD"});
  table.add({std::string(20, 'a'), std::string(20, 'b'), std::string(20, 'c')});
  EXPECT_EQ(table.text(12), "FIRST     S…\naaaaaaa…  b…\n");
}

}  // namespace
}  // namespace almanac::test
