#include <almanac/log/printable.h>

#include <gtest/gtest.h>

#include <string>

namespace almanac::test {
namespace {

TEST(Printable, EscapesWhatControlsATerminal) {
  EXPECT_EQ(printable("a\n\r\t\x1b[31m\x7f"), "a\\n\\r\\t\\x1b[31m\\x7f");
  EXPECT_EQ(printable("\u009b31m"), "\\xc2\\x9b31m");
  EXPECT_EQ(printable("\u202eevil\u2066"), "\\xe2\\x80\\xaeevil\\xe2\\x81\\xa6");
  EXPECT_EQ(printable("\u2028\ufeff"), "\\xe2\\x80\\xa8\\xef\\xbb\\xbf");
}

TEST(Printable, EscapesWhatIsNotUtf8) {
  EXPECT_EQ(printable("\xff"), "\\xff");
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf") << "overlong";
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "surrogate";
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond Unicode";
  EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82") << "cut short";
}

TEST(Printable, KeepsTextOfAnyLanguage) {
  for (const std::string text : {"über", "日本語", "🙂", "e\u0301", "עברית"}) {
    EXPECT_EQ(printable(text), text);
  }
}

}  // namespace
}  // namespace almanac::test
