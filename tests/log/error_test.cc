#include <almanac/log/error.h>

#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <string>

namespace almanac::test {
namespace {

TEST(ErrorText, JoinsWhatHappenedAndWhatToDo) {
  EXPECT_EQ(describe({ErrorCode::io, "it broke", ""}), "it broke");
  EXPECT_EQ(describe({ErrorCode::io, "it broke", "mend it"}), "it broke; mend it");
}

TEST(ErrorText, NamesEveryCodeDifferently) {
  std::set<std::string_view> names;
  constexpr int last = static_cast<int>(ErrorCode::unknown_outcome);
  for (int code = 0; code <= last; ++code) names.insert(name(static_cast<ErrorCode>(code)));
  EXPECT_EQ(names.size(), std::size_t{last} + 1);
  EXPECT_FALSE(names.contains("unknown"));
}

TEST(SystemError, SaysWhatKindItIs) {
  auto code = [](int number) { return fail_errno(number, "do it").error().code; };
  EXPECT_EQ(code(ENOSPC), ErrorCode::storage_full);
  EXPECT_EQ(code(EDQUOT), ErrorCode::storage_full);
  EXPECT_EQ(code(EACCES), ErrorCode::refused);
  EXPECT_EQ(code(EPERM), ErrorCode::refused);
  EXPECT_EQ(code(EROFS), ErrorCode::refused);
  EXPECT_EQ(code(EIO), ErrorCode::io);
  EXPECT_EQ(code(ENOENT), ErrorCode::io);
}

TEST(SystemError, SaysWhatWasTriedAndWhy) {
  auto failed = fail_errno(ENOENT, "open /nowhere", "make it");
  EXPECT_EQ(failed.error().message, "cannot open /nowhere: No such file or directory");
  EXPECT_EQ(failed.error().next_step, "make it");
}

}  // namespace
}  // namespace almanac::test
