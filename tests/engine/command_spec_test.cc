// Commands as payloads: everything comes back, and what cannot be a command is refused.
#include <almanac/engine/command_spec.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

void expect_back(const CommandSpec& spec) {
  auto payload = encode(spec);
  ASSERT_TRUE(payload.has_value()) << describe(payload.error());
  auto back = decode_command(as_bytes(*payload));
  ASSERT_TRUE(back.has_value()) << describe(back.error());
  EXPECT_EQ(back->arguments, spec.arguments);
  EXPECT_EQ(back->working_folder, spec.working_folder);
  EXPECT_EQ(back->environment, spec.environment);
}

TEST(CommandSpec, ComesBackAsItWas) {
  expect_back({.arguments = {"/bin/true"}});
  expect_back({.arguments = {"sh", "-c", "echo \"$1\" 'a\\b'\n\t", "", "Größe"},
               .working_folder = "/a folder/with \"quotes\"",
               .environment = {{"A", ""}, {"B", "x=y"}, {"ü", "\x01"}}});
}

TEST(CommandSpec, ThatCannotRunIsRefused) {
  const std::string zero("a\0b", 3);
  for (const CommandSpec& spec :
       std::vector<CommandSpec>{{},
                                {.arguments = {""}},
                                {.arguments = {zero}},
                                {.arguments = {"a", zero}},
                                {.arguments = {"a"}, .working_folder = zero},
                                {.arguments = {"a"}, .environment = {{"", "x"}}},
                                {.arguments = {"a"}, .environment = {{"A=B", "x"}}},
                                {.arguments = {"a"}, .environment = {{zero, "x"}}},
                                {.arguments = {"a"}, .environment = {{"A", zero}}},
                                {.arguments = {"\xff"}}}) {
    auto payload = encode(spec);
    ASSERT_FALSE(payload.has_value());
    EXPECT_EQ(payload.error().code, ErrorCode::invalid);
    EXPECT_FALSE(payload.error().message.empty());
  }
}

TEST(CommandSpec, IsReadFromNothingElse) {
  for (std::string_view payload :
       {"", "true", "[]", "{}", "{\"argv\":[]}", "{\"argv\":[\"\"]}", "{\"argv\":\"ls\"}",
        "{\"argv\":[1]}", "{\"argv\":[\"ls\"],\"cwd\":1}", "{\"argv\":[\"ls\"],\"env\":[]}",
        "{\"argv\":[\"ls\"],\"env\":{\"A\":1}}", "{\"argv\":[\"ls\"]", "{\"argv\":[\"a\\u0000\"]}",
        "{\"argv\":[\"\xff\"]}"}) {
    auto spec = decode_command(as_bytes(payload));
    ASSERT_FALSE(spec.has_value()) << payload;
    EXPECT_EQ(spec.error().code, ErrorCode::invalid) << payload;
  }
}

}  // namespace
}  // namespace almanac::test
