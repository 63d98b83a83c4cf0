// What tasks are known by as the same work is for ever: it is in logs, and what is submitted later
// is looked up by it.
#include <almanac/log/task_identity.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

TEST(TaskIdentity, IsXxh3OfTheContentHighBytesFirst) {
  const auto identity = identity_of(as_bytes("almanac"));
  EXPECT_EQ(to_text(identity), "7b4c26e30765fdae5b581c2106658c96");
  EXPECT_EQ(to_text({0x0123456789abcdef, 0xfedcba9876543210}), "0123456789abcdeffedcba9876543210");
  EXPECT_NE(identity_of(as_bytes("almanac")), identity_of(as_bytes("almanad")));
}

TEST(TaskIdentity, IsReadAsItWasWritten) {
  const auto identity = identity_of(as_bytes("almanac"));
  EXPECT_EQ(parse_task_identity(to_text(identity)), identity);
  for (const char* text : {"", "0123", "0123456789abcdeffedcba987654321", "x123456789abcdef",
                           "0123456789abcdeffedcba98765432100"}) {
    EXPECT_FALSE(parse_task_identity(text)) << text;
  }
}

}  // namespace
}  // namespace almanac::test
