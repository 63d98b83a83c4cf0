#include <almanac/log/error.h>

#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <string>
#include <utility>

namespace almanac::test {
namespace {

TEST(ErrorText, JoinsWhatHappenedAndWhatToDo) {
  EXPECT_EQ(describe({ErrorCode::io, "it broke", ""}), "it broke");
  EXPECT_EQ(describe({ErrorCode::io, "it broke", "mend it"}), "it broke; mend it");
}

TEST(ErrorText, NamesEveryCodeDifferently) {
  std::set<std::string_view> names;
  for (int code = 0; code < error_code_count; ++code) names.insert(name(ErrorCode(code)));
  EXPECT_EQ(names.size(), std::size_t{error_code_count});
  EXPECT_FALSE(names.contains("unknown"));
  EXPECT_EQ(name(ErrorCode(error_code_count)), "unknown");
}

// What it costs where nothing has failed, and where an error has nothing but its sentences.
TEST(Error, PaysOnePointerForItsDetails) {
  EXPECT_EQ(sizeof(Error), sizeof(void*) + 2 * sizeof(std::string) + sizeof(ErrorDetails));
  EXPECT_EQ(sizeof(ErrorDetails), sizeof(void*));
}

TEST(Error, IsAValueWithItsContextAndItsCauses) {
  Error error = Error{ErrorCode::reasoning, "no answer", ""}
                    .with("reasoner", "a")
                    .caused_by(Error{ErrorCode::timed_out, "it is slow", ""}.with("after", "5s"));
  const Error copy = error;
  error.with("reasoner", "b").caused_by({ErrorCode::io, "it is gone", ""});
  EXPECT_EQ(copy.context(), (ErrorContext{{"reasoner", "a"}}));
  ASSERT_NE(copy.cause(), nullptr);
  EXPECT_EQ(copy.cause()->code, ErrorCode::timed_out);
  EXPECT_EQ(copy.cause()->context(), (ErrorContext{{"after", "5s"}}));
  EXPECT_EQ(error.context(), (ErrorContext{{"reasoner", "b"}}));
  EXPECT_EQ(error.cause()->message, "it is gone");
  const Error moved = std::move(error);
  EXPECT_EQ(moved.cause()->message, "it is gone");
  Error assigned;
  assigned = copy;
  EXPECT_EQ(describe(assigned), "no answer, because it is slow");
  EXPECT_EQ(Error().cause(), nullptr);
  EXPECT_TRUE(Error().context().empty());
}

TEST(Error, IsRecoverableWhenItsCodeIsTransientUnlessItSaysOtherwise) {
  std::set<ErrorCode> transient;
  for (int code = 0; code < error_code_count; ++code) {
    const Error error{ErrorCode(code), "it broke", ""};
    if (error.is_recoverable()) transient.insert(error.code);
    EXPECT_EQ(Error(error).recoverable(true).is_recoverable(), true);
    EXPECT_EQ(Error(error).recoverable(false).is_recoverable(), false);
  }
  EXPECT_EQ(transient,
            (std::set{ErrorCode::busy, ErrorCode::io, ErrorCode::timed_out, ErrorCode::rate_limited,
                      ErrorCode::out_of_memory, ErrorCode::gpu_memory}));
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
